import type { EmulatorRequest, EmulatorResponse } from "@lunas/domain";
import { SANDBOX_CLIENT_KEY } from "../config.ts";
import { formatWib } from "../wire.ts";
import type { Context } from "./context.ts";
import { json } from "./context.ts";
import { expiryOf } from "./expiry.ts";
import type { Html } from "./html.ts";
import { formOf, html, page, rp, seeOther } from "./html.ts";
import { orderIdIsFree } from "./ledger.ts";
import { openTransaction } from "./open.ts";
import { methodName, press } from "./simulator.ts";
import { getSnap, saveSnap, transactionOf } from "./snap.ts";
import type { SnapView } from "./snap-result.ts";
import { finishUrl, isDenied, leaveUrl, snapResult, unfinishUrl, viewOf } from "./snap-result.ts";
import type { Bank, SnapMethod, StoredSnap, StoredTransaction } from "./transaction.ts";

const PATH = /^\/snap\/(?:v3\/redirection|v2\/vtweb)\/([^/]+)(\/state|\/choose|\/act)?$/;

const METHOD_NAMES: Readonly<Record<SnapMethod, string>> = {
  gopay: "GoPay",
  qris: "QRIS",
  bca_va: "BCA virtual account",
  bni_va: "BNI virtual account",
  bri_va: "BRI virtual account",
  cimb_va: "CIMB virtual account",
  permata_va: "Permata virtual account",
};

const ENDINGS: Readonly<Record<Exclude<SnapView, "choose" | "pending">, string>> = {
  success: "Payment successful",
  failed: "This payment has failed",
  expired: "This payment has expired",
  canceled: "This payment was canceled",
  revoked: "This page was replaced by a newer one",
};

function header(snap: StoredSnap, transaction: StoredTransaction | undefined): Html {
  const lines = snap.items.map(
    (item) => html`<div class="row soft"><span>${item.quantity} × ${item.name}</span><span>${rp(item.price * item.quantity)}</span></div>`,
  );
  return html`<section class="card"><div class="soft">Order ${snap.order_id}</div><div class="amount big" data-testid="amount">${rp(transaction?.gross_amount ?? snap.amount)}</div>${lines}</section>`;
}

function choices(base: string, snap: StoredSnap): Html {
  if (snap.methods.length === 0)
    return html`<p class="notice" data-testid="no-method">The merchant allows only methods that this sandbox does not emulate (enabled_payments).</p>`;
  const buttons = snap.methods.map(
    (method) => html`<button class="wide" name="method" value="${method}" data-testid="method-${method}">${METHOD_NAMES[method]}</button>`,
  );
  return html`<form method="post" action="${base}/choose">${buttons}</form>`;
}

/** How to pay, and beside it the buttons that the payer's wallet or bank would be. */
function instructions(context: Context, base: string, transaction: StoredTransaction): Html {
  const api = context.world.baseUrl();
  const { transaction_id, reference, payment_type, va_number, order_id } = transaction;
  const picture = html`<img class="qr" alt="QR code of this payment" src="${api}/v2/${payment_type}/${transaction_id}/qr-code" data-testid="qr">`;
  const wallet = html`<a class="button wide main" href="${api}/simulator/gopay/ui/checkout?referenceid=${reference}" target="_blank" data-testid="deeplink">Open GoPay</a>`;
  const number = html`<div class="soft">Virtual account number</div><div class="amount mono" data-testid="va-number">${va_number}</div>`;
  const act = (name: string, text: string, look: string): Html =>
    html`<button class="${look}" name="action" value="${name}" data-testid="${name}" data-order-id="${order_id}">${text}</button> `;
  return html`<section class="card"><h2>${methodName(transaction)}</h2>${va_number ? number : picture}${payment_type === "gopay" ? wallet : ""}
<p class="soft">Pay until ${formatWib(transaction.expires_at)} WIB.</p></section>
<form method="post" action="${base}/act"><div class="card"><div class="soft">Sandbox: what the payer does</div>${act("pay", "Pay", "main")}${act("deny", "Deny", "bad")}</div></form>`;
}

