import type { EmulatorRequest, EmulatorResponse } from "@lunas/domain";
import { DAY_MS, MINUTE_MS } from "@lunas/domain";
import { formatWib } from "../wire.ts";
import { echoed, RECIPIENT_MAX } from "./charge.ts";
import type { Context, Fields } from "./context.ts";
import { isObject, json, part, readBody, uuid } from "./context.ts";
import type { LifeReading } from "./expiry.ts";
import { readLife } from "./expiry.ts";
import { findTransaction, orderIdIsFree } from "./ledger.ts";
import { urlsOfHeader } from "./notify.ts";
import type { Merchant, SnapMethod, StoredSnap, StoredTransaction } from "./transaction.ts";
import { BANKS } from "./transaction.ts";
import { lengthProblem, orderFields, orderProblems } from "./validate.ts";

const KIND = "snap";
const PAGE_LIFE_MS = { default: DAY_MS, min: 5 * MINUTE_MS, max: 7 * DAY_MS };
const SHORTEST_EXPIRY_MS = 20_000;
const LONGEST_EXPIRY_MS = 7 * DAY_MS;
const URL_MAX = 255;

export const SNAP_METHODS: readonly SnapMethod[] = ["gopay", "qris", "bca_va", "bni_va", "bri_va", "cimb_va", "permata_va"];

/** The other values of `enabled_payments` that the real page knows, groups among them (midtrans.md §3). */
const NOT_EMULATED: readonly unknown[] = [
  "credit_card",
  "echannel",
  "danamon_va",
  "bsi_va",
  "seabank_va",
  "saqu_va",
  "ovo",
  "dana",
  "shopeepay",
  "alfamart",
  "indomaret",
  "akulaku",
  "kredivo",
  "uob_ezpay",
  "cimb_clicks",
  "bca_klikbca",
  "bca_klikpay",
  "bri_epay",
  "danamon_online",
  "cstore",
  "store",
];

export function snapErrors(status: number, error_messages: readonly string[]): EmulatorResponse {
  return json(status, { error_messages });
}

/** Snap's own 401 (midtrans.md §2, §9). */
export function snapUnauthorized(): EmulatorResponse {
  return snapErrors(401, [
    "Access denied due to unauthorized transaction, please check client or server key",
    "Visit https://docs.midtrans.com/ for more details",
  ]);
}

/**
 * What a merchant allows, of what is emulated. Unknown and legacy values are ignored (midtrans.md §3), and a list of nothing else allows all;
 * one that names only what is not emulated allows nothing here.
 */
function methodsOf(enabled: unknown): readonly SnapMethod[] {
  const wanted = Array.isArray(enabled) ? (enabled as unknown[]).map((value) => (value === "other_qris" ? "qris" : value)) : [];
  const all_banks = wanted.includes("bank_transfer") || wanted.includes("other_va");
  const allowed = SNAP_METHODS.filter((method) => wanted.includes(method) || (all_banks && method.endsWith("_va")));
  return allowed.length > 0 || wanted.some((value) => NOT_EMULATED.includes(value)) ? allowed : SNAP_METHODS;
}

function snapLife(body: Fields, name: "expiry" | "page_expiry"): LifeReading {
  return readLife(body[name], name, { start: "start_time", length: "duration", default_unit: "minute" });
}

function urlProblem(value: unknown, name: string): string[] {
  return typeof value === "string" && value.length > URL_MAX ? [`${name} must be at most ${URL_MAX} characters`] : [];
}

/** What a merchant says of the virtual accounts that may come, by bank. */
function vaWishes(body: Fields): StoredSnap["va_wishes"] {
  return Object.fromEntries(BANKS.map((bank) => [bank, part(body[`${bank}_va`]).va_number]));
}

