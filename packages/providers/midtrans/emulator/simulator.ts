import type { EmulatorRequest, EmulatorResponse } from "@lunas/domain";
import { formatWib } from "../wire.ts";
import type { Context } from "./context.ts";
import { control } from "./control.ts";
import type { Html } from "./html.ts";
import { formOf, html, page, rp, seeOther } from "./html.ts";
import { lookUp, recentTransactions } from "./ledger.ts";
import { withQuery } from "./open.ts";
import { FREES_ORDER_ID } from "./machine.ts";
import type { StoredTransaction } from "./transaction.ts";

const RECENT_LIMIT = 300;
const CLOSED_SHOWN = 15;

/** Pages of the real simulator (midtrans.md §13) that are one page here, and what each asks for. */
const FINDERS: Readonly<Record<string, { readonly title: string; readonly label: string }>> = {
  "": { title: "Midtrans simulator", label: "Order id, transaction id, QR image URL, QR text or VA number" },
  "/v2/qris/index": { title: "QRIS and GoPay QR simulator", label: "QR image URL or scanned text" },
  "/qris/index": { title: "QRIS and GoPay QR simulator", label: "QR image URL or scanned text" },
  "/gopay/ui/index": { title: "GoPay deeplink simulator", label: "Deeplink URL" },
  "/v2/deeplink/index": { title: "Deeplink simulator", label: "Deeplink URL" },
  "/bca/va/index": { title: "BCA virtual account simulator", label: "Virtual account number" },
  "/bni/va/index": { title: "BNI virtual account simulator", label: "Virtual account number" },
  "/openapi/va/index": { title: "Virtual account simulator", label: "Virtual account number" },
};

const CHECKOUT = "/gopay/ui/checkout";

const NOTICES: Readonly<Record<string, string>> = {
  pay: "Paid.",
  deny: "Denied.",
  wallet: "The wallet refused. Like the real one, the provider keeps the transaction pending until it expires.",
  expire: "Expired.",
  stale: "Not possible any more: its state does not allow this.",
  unknown: "There is no such transaction.",
};

export function methodName(transaction: StoredTransaction): string {
  if (transaction.payment_type === "gopay") return "GoPay";
  return transaction.payment_type === "qris" ? "QRIS" : `${(transaction.bank ?? "").toUpperCase()} virtual account`;
}

function button(context: Context, transaction: StoredTransaction, action: string, text: string, look: string, back: string): Html {
  return html`<form method="post" action="${context.world.baseUrl()}/simulator/act"><input type="hidden" name="transaction_id" value="${transaction.transaction_id}">
<input type="hidden" name="back" value="${back}"><button class="${look}" name="action" value="${action}" data-testid="${text === "Pay late" ? "pay-late" : action}"
 data-order-id="${transaction.order_id}">${text}</button></form>`;
}

function buttons(context: Context, transaction: StoredTransaction, back: string): Html {
  if (transaction.status === "pending") {
    return html`<div>${button(context, transaction, "pay", "Pay", "main", back)} ${button(context, transaction, "deny", "Deny", "bad", back)}
 ${button(context, transaction, "expire", "Expire", "", back)}</div>`;
  }
  return FREES_ORDER_ID.includes(transaction.status) ? html`<div>${button(context, transaction, "pay", "Pay late", "", back)}</div>` : html``;
}

function card(context: Context, transaction: StoredTransaction, back: string): Html {
  const { order_id, transaction_id, status, va_number, expires_at } = transaction;
  return html`<section class="card" data-testid="transaction" data-order-id="${order_id}" data-status="${status}"><div class="row"><div>
<div><strong>${order_id}</strong> <span class="tag" data-testid="status">${status}</span></div><div class="amount">${rp(transaction.gross_amount)}</div>
<div class="soft">${methodName(transaction)}${va_number ? html` · <span class="mono">${va_number}</span>` : ""} · until ${formatWib(expires_at)} WIB</div>
<div class="soft mono">${transaction_id}</div></div>${buttons(context, transaction, back)}</div></section>`;
}

function notice(query: URLSearchParams): Html {
  const text = NOTICES[query.get("notice") ?? ""];
  return text ? html`<p class="notice" role="status" data-testid="notice">${text}</p>` : html``;
}

function finder(context: Context, path: string, query: URLSearchParams): EmulatorResponse {
  const { title, label } = FINDERS[path]!;
  const wanted = query.get("q") ?? query.get("order_id") ?? "";
  const found = wanted ? lookUp(context, wanted) : undefined;
  const here = `${path}${wanted ? `?q=${encodeURIComponent(wanted)}` : ""}`;
  const all = recentTransactions(context, RECENT_LIMIT);
  const pending = all.filter(({ status }) => status === "pending");
  const closed = all.filter(({ status }) => status !== "pending").slice(0, CLOSED_SHOWN);
  const list = (rows: readonly StoredTransaction[]): Html[] => rows.map((transaction) => card(context, transaction, here));
  const result = found ? card(context, found, here) : html`<p class="notice" data-testid="not-found">Nothing is known under that.</p>`;
  return page({
    title,
    body: html`${notice(query)}<form class="find" method="get" action="${context.world.baseUrl()}/simulator${path}">
<input name="q" value="${wanted}" placeholder="${label}" aria-label="${label}" data-testid="find"><button>Find</button></form>
${wanted ? html`<h2>Found</h2>${result}` : ""}<h2>Waiting for the payer</h2><div data-testid="pending">${pending.length > 0 ? list(pending) : html`<p class="soft">Nothing.</p>`}</div>
${closed.length > 0 ? html`<h2>Lately closed or paid</h2><div data-testid="closed">${list(closed)}</div>` : ""}`,
  });
}

