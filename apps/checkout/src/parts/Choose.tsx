import { useEffect, useRef } from "react";
import { remaining } from "../countdown.ts";
import type { Method, State } from "../contract.ts";
import { groupMethods, markOf, methodName } from "../methods.ts";
import type { Refusal } from "../model.ts";
import { type Texts, useSpeech } from "../texts/index.ts";
import type { Checkout } from "../use-checkout.ts";
import { Deadline } from "./Deadline.tsx";
import { AlertIcon, BackIcon, NextIcon } from "./icons.tsx";
import { type Heading, Title } from "./Title.tsx";

interface ChooseProps {
  readonly checkout: Checkout;
  readonly state: State;
  readonly now_ms: number;
  readonly heading: Heading;
}

/** The ways to pay, one button each: choosing opens the payment. */
export function Choose({ checkout, state, now_ms, heading }: ChooseProps) {
  const { texts, language } = useSpeech();
  const { opening, refusal, choosing } = checkout.model;
  const { expires_at } = state.order;
  const running = choosing !== undefined && state.payment !== null && (state.payment.status === "pending" || state.payment.status === "authorized");
  return (
    <section className="card stack" data-testid="choose">
      <div>
        <div className="card-head">
          <Title heading={heading}>{texts.choose.title}</Title>
          <Deadline expires_at={expires_at} left_ms={remaining(expires_at, now_ms)} />
        </div>
        {/* In the page before it speaks, as screen readers want it. */}
        <div role="alert">{refusal && <RefusalNote refusal={refusal} name={methodName(state, refusal.method, language)} />}</div>
      </div>
      {groupMethods(state.methods).map(({ kind, methods }) => (
        <section key={kind} aria-labelledby={`group-${kind}`} className="group">
          <h2 id={`group-${kind}`}>{texts.choose.groups[kind]}</h2>
          {/* Said once where every row would say the same. */}
          {methods.length > 1 && <p className="quiet small">{texts.choose.hints[kind]}</p>}
          <ul className="methods">
            {methods.map((method) => (
              <li key={method.method}>
                <MethodButton
                  method={method}
                  alone={methods.length === 1}
                  opening={opening}
                  onChoose={() => checkout.open(method.method, method.account)}
                />
              </li>
            ))}
          </ul>
        </section>
      ))}
      <output className="unseen">{opening !== undefined && texts.choose.opening(methodName(state, opening, language))}</output>
      {running && opening === undefined && (
        <button type="button" className="button button-quiet" data-testid="keep-payment" onClick={checkout.keepPayment}>
          <BackIcon size={18} />
          {texts.choose.keep}
        </button>
      )}
    </section>
  );
}

interface MethodButtonProps {
  readonly method: Method;
  /** The only one of its kind. */
  readonly alone: boolean;
  readonly opening: string | undefined;
  readonly onChoose: () => void;
}

function MethodButton({ method, alone, opening, onChoose }: MethodButtonProps) {
  const { texts, language } = useSpeech();
  const busy = opening === method.method;
  return (
    // Not `disabled` while another one opens: that would throw away the keyboard's place.
    <button
      type="button"
      className="method"
      data-testid={`method-${method.method}`}
      aria-disabled={opening !== undefined}
      aria-busy={busy}
      onClick={() => opening === undefined && onChoose()}
    >
      <span className={`mark mark-${method.method}`} aria-hidden="true">
        {markOf(method.method)}
      </span>
      <span className="method-words">
        <span className="method-name">{method.label[language]}</span>
        {(busy || alone) && (
          <span className="quiet small">{busy ? texts.choose.opening(method.label[language]) : texts.choose.hints[method.kind]}</span>
        )}
      </span>
      {busy ? <span className="spinner spinner-small" aria-hidden="true" /> : <NextIcon size={18} />}
    </button>
  );
}

function RefusalNote({ refusal, name }: { readonly refusal: Refusal; readonly name: string }) {
  const { texts } = useSpeech();
  const note = useRef<HTMLDivElement>(null);
  // On a phone the pressed button may be a screen below it.
  useEffect(() => {
    // A block, because newer browsers answer with a promise, which React would take for a clean-up.
    note.current?.scrollIntoView({ block: "nearest" });
  }, []);
  return (
    <div className="note note-bad" data-testid="refusal" ref={note}>
      <AlertIcon />
      <div>
        <p className="strong">{texts.refusal.title(name)}</p>
        <p>{refusalText(refusal.code, texts)}</p>
        {refusal.request_id !== undefined && <p className="small quiet">{texts.refusal.reference(refusal.request_id)}</p>}
      </div>
    </div>
  );
}

function refusalText(code: string, { refusal }: Texts): string {
  switch (code) {
    case "gateway_refused":
    case "gateway_unclear":
    case "method_not_available":
    case "amount_not_supported":
    case "wrong_state":
    case "rate_limited":
    case "unreachable":
      return refusal[code];
    default:
      return refusal.other;
  }
}