/** An address of a request, where it is one. */
function addressOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** POST /snap/v1/transactions (midtrans.md §3). The token is no transaction yet. */
export function createSnap(context: Context, request: EmulatorRequest, merchant: Merchant): EmulatorResponse {
  const read = readBody(request);
  if (read.kind === "malformed") return snapErrors(400, ["the request body is not a JSON object"]);
  // `null` and nothing are an order without anything: the messages say what is required.
  const body = read.kind === "value" && isObject(read.value) ? read.value : {};
  const problems = orderProblems(context, body, "snap");
  const expiry = snapLife(body, "expiry");
  const page_expiry = snapLife(body, "page_expiry");
  for (const reading of [expiry, page_expiry]) if (!reading.ok) problems.push(...reading.problems);
  if (expiry.ok && expiry.life && expiry.life.length_ms < SHORTEST_EXPIRY_MS) problems.push("expiry.duration must be at least 20 seconds");
  const { finish, error } = part(body.callbacks);
  problems.push(...urlProblem(finish, "callbacks.finish"), ...urlProblem(error, "callbacks.error"));
  problems.push(...lengthProblem(part(body.permata_va), "recipient_name", "permata_va.", RECIPIENT_MAX));
  if (problems.length > 0 || !expiry.ok || !page_expiry.ok) return snapErrors(400, problems);

  const order = orderFields(body);
  const used = findTransaction(context, merchant, order.order_id);
  if (used && used.status !== "pending" && !orderIdIsFree(context, merchant, order.order_id)) {
    return snapErrors(400, ["transaction_details.order_id has been paid and utilized, please use another order ID"]);
  }
  revokeOlder(context, merchant, order.order_id);
  const now = context.world.business.now();
  const gopay = part(body.gopay);
  const page_ms = Math.min(Math.max(page_expiry.life?.length_ms ?? PAGE_LIFE_MS.default, PAGE_LIFE_MS.min), PAGE_LIFE_MS.max);
  const snap: StoredSnap = {
    ...merchant,
    ...echoed(body),
    token: uuid(context),
    order_id: order.order_id,
    amount: order.amount,
    items: order.items,
    methods: methodsOf(body.enabled_payments),
    state: "open",
    created_at: now,
    page_expires_at: now + page_ms,
    ...(expiry.life ? { expiry: { ...expiry.life, length_ms: Math.min(expiry.life.length_ms, LONGEST_EXPIRY_MS) } } : {}),
    finish_url: addressOf(finish),
    error_url: addressOf(error),
    va_wishes: vaWishes(body),
    ...(gopay.enable_callback === true && typeof gopay.callback_url === "string" ? { gopay_callback_url: gopay.callback_url } : {}),
    override_urls: urlsOfHeader(request.headers["x-override-notification"]),
    append_urls: urlsOfHeader(request.headers["x-append-notification"]),
  };
  context.world.store.insert(KIND, snap.token, snap, { keys: [`order ${merchant.merchant_id} ${order.order_id}`] });
  return json(201, { token: snap.token, redirect_url: `${context.world.baseUrl()}/snap/v3/redirection/${snap.token}` }, { order_id: snap.order_id });
}

/** A new token for an order takes the place of the one before (midtrans.md §3). */
function revokeOlder(context: Context, merchant: Merchant, order_id: string): void {
  for (const older of context.world.store.withKey<StoredSnap>(KIND, `order ${merchant.merchant_id} ${order_id}`)) {
    if (older.state === "open") saveSnap(context, { ...older, state: "revoked" });
  }
}

export function getSnap(context: Context, token: string): StoredSnap | undefined {
  return context.world.store.get<StoredSnap>(KIND, token);
}

export function saveSnap(context: Context, snap: StoredSnap): void {
  context.world.store.update(KIND, snap.token, snap);
}

/** The transaction that the payer's choice of a method has made. */
export function transactionOf(context: Context, snap: StoredSnap): StoredTransaction | undefined {
  return snap.transaction_id === undefined ? undefined : findTransaction(context, snap, snap.transaction_id);
}

/** POST /snap/v1/transactions/{token}/cancel (midtrans.md §3). A token whose transaction waits or was paid is on progress. */
export function cancelSnap(context: Context, _request: EmulatorRequest, merchant: Merchant, token: string): EmulatorResponse {
  const snap = getSnap(context, token);
  if (!snap || snap.merchant_id !== merchant.merchant_id || snap.state === "revoked") return snapErrors(404, ["token not found"]);
  if (snap.state === "canceled") return snapErrors(400, ["token already canceled"]);
  const transaction = transactionOf(context, snap);
  if (transaction && !["cancel", "expire", "deny"].includes(transaction.status)) return snapErrors(400, ["Transaction is on progress"]);
  const canceled_at = context.world.business.now();
  saveSnap(context, { ...snap, state: "canceled", canceled_at });
  return json(200, { canceled_at: `${formatWib(canceled_at)} +0700` }, { order_id: snap.order_id });
}
