import { useCallback, useEffect, useMemo, useState } from "react";
import { formatMoney } from "./format.ts";
import { useServerNow, useStepFocus } from "./hooks.ts";
import { type Language, preferredLanguage, rememberedLanguage, rememberLanguage } from "./language.ts";
import { Choose } from "./parts/Choose.tsx";
import { End, isEnd, Missing } from "./parts/End.tsx";
import { Connection, Footer, Header, SandboxStrip } from "./parts/Frame.tsx";
import { Loading } from "./parts/Loading.tsx";
import { Pay } from "./parts/Pay.tsx";
import { Summary } from "./parts/Summary.tsx";
import { Waiting } from "./parts/Waiting.tsx";
import { SpeechContext, TEXTS, useSpeech } from "./texts/index.ts";
import { titleOf } from "./titles.ts";
import { type Checkout, useCheckout } from "./use-checkout.ts";
import { type View, viewOf } from "./view.ts";

/** The whole page; `base` is its own path `/pay/{token}`, undefined where the address has none. */
export function App({ base }: { readonly base: string | undefined }) {
  const [language, setLanguage] = useState<Language>(() => rememberedLanguage() ?? preferredLanguage(navigator.languages));
  const speech = useMemo(() => ({ language, texts: TEXTS[language] }), [language]);
  const toggle = useCallback(() => {
    const next = language === "id" ? "en" : "id";
    rememberLanguage(next);
    setLanguage(next);
  }, [language]);
  useEffect(() => {
    document.documentElement.lang = language;
  }, [language]);

  return (
    <SpeechContext value={speech}>
      {base === undefined ? (
        <>
          <Header shop_name={undefined} onToggle={toggle} />
          <main className="page page-single">
            <Missing heading={null} />
          </main>
        </>
      ) : (
        <Page base={base} onToggle={toggle} />
      )}
      <Footer />
    </SpeechContext>
  );
}

function Page({ base, onToggle }: { readonly base: string; readonly onToggle: () => void }) {
  const checkout = useCheckout(base);
  const { state, reached } = checkout.model;
  const now_ms = useServerNow(checkout.model.offset_ms);
  const view = viewOf(checkout.model, now_ms);
  const heading = useStepFocus(view === "pay" ? `pay ${state?.payment?.id}` : view);
  useTitle(checkout, view);
  const known = view !== "missing" && state !== undefined;

  return (
    <>
      {known && <SandboxStrip sandbox={state.sandbox} simulator_url={state.simulator_url} />}
      <Header shop_name={known ? state.order.shop_name : undefined} onToggle={onToggle} />
      <Connection reached={reached} />
      <main className={known ? "page" : "page page-single"} aria-busy={view === "loading"}>
        {known && <Summary order={state.order} />}
        {known ? (
          <Panel checkout={checkout} view={view} now_ms={now_ms} heading={heading} />
        ) : view === "missing" ? (
          <Missing heading={heading} />
        ) : (
          <Loading />
        )}
      </main>
    </>
  );
}

interface PanelProps {
  readonly checkout: Checkout;
  readonly view: View;
  readonly now_ms: number;
  readonly heading: React.RefObject<HTMLHeadingElement | null>;
}

function Panel({ checkout, view, now_ms, heading }: PanelProps) {
  const { state } = checkout.model;
  if (!state) return null;
  if (view === "choose") return <Choose checkout={checkout} state={state} now_ms={now_ms} heading={heading} />;
  if (isEnd(view)) return <End state={state} view={view} now_ms={now_ms} heading={heading} onChooseAgain={checkout.chooseAgain} />;
  if (!state.payment) return null;
  if (view === "pay") {
    return <Pay key={state.payment.id} checkout={checkout} state={state} payment={state.payment} now_ms={now_ms} heading={heading} />;
  }
  return <Waiting view={view === "authorized" ? "authorized" : "preparing"} heading={heading} onChooseAgain={checkout.chooseAgain} />;
}

/** The tab says where the payment stands, so that a buyer in another tab sees it too. */
function useTitle(checkout: Checkout, view: View): void {
  const { texts, language } = useSpeech();
  const { state } = checkout.model;
  const amount = state ? formatMoney(state.order.amount, state.order.currency, language) : undefined;
  const title = titleOf(view, texts, amount, state?.order.shop_name);
  useEffect(() => {
    document.title = title;
  }, [title]);
}
