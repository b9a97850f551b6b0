import type { EmulatorRequest, EmulatorResponse } from "@lunas/domain";
import { MINUTE_MS } from "@lunas/domain";
import { formatWib } from "../wire.ts";
import { commonFields, numberFields } from "./bodies.ts";
import type { Context, Fields } from "./context.ts";
import { coreError, isObject, json, part, readBody, textOf, uuid } from "./context.ts";
import { expiryOf, readLife } from "./expiry.ts";
import { orderIdIsFree, recentTransactions } from "./ledger.ts";
import { urlsOfHeader } from "./notify.ts";
import type { Opening } from "./open.ts";
import { openTransaction } from "./open.ts";
import type { Acquirer, Bank, Echoed, Merchant, PaymentType, StoredTransaction } from "./transaction.ts";
import { ACQUIRERS, BANKS } from "./transaction.ts";
import { lengthProblem, orderFields, orderProblems } from "./validate.ts";

/** Known to the real provider, not activated for this merchant. */
const NOT_ACTIVATED: readonly string[] = [
  "credit_card",
  "echannel",
  "cstore",
  "shopeepay",
  "akulaku",
  "kredivo",
  "dana",
  "ovo",
  "bri_epay",
  "cimb_clicks",
  "bca_klikpay",
  "bca_klikbca",
  "danamon_online",
];

interface Method {
  readonly payment_type: PaymentType;
  readonly bank?: Bank;
  readonly acquirer?: Acquirer;
}

/** As long a name as Permata shows (midtrans.md §2). */
export const RECIPIENT_MAX = 20;

type MethodReading = { readonly ok: true; readonly method: Method } | { readonly ok: false; readonly code: 400 | 402; readonly message: string };

/** `permata` is an alias, and a bank transfer without a bank is Permata's (midtrans.md §5). */
function readMethod(body: Fields): MethodReading {
  const type = body.payment_type;
  if (type === undefined || type === null || type === "") return { ok: false, code: 400, message: "payment_type is required" };
  if (type === "gopay") return { ok: true, method: { payment_type: type } };
  if (type === "qris") return readAcquirer(part(body.qris).acquirer);
  if (type === "permata") return { ok: true, method: { payment_type: "bank_transfer", bank: "permata" } };
  if (type === "bank_transfer") {
    const wanted = part(body.bank_transfer).bank ?? "permata";
    const bank = BANKS.find((known) => known === textOf(wanted).toLowerCase());
    return bank
      ? { ok: true, method: { payment_type: type, bank } }
      : { ok: false, code: 400, message: `bank_transfer.bank must be one of ${BANKS.join(", ")}` };
  }
  if (typeof type === "string" && NOT_ACTIVATED.includes(type)) return { ok: false, code: 402, message: "Payment channel is not activated." };
  return { ok: false, code: 400, message: "payment_type is not supported" };
}

/** Who serves a QRIS code: GoPay where nothing is said (midtrans.md §5). */
function readAcquirer(wanted: unknown): MethodReading {
  const unsaid = wanted === undefined || wanted === null || wanted === "";
  const acquirer = unsaid ? "gopay" : ACQUIRERS.find((known) => known === wanted);
  return acquirer
    ? { ok: true, method: { payment_type: "qris", acquirer } }
    : { ok: false, code: 400, message: `qris.acquirer must be one of ${ACQUIRERS.join(", ")}` };
}

export function echoed(body: Fields): Echoed {
  const text = (value: unknown): string | undefined => (value === undefined || value === null ? undefined : textOf(value));
  return {
    custom_field1: text(body.custom_field1),
    custom_field2: text(body.custom_field2),
    custom_field3: text(body.custom_field3),
    ...(isObject(body.metadata) ? { metadata: body.metadata } : {}),
  };
}

function invalid(context: Context, problems: readonly string[]): EmulatorResponse {
  return coreError(context, 400, "One or more parameters in the payload is invalid.", { validation_messages: problems, id: uuid(context) });
}

