import type { ReactNode } from "react";
import type { State } from "../contract.ts";
import { formatMoney } from "../format.ts";
import { safeLink } from "../links.ts";
import { methodName } from "../methods.ts";
import { type Texts, useSpeech } from "../texts/index.ts";
import { isPayable, type View } from "../view.ts";
import { AlertIcon, CheckIcon, ClockIcon, CrossIcon, TurnIcon } from "./icons.tsx";
import { type Heading, Title } from "./Title.tsx";

const ENDS = ["paid", "underpaid", "failed", "expired", "canceled", "partially_refunded", "refunded", "reversed"] as const;
type EndView = (typeof ENDS)[number];

export function isEnd(view: View): view is EndView {
  return (ENDS as readonly View[]).includes(view);
}

const TONES: Readonly<Record<EndView, "good" | "calm" | "warn" | "bad">> = {
  paid: "good",
  underpaid: "warn",
  failed: "bad",
  expired: "warn",
  canceled: "calm",
  partially_refunded: "calm",
  refunded: "calm",
  reversed: "warn",
};

const RETRYABLE: readonly EndView[] = ["failed", "expired", "canceled"];

interface EndProps {
  readonly state: State;
  readonly view: EndView;
  readonly now_ms: number;
  readonly heading: Heading;
  readonly onChooseAgain: () => void;
}

/** Where a payment ended: what it means for the buyer, and the way on. */
export function End({ state, view, now_ms, heading, onChooseAgain }: EndProps) {
  const { texts } = useSpeech();
  const retry = RETRYABLE.includes(view) && isPayable(state, now_ms);
  const back = safeLink(state.order.return_url);
  return (
    <section className="card center" data-testid={`status-${view}`}>
      <Badge view={view} />
      <Title heading={heading}>{texts.end[view]}</Title>
      <p className="lead">{endText(state, view, retry, texts)}</p>
      <Flags state={state} view={view} />
      {view === "expired" && <p className="quiet small">{texts.end.already_paid}</p>}
      <Facts state={state} />
      <div className="buttons">
        {retry && (
          <button type="button" className="button button-primary" data-testid="choose-another" onClick={onChooseAgain}>
            <TurnIcon size={18} />
            {texts.pay.another}
          </button>
        )}
        {back && (
          <a className={retry ? "button button-soft" : "button button-primary"} href={back} data-testid="return-link">
            {texts.end.back}
          </a>
        )}
      </div>
    </section>
  );
}

function Badge({ view }: { readonly view: EndView }) {
  const icons: Readonly<Record<EndView, ReactNode>> = {
    paid: <CheckIcon size={34} />,
    underpaid: <AlertIcon size={30} />,
    failed: <CrossIcon size={32} />,
    expired: <ClockIcon size={32} />,
    canceled: <CrossIcon size={32} />,
    partially_refunded: <TurnIcon size={30} />,
    refunded: <TurnIcon size={30} />,
    reversed: <AlertIcon size={30} />,
  };
  return (
    <span className={`badge badge-${TONES[view]}`} aria-hidden="true">
      {icons[view]}
    </span>
  );
}

function endText({ order, payment }: State, view: EndView, retry: boolean, { end }: Texts): string {
  switch (view) {
    case "paid":
    case "underpaid":
    case "reversed":
      return end[`${view}_text`](order.shop_name);
    case "expired":
    case "canceled":
      if (retry) return `${end[`${view}_text`]} ${end.pick_again}`;
      return payment && payment.status === view && order.payment_status !== view ? end[`${view}_text`] : end[`${view}_order`];
    case "failed":
      return retry ? `${end.failed_text} ${end.pick_again}` : end.failed_text;
    default:
      return end[`${view}_text`];
  }
}

/** What is unusual about money that came. */
function Flags({ state, view }: { readonly state: State; readonly view: EndView }) {
  const { texts } = useSpeech();
  if (view !== "paid") return null;
  const told = (["late", "duplicate", "overpaid"] as const).filter((flag) => state.payment?.flags.includes(flag));
  return told.map((flag) => (
    <p key={flag} className="note note-warn" data-testid={`flag-${flag}`}>
      <ClockIcon />
      <span>{texts.end[flag]}</span>
    </p>
  ));
}

function Facts({ state: { order, payment }, state }: { readonly state: State }) {
  const { texts, language } = useSpeech();
  return (
    <dl className="facts">
      <div>
        <dt>{texts.end.amount}</dt>
        <dd className="money">{formatMoney(order.amount, order.currency, language)}</dd>
      </div>
      {payment && (
        <div>
          <dt>{texts.end.method}</dt>
          <dd>{methodName(state, payment.method, language)}</dd>
        </div>
      )}
      <div>
        <dt>{texts.end.reference}</dt>
        <dd className="reference">{order.reference}</dd>
      </div>
    </dl>
  );
}

/** The address leads to no payment. */
export function Missing({ heading }: { readonly heading: Heading }) {
  const { texts } = useSpeech();
  return (
    <section className="card center" data-testid="status-missing">
      <span className="badge badge-calm" aria-hidden="true">
        <AlertIcon size={30} />
      </span>
      <Title heading={heading}>{texts.end.missing}</Title>
      <p className="lead">{texts.end.missing_text}</p>
    </section>
  );
}
