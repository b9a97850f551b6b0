/** The part of a browser that Snap's script needs. Written out, so that the package does not depend on the DOM's types. */
interface ScriptElement {
  src: string;
  async: boolean;
  onload: (() => void) | null;
  onerror: (() => void) | null;
  setAttribute(name: string, value: string): void;
  remove(): void;
}

/** What Snap calls back with: payer-controlled, so never a proof of payment. */
export interface SnapCallbacks {
  onSuccess?: (result: unknown) => void;
  onPending?: (result: unknown) => void;
  onError?: (result: unknown) => void;
  onClose?: () => void;
  language?: "id" | "en";
}

export interface SnapApi {
  /** Takes the token, never the redirect URL. */
  pay(token: string, callbacks?: SnapCallbacks): void;
}

export interface SnapPage {
  snap?: SnapApi;
  document: { createElement(name: "script"): ScriptElement; head: { appendChild(element: ScriptElement): unknown } };
}

const loading = new WeakMap<SnapPage, Map<string, Promise<SnapApi>>>();

function insertScript(page: SnapPage, scriptUrl: string, clientKey: string): Promise<SnapApi> {
  return new Promise((resolve, reject) => {
    const script = page.document.createElement("script");
    script.src = scriptUrl;
    script.async = true;
    script.setAttribute("data-client-key", clientKey);
    script.onload = () => (page.snap ? resolve(page.snap) : reject(new Error("The payment window's script did not start.")));
    script.onerror = () => {
      script.remove();
      reject(new Error("The payment window could not be loaded. Check the connection and try again."));
    };
    page.document.head.appendChild(script);
  });
}

/** Loads snap.js once per page and address (midtrans.md §4). A failed load is forgotten, so that the buyer can try again. */
export function loadSnap(page: SnapPage, scriptUrl: string, clientKey: string): Promise<SnapApi> {
  const known = loading.get(page) ?? new Map<string, Promise<SnapApi>>();
  loading.set(page, known);
  const earlier = known.get(scriptUrl);
  if (earlier) return earlier;
  // The shop's own page may have the script tag already.
  const loaded = page.snap ? Promise.resolve(page.snap) : insertScript(page, scriptUrl, clientKey);
  known.set(scriptUrl, loaded);
  loaded.catch(() => known.delete(scriptUrl));
  return loaded;
}