/** POST /v2/charge (midtrans.md §5). */
export function charge(context: Context, request: EmulatorRequest, merchant: Merchant): EmulatorResponse {
  const read = readBody(request);
  if (read.kind === "malformed") return coreError(context, 413, "The request cannot be processed due to malformed syntax in the request body");
  const body = read.kind === "empty" ? {} : read.value;
  if (body === null) return coreError(context, 500, "Sorry. Our system met an unexpected error. Please try again later.", { id: uuid(context) });
  if (!isObject(body)) return invalid(context, ["the body must be an object"]);
  if (tooMany(context, merchant)) return coreError(context, 429, "Too many requests, API rate limit exceeded");

  const reading = readMethod(body);
  const problems = orderProblems(context, body, "core");
  if (!reading.ok && reading.code === 400) problems.unshift(reading.message);
  const life = readLife(body.custom_expiry, "custom_expiry", { start: "order_time", length: "expiry_duration", default_unit: "minute" });
  if (!life.ok) problems.push(...life.problems);
  problems.push(...lengthProblem(part(part(body.bank_transfer).permata), "recipient_name", "bank_transfer.permata.", RECIPIENT_MAX));
  if (problems.length > 0 || !life.ok) return invalid(context, problems);
  if (!reading.ok) return coreError(context, reading.code, reading.message);
  const expires_at = expiryOf(reading.method.payment_type, life.life, context.world.business.now(), reading.method.acquirer);
  if (expires_at === undefined) return invalid(context, ["custom_expiry.expiry_duration must be at least 20 seconds and end in the future"]);

  const order = orderFields(body);
  if (!orderIdIsFree(context, merchant, order.order_id)) {
    return coreError(
      context,
      406,
      "The request could not be completed due to a conflict with the current state of the target resource, please try again",
      { id: uuid(context) },
    );
  }
  const transaction = openTransaction(context, {
    merchant,
    ...reading.method,
    ...echoed(body),
    ...details(context, body, reading.method),
    order_id: order.order_id,
    amount: order.amount,
    expires_at,
    override_urls: urlsOfHeader(request.headers["x-override-notification"]),
    append_urls: urlsOfHeader(request.headers["x-append-notification"]),
  });
  return json(200, chargeBody(context, transaction), transaction);
}

/** What a method's own block says. */
function details(context: Context, body: Fields, { payment_type, bank }: Method): Partial<Opening> {
  if (payment_type === "gopay") {
    const { enable_callback, callback_url } = part(body.gopay);
    if (enable_callback !== true) return {};
    const url = typeof callback_url === "string" && callback_url !== "" ? callback_url : context.switches.dashboard_gopay_callback_url;
    return url ? { callback_url: url } : {};
  }
  if (payment_type === "qris") return {};
  const transfer = part(body.bank_transfer);
  return { va_wish: transfer.va_number ?? part(body[`${bank}_va`]).va_number };
}

function tooMany(context: Context, merchant: Merchant): boolean {
  const limit = context.switches.charges_per_minute;
  if (limit <= 0) return false;
  const since = context.world.business.now() - MINUTE_MS;
  const mine = recentTransactions(context, limit).filter(({ merchant_id, created_at }) => merchant_id === merchant.merchant_id && created_at > since);
  return mine.length >= limit;
}

/** The answer to a charge, by method (midtrans.md §5, §5.1). */
export function chargeBody(context: Context, transaction: StoredTransaction): Record<string, unknown> {
  const head = { status_code: "201", ...commonFields(transaction) };
  const expiry_time = formatWib(transaction.expires_at);
  switch (transaction.payment_type) {
    case "gopay":
      return {
        ...head,
        status_message: context.switches.message_gopay,
        actions: gopayActions(context, transaction),
        channel_response_code: "200",
        channel_response_message: "Success",
        expiry_time,
      };
    case "qris":
      return {
        ...head,
        status_message: "QRIS transaction is created",
        acquirer: transaction.acquirer,
        actions: qrisActions(context, transaction),
        qr_string: transaction.qr_string,
        expiry_time,
      };
    case "bank_transfer": {
      const status_message =
        transaction.bank === "permata" ? "Success, PERMATA VA transaction is successful" : "Success, Bank Transfer transaction is created";
      return { ...head, status_message, ...numberFields(transaction), expiry_time };
    }
  }
}

function gopayActions(context: Context, { transaction_id, reference, callback_url }: StoredTransaction): unknown[] {
  const base = context.world.baseUrl();
  const back = callback_url ? `&callback_url=${encodeURIComponent(callback_url)}` : "";
  return [
    { name: "generate-qr-code", method: "GET", url: `${base}/v2/gopay/${transaction_id}/qr-code` },
    { name: "generate-qr-code-v2", method: "GET", url: `${base}/v4/qris/gopay/${reference}/qr-code` },
    { name: "deeplink-redirect", method: "GET", url: `${base}/simulator/gopay/ui/checkout?referenceid=${reference}${back}` },
    { name: "get-status", method: "GET", url: `${base}/v2/${transaction_id}/status` },
    { name: "cancel", method: "POST", url: `${base}/v2/${transaction_id}/cancel`, fields: [] },
  ];
}

function qrisActions(context: Context, { transaction_id, reference, acquirer }: StoredTransaction): unknown[] {
  const base = context.world.baseUrl();
  const wallet = acquirer === "airpay shopee" ? "shopeepay" : "gopay";
  return [
    { name: "generate-qr-code", method: "GET", url: `${base}/v2/qris/${transaction_id}/qr-code` },
    { name: "generate-qr-code-v2", method: "GET", url: `${base}/v4/qris/${wallet}/${reference}/qr-code` },
  ];
}
