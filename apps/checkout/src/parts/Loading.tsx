import { useSpeech } from "../texts/index.ts";

export function Loading() {
  const { texts } = useSpeech();
  return (
    <section className="card center" data-testid="loading">
      <span className="spinner" aria-hidden="true" />
      <output>{texts.page.loading}</output>
    </section>
  );
}
