import {
  type CallbackOutcome,
  type CallbackReading,
  type Callbacks,
  type Hint,
  parseAmount,
  type RawCallback,
  type Verification,
} from "@lunas/domain";
import type { MidtransConfig } from "./config.ts";
import { verify } from "./signature.ts";
import { NOTICES, observationOf } from "./status.ts";
import { parseStrict } from "./strict-json.ts";

// Every notification passes here before it is stored: checked by hand and not by a schema, for speed.

const TEXT_MAX_CHARS = 255;
/**
 * The signed strings are joined without a mark between them, so that INV-1 with code 200 could be read as INV-12 with code 005.
 * Holding each to its shape leaves few such readings; what is left can only make the hub ask the gateway about an order.
 */
const STATUS_CODE = /^[1-9]\d\d$/;
const GROSS_AMOUNT = /^(?:0|[1-9]\d{0,14})(?:\.\d{1,2})?$/;
// oxlint-disable-next-line no-control-regex -- control characters are exactly what is looked for: a database may refuse them.
const CONTROL = /[\x00-\x1f\x7f]/;

interface Fields {
  readonly order_id: string;
  readonly status_code: string;
  readonly gross_amount: string;
  readonly signature_key: string;
  readonly transaction_status: string;
  readonly transaction_id: string | undefined;
  readonly fraud_status: unknown;
  readonly refunds: unknown;
  readonly refund_amount: unknown;
}

function isText(value: unknown): value is string {
  // A lone surrogate has no UTF-8 of its own: two different strings would be hashed as one.
  return typeof value === "string" && value !== "" && value.length <= TEXT_MAX_CHARS && value.isWellFormed() && !CONTROL.test(value);
}

function fieldsOf(body: Readonly<Record<string, unknown>>): Fields | string {
  const { order_id, status_code, gross_amount, signature_key, transaction_status, fraud_status, refunds, refund_amount } = body;
  const transaction_id = body["transaction_id"] ?? undefined;
  if (!isText(order_id)) return "order_id is not a string that can be used";
  if (typeof status_code !== "string" || !STATUS_CODE.test(status_code)) return "status_code is not a string of three digits";
  if (typeof gross_amount !== "string" || !GROSS_AMOUNT.test(gross_amount)) return "gross_amount is not a decimal string";
  if (!isText(signature_key)) return "signature_key is not a string that can be used";
  if (!isText(transaction_status)) return "transaction_status is not a string that can be used";
  if (transaction_id !== undefined && !isText(transaction_id)) return "transaction_id is not a string that can be used";
  return { order_id, status_code, gross_amount, signature_key, transaction_status, transaction_id, fraud_status, refunds, refund_amount };
}

/** Repetitions share it, the two notifications of one refund do not (midtrans.md §11.4). */
function eventKey(fields: Fields): string {
  const key = `${fields.transaction_id ?? fields.order_id}:${fields.transaction_status}:${fields.status_code}`;
  if (!Array.isArray(fields.refunds)) return key;
  const confirmed = fields.refunds.filter((refund: unknown) => typeof refund === "object" && refund !== null && "bank_confirmed_at" in refund);
  return `${key}:${fields.refunds.length}:${confirmed.length}`;
}

/** An amount of theirs in minor units; nothing of it is signed, and what cannot be read says nothing. */
function minorOf(amount: unknown): bigint {
  if (typeof amount !== "string" && typeof amount !== "number") return 0n;
  const read = parseAmount(amount, "IDR");
  return read.ok && read.money.minor > 0n ? read.money.minor : 0n;
}

/** What it says of refunds is all that there have been so far: two refunds in parts have the same status (midtrans.md §11.4). */
function refundsOf({ refunds, refund_amount }: Fields): Pick<Hint, "refunded" | "confirmed"> {
  const list: unknown[] = Array.isArray(refunds) ? refunds : [];
  let confirmed = 0n;
  for (const one of list) {
    if (typeof one !== "object" || one === null) continue;
    const refund = one as Record<string, unknown>;
    // Without a name of its own it cannot be found again among ours.
    const named = refund["refund_key"] ?? refund["refund_chargeback_uuid"] ?? refund["refund_chargeback_id"];
    if (refund["bank_confirmed_at"] && named) confirmed += minorOf(refund["refund_amount"]);
  }
  const refunded = minorOf(refund_amount);
  return { ...(refunded > 0n ? { refunded } : {}), ...(confirmed > 0n ? { confirmed } : {}) };
}

function hintOf(fields: Fields): Hint {
  const { transaction_status, transaction_id, fraud_status, status_code } = fields;
  const fraud = fraud_status ?? undefined;
  const observation = fraud === undefined || typeof fraud === "string" ? observationOf(transaction_status, fraud, status_code) : undefined;
  return {
    provider_status: transaction_status,
    ...(observation ? { observation } : {}),
    ...(transaction_id ? { provider_id: transaction_id } : {}),
    ...refundsOf(fields),
    ...(NOTICES.includes(transaction_status) ? { notice: transaction_status } : {}),
  };
}

function verdictOf(fields: Fields, credentials: readonly MidtransConfig[]): Verification {
  // Several keys overlap while one replaces another; which of them matched is no secret.
  for (let index = 0; index < credentials.length; index += 1) {
    if (verify(fields, fields.signature_key, credentials[index]!.server_key)) return { verdict: "weak", credential_index: index };
  }
  return { verdict: "forged" };
}

/** Reads a notification (midtrans.md §11.2). Never throws, whatever the bytes. */
function read(raw: RawCallback): CallbackReading<MidtransConfig> {
  const parsed = parseStrict(raw.body);
  if (!parsed.ok) return { readable: false, problem: parsed.problem };
  const fields = fieldsOf(parsed.value);
  if (typeof fields === "string") return { readable: false, problem: fields };
  return {
    readable: true,
    subject: { kind: "payment", reference: fields.order_id, ...(fields.transaction_id ? { provider_id: fields.transaction_id } : {}) },
    event_key: eventKey(fields),
    verify: (credentials) => verdictOf(fields, credentials),
    translate: () => hintOf(fields),
  };
}

/** 503 is retried four times and 500 once; a redirect loses the notification for good (midtrans.md §11.4). */
const STATUS_OF: Readonly<Record<CallbackOutcome, number>> = {
  stored: 200,
  repeated: 200,
  forged: 403,
  unreadable: 400,
  storage_down: 503,
  unknown_account: 404,
  too_large: 413,
};

export const callbacks: Callbacks<MidtransConfig> = {
  read,
  reply(outcome) {
    const status = STATUS_OF[outcome];
    return { status, body: JSON.stringify({ status: status === 200 ? "ok" : outcome }), content_type: "application/json" };
  },
  proof_covers: "order_id, status_code, gross_amount",
};