/** Only back to a page of the simulator. */
function backTo(context: Context, back: string | null, notice_code: string): EmulatorResponse {
  const path = back && Object.hasOwn(FINDERS, back.split("?")[0]!) ? back : "";
  return seeOther(withQuery(`${context.world.baseUrl()}/simulator${path}`, { notice: notice_code }));
}

/** Does what a button says; what came of it is a word of `NOTICES`. */
export function press(context: Context, transaction_id: string, action: string | null): { notice: string; transaction?: StoredTransaction } {
  const transaction = lookUp(context, transaction_id);
  if (!transaction) return { notice: "unknown" };
  if (action !== "pay" && action !== "deny" && action !== "expire") return { notice: "stale", transaction };
  const { status } = control(context, transaction.transaction_id, action, {});
  const after = lookUp(context, transaction_id)!;
  if (status !== 200) return { notice: "stale", transaction: after };
  return { notice: action === "deny" && after.status === "pending" ? "wallet" : action, transaction: after };
}

/** What a wallet app asks, at the target of the deeplink. */
function checkout(context: Context, query: URLSearchParams): EmulatorResponse {
  const transaction = lookUp(context, query.get("referenceid") ?? "");
  if (!transaction)
    return page({
      title: "GoPay",
      status: 404,
      narrow: true,
      body: html`<p class="notice" data-testid="not-found">This payment does not exist.</p>`,
    });
  const action = `${context.world.baseUrl()}/simulator${CHECKOUT}?referenceid=${encodeURIComponent(transaction.reference)}`;
  const choice = (name: string, text: string, look: string): Html =>
    html`<button class="wide ${look}" name="action" value="${name}" data-testid="${name}" data-order-id="${transaction.order_id}">${text}</button>`;
  const back = transaction.callback_url ? resultUrl(transaction, transaction.settled_at === undefined ? "failure" : "success") : undefined;
  const open = html`<form method="post" action="${action}">${choice("pay", "Confirm and pay", "main")}${choice("deny", "Deny", "bad")}</form>`;
  return page({
    title: "GoPay",
    narrow: true,
    body: html`${notice(query)}<section class="card"><div class="soft">Pay to Lunas Sandbox Toko</div><div class="amount big" data-testid="amount">${rp(transaction.gross_amount)}</div>
<div class="soft">Order ${transaction.order_id} · <span data-testid="status">${transaction.status}</span></div></section>
${transaction.status === "pending" ? open : ""}${back ? html`<a class="button wide" href="${back}" data-testid="back">Back to the shop</a>` : ""}`,
  });
}

/** Schemes that a browser would run instead of opening. */
const RUNNABLE = /^\s*(javascript|data|vbscript|file|blob):/i;

/** Where the wallet sends the payer: the merchant's address with `order_id` already in it, and the result. Proof of nothing (midtrans.md §5.1). */
function resultUrl(transaction: StoredTransaction, result: "success" | "failure"): string | undefined {
  const { callback_url } = transaction;
  return callback_url && !RUNNABLE.test(callback_url) ? withQuery(callback_url, { result }) : undefined;
}

function confirm(context: Context, query: URLSearchParams, action: string | null): EmulatorResponse {
  const reference = query.get("referenceid") ?? "";
  const { notice: code, transaction } = press(context, reference, action === "deny" ? "deny" : "pay");
  const back = transaction && code !== "stale" ? resultUrl(transaction, code === "pay" ? "success" : "failure") : undefined;
  return seeOther(back ?? withQuery(`${context.world.baseUrl()}/simulator${CHECKOUT}`, { referenceid: reference, notice: code }));
}

/** Pages on which a person pays, denies, or lets expire. */
export function simulator(context: Context, request: EmulatorRequest): EmulatorResponse | undefined {
  if (request.path !== "/simulator" && !request.path.startsWith("/simulator/")) return undefined;
  const path = request.path.slice("/simulator".length).replace(/\/$/, "");
  const query = new URLSearchParams(request.query);
  if (request.method === "GET") {
    if (path === CHECKOUT) return checkout(context, query);
    return Object.hasOwn(FINDERS, path) ? finder(context, path, query) : undefined;
  }
  if (request.method !== "POST") return undefined;
  const form = formOf(request.body);
  if (path === CHECKOUT) return confirm(context, query, form.get("action"));
  if (path !== "/act") return undefined;
  return backTo(context, form.get("back"), press(context, form.get("transaction_id") ?? "", form.get("action")).notice);
}
