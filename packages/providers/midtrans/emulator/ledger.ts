import type { LedgerEntry } from "@lunas/domain";
import { decide, rfc3339 } from "@lunas/domain";
import type { Context } from "./context.ts";
import type { EmulatedInput } from "./machine.ts";
import { FREES_ORDER_ID, transactionMachine } from "./machine.ts";
import { notify } from "./notify.ts";
import type { Merchant, StoredTransaction } from "./transaction.ts";
import { refundedAmount } from "./transaction.ts";

const KIND = "transaction";

/** The keys under which a transaction is found. */
function keysOf(transaction: StoredTransaction): string[] {
  const { merchant_id, order_id, transaction_id, reference, qr_string, va_number } = transaction;
  return [
    `order ${merchant_id} ${order_id}`,
    `any ${order_id}`,
    `any ${transaction_id}`,
    `any ${reference}`,
    `any ${qr_string}`,
    ...(va_number ? [`any ${va_number}`] : []),
  ];
}

export function insertTransaction(context: Context, transaction: StoredTransaction): void {
  context.world.store.insert(KIND, transaction.transaction_id, transaction, { keys: keysOf(transaction), due_at: transaction.expires_at });
  notify(context, transaction);
}

/** Due again while it can expire, or while a refund waits for its bank. */
export function saveTransaction(context: Context, transaction: StoredTransaction): void {
  const { refund_confirm_delay_s } = context.switches;
  const waiting = transaction.refunds.filter((refund) => refund.bank_confirmed_at === undefined).map((refund) => refund.created_at);
  const confirm_at = waiting.length > 0 && refund_confirm_delay_s >= 0 ? Math.min(...waiting) + refund_confirm_delay_s * 1_000 : undefined;
  context.world.store.update(KIND, transaction.transaction_id, transaction, {
    due_at: transaction.status === "pending" ? transaction.expires_at : confirm_at,
  });
}

/** Expiry is decided by the business clock at every look, so that no timer's delay can be seen. */
function fresh(context: Context, transaction: StoredTransaction | undefined): StoredTransaction | undefined {
  if (transaction?.status !== "pending" || transaction.expires_at > context.world.business.now()) return transaction;
  return move(context, transaction, "expire") ?? transaction;
}

/** By order id or transaction id, of this merchant. The newest of an order id that was used again answers (midtrans.md §6). */
export function findTransaction(context: Context, merchant: Merchant, id: string): StoredTransaction | undefined {
  const { store } = context.world;
  const by_id = store.get<StoredTransaction>(KIND, id);
  const found =
    by_id?.merchant_id === merchant.merchant_id ? by_id : store.withKey<StoredTransaction>(KIND, `order ${merchant.merchant_id} ${id}`)[0];
  return fresh(context, found);
}

/** By anything that a payer or a person may hold: either id, the wallet's reference, the QR's text or picture address, a VA number. */
export function lookUp(context: Context, text: string): StoredTransaction | undefined {
  const handle = text.trim();
  const in_url = /\/v2\/(?:gopay|qris)\/([^/?]+)\/qr-code|\/v4\/qris\/(?:gopay|shopeepay)\/([^/?]+)\/qr-code|[?&]referenceid=([^&]+)/.exec(handle);
  const key = in_url?.slice(1).find((found) => found !== undefined) ?? handle;
  return fresh(context, context.world.store.withKey<StoredTransaction>(KIND, `any ${key}`)[0]);
}

export function recentTransactions(context: Context, limit: number): StoredTransaction[] {
  return context.world.store.recent<StoredTransaction>(KIND, limit).map((transaction) => fresh(context, transaction)!);
}

/** Whether this order id may be charged: never used, or its newest use was closed without money. */
export function orderIdIsFree(context: Context, merchant: Merchant, order_id: string): boolean {
  const newest = fresh(context, context.world.store.withKey<StoredTransaction>(KIND, `order ${merchant.merchant_id} ${order_id}`)[0]);
  return newest === undefined || FREES_ORDER_ID.includes(newest.status);
}

export interface MoveOptions {
  readonly changes?: Partial<StoredTransaction>;
  readonly silent?: boolean;
}

/** Takes an input: the new transaction, saved and notified, or undefined where the state does not allow it. */
export function move(
  context: Context,
  transaction: StoredTransaction,
  input: EmulatedInput,
  { changes = {}, silent = false }: MoveOptions = {},
): StoredTransaction | undefined {
  const decision = decide(transactionMachine, transaction.status, input);
  if (decision === "stale") return undefined;
  const { before: _, ...now } = transaction;
  const status = decision === "same" ? transaction.status : decision.to;
  const moved: StoredTransaction = { ...now, ...changes, status, changed_at: context.world.business.now(), before: now };
  context.world.store.transaction(() => {
    saveTransaction(context, moved);
    if (!silent) notify(context, moved);
  });
  return moved;
}

/** Everything that is due by the business clock. */
export function dueTransactions(context: Context): StoredTransaction[] {
  return context.world.store.due<StoredTransaction>(KIND, context.world.business.now());
}

export function expireIfDue(context: Context, transaction: StoredTransaction): void {
  fresh(context, transaction);
}

/** What each transaction came to, oldest first. */
export function ledgerEntries(context: Context): LedgerEntry[] {
  return context.world.store.all<StoredTransaction>(KIND).map((transaction) => ({
    provider: "midtrans",
    order_id: transaction.order_id,
    transaction_id: transaction.transaction_id,
    status: transaction.status,
    payment_type: transaction.payment_type,
    gross_amount: transaction.gross_amount,
    collected: transaction.collected,
    refunded: refundedAmount(transaction),
    reversed: transaction.reversed,
    refunds: transaction.refunds.map((refund) => ({
      key: refund.key,
      amount: refund.amount,
      confirmed: refund.bank_confirmed_at !== undefined,
      origin: refund.origin,
      created_at: rfc3339(refund.created_at),
    })),
    created_at: rfc3339(transaction.created_at),
    updated_at: rfc3339(transaction.changed_at),
  }));
}
