import { useSpeech } from "../texts/index.ts";

/** Instructions, one line per step. */
export function Steps({ steps }: { readonly steps: readonly string[] }) {
  const { texts } = useSpeech();
  return (
    <div className="steps">
      <h2>{texts.pay.how}</h2>
      <ol>
        {steps.map((step) => (
          <li key={step}>
            <span>{step}</span>
          </li>
        ))}
      </ol>
    </div>
  );
}