function show(context: Context, snap: StoredSnap, query: URLSearchParams): EmulatorResponse {
  const transaction = transactionOf(context, snap);
  const view = viewOf(context, snap, transaction);
  const api = context.world.baseUrl();
  const base = `${api}/snap/v3/redirection/${snap.token}`;
  const leave = leaveUrl(context, snap, view, transaction);
  // Who has picked a method may keep its instructions and be done here, or go back without paying.
  const unfinish = view === "pending" ? unfinishUrl(context, snap, transaction) : undefined;
  const refused = query.get("notice") === "taken" ? html`<p class="notice" data-testid="notice">transaction has been processed</p>` : "";
  const middle =
    view === "choose"
      ? choices(base, snap)
      : view === "pending"
        ? instructions(context, base, transaction!)
        : html`<p class="card" role="status" data-testid="ending">${ENDINGS[view]}</p>`;
  const link = (url: string | undefined, testid: string, text: string): Html =>
    url ? html`<a class="button wide" href="${url}" data-testid="${testid}">${text}</a>` : html``;
  const back = html`${link(leave, "return-to-merchant", "Back to the shop")}${link(unfinish, "back-unpaid", "Back without paying")}`;
  return page({
    title: view === "choose" ? "Choose how to pay" : "Payment",
    narrow: true,
    script: `${api}/snap/assets/page.js`,
    body: html`${refused}<div data-testid="snap" data-view="${view}" data-state="${base}/state">${header(snap, transaction)}${middle}${back}</div>`,
  });
}

/** The payer picks a method: only now there is a transaction, and its first notification is `pending`. */
function choose(context: Context, snap: StoredSnap, method: string | null): string {
  if (viewOf(context, snap) !== "choose" || !snap.methods.includes(method as SnapMethod)) return "";
  if (!orderIdIsFree(context, snap, snap.order_id)) return "?notice=taken";
  const bank = method?.endsWith("_va") ? (method.slice(0, -"_va".length) as Bank) : undefined;
  const payment_type = bank ? "bank_transfer" : method === "gopay" ? "gopay" : "qris";
  const expires_at = expiryOf(payment_type, snap.expiry, context.world.business.now());
  if (expires_at === undefined) return "";
  const denied = (snap.denials ?? 0) + (isDenied(transactionOf(context, snap)) ? 1 : 0);
  const { custom_field1, custom_field2, custom_field3, metadata, override_urls, append_urls, finish_url, gopay_callback_url } = snap;
  const transaction = openTransaction(context, {
    merchant: { server_key: snap.server_key, merchant_id: snap.merchant_id },
    order_id: snap.order_id,
    amount: snap.amount,
    payment_type,
    bank,
    expires_at,
    custom_field1,
    custom_field2,
    custom_field3,
    ...(metadata ? { metadata } : {}),
    override_urls,
    append_urls,
    finish_url,
    snap_token: snap.token,
    ...(bank ? { va_wish: snap.va_wishes?.[bank] } : {}),
    ...(payment_type === "qris" ? { acquirer: "gopay" } : {}),
    ...(payment_type === "gopay" && gopay_callback_url ? { callback_url: gopay_callback_url } : {}),
  });
  saveSnap(context, { ...snap, transaction_id: transaction.transaction_id, denials: denied });
  return "";
}

function state(context: Context, snap: StoredSnap): EmulatorResponse {
  const transaction = transactionOf(context, snap);
  const view = viewOf(context, snap, transaction);
  return json(200, {
    view,
    finish_redirect_url: finishUrl(context, snap, transaction),
    leave_url: leaveUrl(context, snap, view, transaction),
    ...(transaction ? { result: snapResult(context, snap, transaction) } : {}),
  });
}

/** A client key that is not of the token's merchant. snap.js sends the one of its script element along. */
function strangeClient(context: Context, client_key: string | null): boolean {
  return client_key !== null && client_key !== "" && client_key !== SANDBOX_CLIENT_KEY && !context.world.accept_any_key;
}

/** The hosted page, and what it asks of us: its own, since the real one's is not documented (midtrans.md §21). */
export function snapPage(context: Context, request: EmulatorRequest): EmulatorResponse | undefined {
  const match = PATH.exec(request.path);
  if (!match) return undefined;
  const [, token, act] = match;
  const snap = getSnap(context, token!);
  const query = new URLSearchParams(request.query);
  if (!snap)
    return page({
      title: "Payment",
      status: 404,
      narrow: true,
      body: html`<p class="notice" data-testid="not-found">This payment page does not exist.</p>`,
    });
  if (strangeClient(context, query.get("client_key"))) {
    return page({
      title: "Payment",
      status: 401,
      narrow: true,
      body: html`<p class="notice">Access denied due to unauthorized transaction, please check client or server key</p>`,
    });
  }
  if (request.method === "GET" && act === undefined) return show(context, snap, query);
  if (request.method === "GET" && act === "/state") return state(context, snap);
  if (request.method !== "POST") return undefined;
  const form = formOf(request.body);
  if (act === "/act" && snap.transaction_id) press(context, snap.transaction_id, form.get("action"));
  const notice = act === "/choose" ? choose(context, snap, form.get("method")) : "";
  return seeOther(`${context.world.baseUrl()}/snap/v3/redirection/${snap.token}${notice}`);
}
