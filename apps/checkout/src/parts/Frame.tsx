import { useEffect, useRef, useState } from "react";
import { safeLink } from "../links.ts";
import { useSpeech } from "../texts/index.ts";
import { AlertIcon, LockIcon, OutIcon } from "./icons.tsx";

interface HeaderProps {
  readonly shop_name: string | undefined;
  readonly onToggle: () => void;
}

/** Who is paid, and the language. */
export function Header({ shop_name, onToggle }: HeaderProps) {
  const { texts, language } = useSpeech();
  return (
    <header className="head">
      {shop_name === undefined ? (
        <span />
      ) : (
        <p className="shop">
          <span className="shop-mark" aria-hidden="true">
            {shop_name.trim().slice(0, 1).toUpperCase()}
          </span>
          <span className="shop-words">
            <span className="quiet small">{texts.page.paying_to}</span> <span className="shop-name">{shop_name}</span>
          </span>
        </p>
      )}
      <button
        type="button"
        className="button button-quiet"
        data-testid="lang-toggle"
        lang={language === "id" ? "en" : "id"}
        title={texts.page.language_hint}
        onClick={onToggle}
      >
        {texts.page.language}
      </button>
    </header>
  );
}

export function SandboxStrip({ sandbox, simulator_url }: { readonly sandbox: boolean; readonly simulator_url: string | null }) {
  const { texts } = useSpeech();
  if (!sandbox) return null;
  const url = safeLink(simulator_url);
  return (
    <aside className="strip" aria-label="Sandbox" data-testid="sandbox">
      <span>{texts.page.sandbox}</span>{" "}
      {url && (
        <a href={url} target="_blank" rel="noopener noreferrer" data-testid="simulator-link">
          {texts.page.simulator}
          <OutIcon size={14} />
        </a>
      )}
    </aside>
  );
}

/** Says that the hub cannot be reached, and when it can be again. */
export function Connection({ reached }: { readonly reached: boolean }) {
  const { texts } = useSpeech();
  const was_lost = useRef(false);
  const [back, setBack] = useState(false);
  useEffect(() => {
    setBack(reached && was_lost.current);
    was_lost.current = !reached;
  }, [reached]);
  return (
    <output className="block">
      {!reached && (
        <span className="banner" data-testid="offline">
          <AlertIcon size={18} />
          <span>{texts.page.offline}</span>
        </span>
      )}
      {back && reached && <span className="unseen">{texts.page.online}</span>}
    </output>
  );
}

export function Footer() {
  const { texts } = useSpeech();
  return (
    <footer className="foot">
      <p>
        <LockIcon size={16} />
        <span>{texts.page.safe}</span>
      </p>
      <p className="made">Lunas</p>
    </footer>
  );
}
