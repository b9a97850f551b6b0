import { useSpeech } from "../texts/index.ts";
import { TurnIcon } from "./icons.tsx";
import { type Heading, Title } from "./Title.tsx";

interface WaitingProps {
  readonly view: "preparing" | "authorized";
  readonly heading: Heading;
  readonly onChooseAgain: () => void;
}

/** Nothing for the buyer to do: the gateway is being asked, or it reviews the payment. */
export function Waiting({ view, heading, onChooseAgain }: WaitingProps) {
  const { texts } = useSpeech();
  return (
    <section className="card center" data-testid={`status-${view}`}>
      <span className="spinner" aria-hidden="true" />
      <Title heading={heading}>{texts.pay[view]}</Title>
      <p className="quiet">{texts.pay[`${view}_text`]}</p>
      {view === "preparing" && (
        <button type="button" className="button button-quiet" data-testid="choose-another" onClick={onChooseAgain}>
          <TurnIcon size={18} />
          {texts.pay.another}
        </button>
      )}
    </section>
  );
}
