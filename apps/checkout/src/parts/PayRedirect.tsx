import { safeLink } from "../links.ts";
import { useSpeech } from "../texts/index.ts";
import { NextIcon } from "./icons.tsx";

/** The gateway's own page; in the same tab, so that it can lead back to the shop. */
export function PayRedirect({ url }: { readonly url: string }) {
  const { texts } = useSpeech();
  const href = safeLink(url);
  if (!href) return null;
  return (
    <div className="tight">
      <a className="button button-primary button-big" href={href} rel="noreferrer" data-testid="redirect">
        {texts.pay.go}
        <NextIcon size={18} />
      </a>
      <p className="quiet small center-text">{texts.pay.go_hint}</p>
    </div>
  );
}
