import type { EmulatorResponse } from "@lunas/domain";
import { textOf } from "./context.ts";

/** Text that is HTML already. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

const ESCAPES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

function told(value: unknown): string {
  if (value instanceof Html) return value.text;
  if (Array.isArray(value)) return value.map(told).join("");
  if (value === undefined || value === null || value === false) return "";
  return textOf(value).replace(/[&<>"']/g, (character) => ESCAPES[character]!);
}

/** A template whose values are escaped, unless they are `Html` themselves. */
export function html(parts: TemplateStringsArray, ...values: readonly unknown[]): Html {
  return new Html(parts.reduce((text, next, index) => text + told(values[index - 1]) + next));
}

const STYLE = `
:root{color-scheme:light dark;--ink:#17212b;--soft:#5b6b7a;--line:#dde4ea;--page:#f3f6f9;--card:#fff;--main:#0b6bcb;--good:#0f7b45;--bad:#b3261e;--note:#fff4d6}
@media(prefers-color-scheme:dark){:root{--ink:#e8eef4;--soft:#9fb0c0;--line:#2c3946;--page:#10171e;--card:#18222c;--main:#4aa3ff;--good:#4cc38a;--bad:#ff8a80;--note:#3a3216}}
*{box-sizing:border-box}body{margin:0;background:var(--page);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main{max-width:44rem;margin:0 auto;padding:1rem}main.narrow{max-width:26rem}h1{font-size:1.3rem;margin:.5rem 0 1rem}h2{font-size:1rem;margin:1.5rem 0 .5rem;color:var(--soft)}
.card{background:var(--card);border:1px solid var(--line);border-radius:12px;padding:1rem;margin:0 0 .75rem}.row{display:flex;flex-wrap:wrap;gap:.5rem;align-items:center;justify-content:space-between}
.amount{font-weight:700;font-size:1.15rem;font-variant-numeric:tabular-nums}.big{font-size:1.8rem}.soft{color:var(--soft);font-size:.9rem;overflow-wrap:anywhere}.mono{font-family:ui-monospace,monospace}
form{display:inline}button,.button{font:inherit;font-weight:600;border:1px solid var(--line);background:var(--card);color:var(--ink);border-radius:8px;padding:.55rem 1rem;cursor:pointer;text-decoration:none;display:inline-block;min-height:44px}
button.main,.button.main{background:var(--main);border-color:var(--main);color:#fff}@media(prefers-color-scheme:dark){button.main,.button.main{color:#07121d}}button.bad{color:var(--bad)}.wide{width:100%;text-align:center;margin:.25rem 0}
input,select{font:inherit;padding:.55rem .7rem;border:1px solid var(--line);border-radius:8px;background:var(--card);color:var(--ink);width:100%;min-height:44px}
.find{display:flex;gap:.5rem}.notice{background:var(--note);border:1px solid var(--line);border-radius:8px;padding:.6rem .9rem;margin:0 0 1rem}.tag{border:1px solid var(--line);border-radius:99px;padding:.05rem .6rem;font-size:.85rem}
.qr{display:block;width:min(100%,320px);margin:0 auto;background:#fff;border-radius:8px}.good{color:var(--good)}.failed{color:var(--bad)}footer{color:var(--soft);font-size:.85rem;margin-top:2rem}
button:focus-visible,a:focus-visible,input:focus-visible{outline:3px solid var(--main);outline-offset:2px}
`;

const POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; script-src 'self'; connect-src 'self'; base-uri 'none'";

export interface Page {
  readonly title: string;
  readonly body: Html;
  readonly status?: number;
  readonly narrow?: boolean;
  /** Address of a script of this origin. */
  readonly script?: string;
}

/** A page for a person. It says on every one that nothing here is real. */
export function page({ title, body, status = 200, narrow = false, script }: Page): EmulatorResponse {
  const document = html`<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>${title}</title><style>${new Html(STYLE)}</style></head><body><main class="${narrow ? "narrow" : ""}"><h1>${title}</h1>${body}
<footer>Lunas sandbox: an emulation. No money moves, and this is not Midtrans.</footer></main>${script ? html`<script src="${script}"></script>` : ""}</body></html>`;
  return {
    status,
    headers: { "content-type": "text/html; charset=utf-8", "cache-control": "no-store", "content-security-policy": POLICY },
    body: document.text,
  };
}

export function seeOther(location: string): EmulatorResponse {
  return { status: 303, headers: { location, "cache-control": "no-store" }, body: "" };
}

/** `Rp 44.000`, as Indonesian shops write it. */
export function rp(amount: number): string {
  return `Rp ${String(amount).replace(/\B(?=(\d{3})+$)/g, ".")}`;
}

/** Fields of a form that was sent. */
export function formOf(body: Uint8Array): URLSearchParams {
  return new URLSearchParams(new TextDecoder().decode(body));
}
