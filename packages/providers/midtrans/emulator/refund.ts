import type { EmulatorRequest, EmulatorResponse } from "@lunas/domain";
import { DAY_MS } from "@lunas/domain";
import { commonFields } from "./bodies.ts";
import type { Context } from "./context.ts";
import { coreError, isObject, json, readBody, unknownTransaction, uuid } from "./context.ts";
import { findTransaction, move, saveTransaction } from "./ledger.ts";
import { notify } from "./notify.ts";
import type { Merchant, StoredRefund, StoredTransaction } from "./transaction.ts";
import { refundedAmount, rupiah } from "./transaction.ts";

/** GoPay, and QRIS on us and off us (midtrans.md §6). What comes later is answered like any state that does not allow it. */
const REFUND_WINDOW_MS = { own_wallet: 45 * DAY_MS, off_us: 7 * DAY_MS } as const;
const REFUND_KEY = /^[A-Za-z0-9\-_]{1,255}$/;

export interface RefundWish {
  readonly key?: string;
  readonly amount?: number;
  readonly reason?: string;
  readonly origin: "api" | "dashboard";
  readonly direct: boolean;
}

export type RefundResult =
  | { readonly ok: true; readonly transaction: StoredTransaction; readonly refund: StoredRefund }
  | { readonly ok: false; readonly code: 406 | 412 | 414 };

function refundWindowMs({ payment_type, on_us = false }: StoredTransaction): number {
  return payment_type === "qris" && !on_us ? REFUND_WINDOW_MS.off_us : REFUND_WINDOW_MS.own_wallet;
}

function keyIsTaken(context: Context, merchant_id: string, key: string): boolean {
  return context.world.store.get("refund-key", `${merchant_id} ${key}`) !== undefined;
}

/** Gives money back, if the state and the amount allow it. Two notifications follow: accepted now, confirmed when the bank has (midtrans.md §11.2). */
export function makeRefund(context: Context, transaction: StoredTransaction, wish: RefundWish): RefundResult {
  const now = context.world.business.now();
  const refundable = transaction.status === "settlement" || transaction.status === "partial_refund";
  const in_time = wish.origin === "dashboard" || now - (transaction.settled_at ?? now) <= refundWindowMs(transaction);
  if (!refundable || !in_time) return { ok: false, code: 412 };
  const key = wish.key ?? `${wish.origin === "dashboard" ? "dashboard" : "reference"}-${uuid(context)}`;
  if (keyIsTaken(context, transaction.merchant_id, key)) return { ok: false, code: 406 };
  const left = transaction.collected - refundedAmount(transaction);
  const amount = wish.amount ?? left;
  if (!Number.isInteger(amount) || amount <= 0 || amount > left) return { ok: false, code: 414 };

  const refund: StoredRefund = {
    id: 1 + Math.floor(context.world.random.float() * 2_000_000_000),
    uuid: uuid(context),
    amount,
    key,
    created_at: now,
    origin: wish.origin,
    method: wish.direct ? "online" : "offline",
    ...(wish.reason === undefined ? {} : { reason: wish.reason }),
  };
  const moved = context.world.store.transaction(() => {
    context.world.store.insert("refund-key", `${transaction.merchant_id} ${key}`, { transaction_id: transaction.transaction_id });
    const accepted = move(context, transaction, amount === left ? "refund_rest" : "refund_part", {
      changes: { refunds: [...transaction.refunds, refund] },
    })!;
    // One act: whoever is told the state before it is told neither half.
    return wish.direct ? confirmRefunds(context, accepted, Infinity, accepted.before) : accepted;
  });
  return { ok: true, transaction: moved, refund };
}

/**
 * The bank confirms the refunds that wait for it: the second notification of each. Only those made until `created_until`.
 * @param before what a lagging status answer tells instead; the transaction as it stands when absent.
 */
export function confirmRefunds(
  context: Context,
  transaction: StoredTransaction,
  created_until = Infinity,
  before?: StoredTransaction["before"],
): StoredTransaction {
  const now = context.world.business.now();
  const { before: _, ...unconfirmed } = transaction;
  let current = transaction;
  for (const waiting of transaction.refunds) {
    if (waiting.bank_confirmed_at !== undefined || waiting.created_at > created_until) continue;
    const refunds = current.refunds.map((refund) => (refund.uuid === waiting.uuid ? { ...refund, bank_confirmed_at: now } : refund));
    current = { ...current, refunds, changed_at: now, before: before ?? unconfirmed };
    saveTransaction(context, current);
    notify(context, current);
  }
  return current;
}

const REFUSALS = {
  406: "Duplicate refund ID",
  412: "Merchant cannot modify the status of the transaction",
  414: "Refund request is rejected due to invalid amount",
} as const;

function readWish(request: EmulatorRequest, direct: boolean): RefundWish | readonly string[] {
  const read = readBody(request);
  if (read.kind === "malformed") return ["the body is not JSON"];
  const body = read.kind === "value" && isObject(read.value) ? read.value : {};
  const { refund_key, amount, reason } = body;
  const problems: string[] = [];
  if (refund_key !== undefined && refund_key !== null && !(typeof refund_key === "string" && REFUND_KEY.test(refund_key)))
    problems.push("refund_key may only have letters, digits, - and _");
  if (amount !== undefined && amount !== null && !Number.isFinite(Number(amount))) problems.push("amount is not a number");
  if (typeof reason === "string" && [...reason].length > 255) problems.push("reason must be at most 255 characters");
  if (problems.length > 0) return problems;
  return {
    origin: "api",
    direct,
    ...(typeof refund_key === "string" ? { key: refund_key } : {}),
    ...(amount === undefined || amount === null ? {} : { amount: Number(amount) }),
    ...(typeof reason === "string" ? { reason } : {}),
  };
}

/** POST /v2/{id}/refund and /refund/online/direct (midtrans.md §6). Bank transfers have no such call. */
export function refund(context: Context, request: EmulatorRequest, merchant: Merchant, id: string, direct: boolean): EmulatorResponse {
  const transaction = findTransaction(context, merchant, id);
  if (!transaction) return unknownTransaction(context);
  const wish = readWish(request, direct);
  if (!("origin" in wish))
    return coreError(context, 400, "One or more parameters in the payload is invalid.", { validation_messages: wish, id: uuid(context) });
  if (transaction.payment_type === "bank_transfer") return coreError(context, 412, REFUSALS[412], {}, transaction);
  const refundable = transaction.status === "settlement" || transaction.status === "partial_refund";
  if (direct && refundable && context.switches.direct_refund_denied) {
    return json(
      200,
      { status_code: "202", status_message: "Refund denied by the bank", ...commonFields(transaction), refund_amount: "0.00", refund_key: wish.key },
      transaction,
    );
  }
  const result = makeRefund(context, transaction, wish);
  if (!result.ok) return coreError(context, result.code, REFUSALS[result.code], {}, transaction);
  const { refund: made, transaction: after } = result;
  return json(
    200,
    {
      status_code: "200",
      status_message: direct ? "Success, refund request is approved by the bank" : "Success, refund request is approved",
      ...commonFields(after),
      refund_chargeback_id: made.id,
      refund_chargeback_uuid: made.uuid,
      refund_amount: rupiah(context.switches.refund_answer_cumulative ? refundedAmount(after) : made.amount),
      refund_key: made.key,
    },
    after,
  );
}
