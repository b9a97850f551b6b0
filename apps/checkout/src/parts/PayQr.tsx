import { useState } from "react";
import { actionOf } from "../contract.ts";
import { formatMoney } from "../format.ts";
import { safeLink } from "../links.ts";
import { useSpeech } from "../texts/index.ts";
import { PhoneIcon, SaveIcon, TurnIcon } from "./icons.tsx";
import type { WaysProps } from "./Pay.tsx";
import { Steps } from "./Steps.tsx";

/** A QR code, an app to open, or both: the app first on a phone, the code first on a computer. */
export function PayQr({ payment, name, handheld, reference }: WaysProps) {
  const { texts, language } = useSpeech();
  const qr = actionOf(payment, "qr");
  const app = safeLink(actionOf(payment, "deeplink")?.url);
  if (!qr && !app) return null;
  const alt = texts.pay.qr_alt(name, formatMoney(payment.amount, payment.currency, language));
  const image = qr && <Qr url={qr.image_url} alt={alt} />;

  if (app && handheld) {
    return (
      <>
        <div className="tight">
          <a className="button button-primary button-big" href={app} data-testid="deeplink">
            <PhoneIcon />
            {texts.pay.open_app(name)}
          </a>
          <p className="quiet small center-text">{texts.pay.open_app_hint}</p>
        </div>
        {image && (
          <details className="fold">
            <summary>{texts.pay.qr_show}</summary>
            {image}
          </details>
        )}
      </>
    );
  }
  const wallet = payment.method !== "qris";
  if (handheld) {
    return (
      <>
        {image}
        {qr && (
          <a className="button button-primary" href={qr.image_url} download={`qr-${reference.replaceAll(/[^\w-]/gu, "_")}.png`} data-testid="save-qr">
            <SaveIcon />
            {texts.pay.qr_save}
          </a>
        )}
        <Steps steps={texts.steps.qris_phone()} />
      </>
    );
  }
  return (
    <div className="scan">
      {image}
      <div className="scan-words">
        {image && <Steps steps={wallet ? texts.steps.wallet_scan(name) : texts.steps.qris_scan()} />}
        {app && (
          <p className="small">
            <a href={app} data-testid="deeplink">
              {texts.pay.on_this_device(name)}
            </a>
          </p>
        )}
      </div>
    </div>
  );
}

function Qr({ url, alt }: { readonly url: string; readonly alt: string }) {
  const { texts } = useSpeech();
  const [attempt, setAttempt] = useState(0);
  const [failed, setFailed] = useState(false);
  if (failed) {
    return (
      <div className="qr qr-failed" role="alert">
        <p className="small">{texts.pay.qr_failed}</p>
        <button
          type="button"
          className="button button-soft"
          onClick={() => {
            setAttempt(attempt + 1);
            setFailed(false);
          }}
        >
          <TurnIcon size={18} />
          {texts.pay.qr_again}
        </button>
      </div>
    );
  }
  // Another address on each attempt: the browser would repeat a failure from its memory.
  const src = attempt === 0 ? url : `${url}${url.includes("?") ? "&" : "?"}attempt=${attempt}`;
  return (
    <div className="qr">
      <img src={src} alt={alt} width={232} height={232} data-testid="qr" onError={() => setFailed(true)} />
    </div>
  );
}
