import { loadSnap, type SnapPage } from "./snap.ts";

/** What the shop's own backend answers after it has made the order (and, for the popup, a payment of method `snap`). */
export interface CheckoutTarget {
  /** The hosted payment page: `order.checkout_url`. */
  checkout_url?: string | null;
  /** Another name for it. */
  redirect_url?: string | null;
  /** The three of the payment's `snap_token` action: token, client_key, script_url. */
  transaction_token?: string | null;
  client_key?: string | null;
  script_url?: string | null;
}

export type CheckoutWay = "redirect" | "snap";

/**
 * What became of the popup, as the buyer's browser tells it. None of these is a proof:
 * only a verified webhook makes an order paid. `pending`: the buyer has chosen how to pay; the popup may still be open, and
 * `finished` may follow. `closed`: the buyer closed it without choosing.
 */
export type PopupOutcome = "finished" | "pending" | "failed" | "closed";

export type CheckoutStep = { status: "redirecting"; url: string } | { status: "popup" } | { status: PopupOutcome; result?: unknown };

/** The browser, as far as paying needs it. */
export interface CheckoutPage extends SnapPage {
  location: { assign(url: string): void; href: string };
}

export interface FlowOptions<T extends CheckoutTarget> {
  createPayment: () => Promise<T>;
  /** The default: `snap` where the answer carries a token and a script, otherwise `redirect`. */
  way?: CheckoutWay;
  language?: "id" | "en";
  page: CheckoutPage;
  onStep: (step: CheckoutStep, target: T) => void;
}

/** Only web addresses: `javascript:` in an answer must not run in the shop's page. */
function webUrl(url: string, page: CheckoutPage): string {
  const parsed = new URL(url, page.location.href);
  if (parsed.protocol !== "https:" && parsed.protocol !== "http:") throw new Error("The payment page's address is not a web address.");
  return parsed.href;
}

/** Creates the payment and takes the buyer to it. Ends once the buyer is on the way or the popup has told something. Throws what `createPayment` throws. */
export async function runCheckout<T extends CheckoutTarget>(options: FlowOptions<T>): Promise<CheckoutStep> {
  const { page } = options;
  const target = await options.createPayment();
  const step = (next: CheckoutStep): CheckoutStep => {
    options.onStep(next, target);
    return next;
  };
  const { transaction_token: token, script_url: scriptUrl, client_key: clientKey } = target;
  const way = options.way ?? (token && scriptUrl ? "snap" : "redirect");

  if (way === "redirect") {
    const url = target.checkout_url ?? target.redirect_url;
    if (!url) throw new Error("The shop's answer has neither checkout_url nor redirect_url.");
    const address = webUrl(url, page);
    const going = step({ status: "redirecting", url: address });
    page.location.assign(address);
    return going;
  }
  if (!token || !scriptUrl || !clientKey) throw new Error("The shop's answer lacks transaction_token, client_key or script_url.");
  const snap = await loadSnap(page, webUrl(scriptUrl, page), clientKey);
  step({ status: "popup" });
  return new Promise((resolve) => {
    // Snap may call back more than once (pending, then success): each is told, the first ends the waiting.
    const end = (status: PopupOutcome, result?: unknown): void => resolve(step({ status, result }));
    snap.pay(token, {
      language: options.language,
      onSuccess: (result) => end("finished", result),
      onPending: (result) => end("pending", result),
      onError: (result) => end("failed", result),
      onClose: () => end("closed"),
    });
  });
}
