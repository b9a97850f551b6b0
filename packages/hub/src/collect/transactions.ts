import {
  COLLECTED_STATUSES,
  type OtherTransaction,
  type PaymentAnswer,
  type PaymentEvidence,
  type PaymentObservation,
  type PaymentStatus,
} from "@lunas/domain";
import type { Selectable } from "kysely";
import type { Db, PaymentTransactionsTable, Tx } from "../store/index.ts";
import { type Claim, claimIsOpen, type Known, knownOf, readClaim } from "./claims.ts";
import type { PaymentRow, RefundRow } from "./rows.ts";

/*
 * One reference may own several transactions at its gateway: a buyer tries again on a hosted page after a denial, or an order_id was freed and
 * used again. A payment stands for one of them, its `provider_id`; every other one that was ever seen is kept here and asked about too, because
 * each of them can still be paid.
 */

export type TransactionRow = Selectable<PaymentTransactionsTable>;

/** The row of notifications that name no transaction. */
export const UNNAMED = "";

export function readTransactions(db: Db | Tx, payment_ids: readonly string[]): Promise<TransactionRow[]> {
  return db
    .selectFrom("payment_transactions")
    .selectAll()
    .where("payment_id", "in", [...payment_ids])
    .orderBy("seen_at")
    .orderBy("provider_id")
    .execute();
}

/** Whether this id, of a notification or an answer, is the transaction that the payment stands for. */
export function isOwn(payment: Pick<PaymentRow, "provider_id">, provider_id: string | null | undefined): boolean {
  return !provider_id || provider_id === payment.provider_id;
}

/** What we know of the transaction of a row, or of one that was never seen. */
export function knownOfRow(payment: PaymentRow, refunds: readonly RefundRow[], provider_id: string, row: TransactionRow | undefined): Known {
  if (isOwn(payment, provider_id)) return knownOf(payment, refunds);
  return { status: row?.status ?? "submitted" };
}

export interface OpenClaim {
  readonly provider_id: string;
  readonly claim: Claim;
}

/** What verified notifications say of a payment's transactions and no answer has said yet. */
export function openClaims(payment: PaymentRow, refunds: readonly RefundRow[], rows: readonly TransactionRow[]): OpenClaim[] {
  return rows.flatMap((row) => {
    const claim = readClaim(row.claim);
    return claim && claimIsOpen(knownOfRow(payment, refunds, row.provider_id, row), claim) ? [{ provider_id: row.provider_id, claim }] : [];
  });
}

/** The others that a question asks about too: those of which a notification claims something first, then those that were asked about longest ago. */
export function idsToAsk(payment: PaymentRow, rows: readonly TransactionRow[]): string[] {
  const urgency = (row: TransactionRow): number => (row.claim === null ? (row.asked_at ?? 0) : -1);
  return rows
    .filter((row) => !isOwn(payment, row.provider_id) && (row.absent === 0 || row.claim !== null))
    .toSorted((a, b) => urgency(a) - urgency(b))
    .map((row) => row.provider_id);
}

const HOLDING: readonly PaymentObservation[] = ["paid", "partially_refunded"];

/** Whether there is money in it now. */
export function holdsMoney(evidence: PaymentEvidence): boolean {
  return HOLDING.includes(evidence.status);
}

/** Statuses in which a payment's money is its own transaction's, whatever another one says. */
function isBound(status: PaymentStatus): boolean {
  return COLLECTED_STATUSES.includes(status) && status !== "reversed";
}

export interface Chosen {
  readonly evidence: PaymentEvidence;
  readonly others: readonly OtherTransaction[];
}

/**
 * Which of an answer's transactions the payment stands for. While it has money, its own. Otherwise one that has money, where there is one, or
 * has it reserved; and otherwise whichever the gateway names first.
 * @param refunded whether refunds of it were made or begun: they are of its own transaction, so another one never takes its place.
 */
export function chooseTransaction(payment: PaymentRow, answer: PaymentAnswer, refunded: boolean): Chosen {
  const { evidence, others = [] } = answer;
  const all = [evidence, ...others.flatMap((other) => other.evidence ?? [])];
  const own = all.find((one) => payment.provider_id !== null && one.provider_id === payment.provider_id);
  const paid = (own && holdsMoney(own) ? own : undefined) ?? all.find(holdsMoney);
  const chosen = choose();
  const rest = all.filter((one) => one !== chosen && one.provider_id !== undefined);
  const absent = others.filter((other) => other.evidence === undefined);
  return { evidence: chosen, others: [...rest.map((one) => ({ provider_id: one.provider_id!, evidence: one })), ...absent] };

  function choose(): PaymentEvidence {
    if (isBound(payment.status)) return own ?? evidence;
    if (payment.status === "reversed") return (refunded ? undefined : paid) ?? own ?? evidence;
    return paid ?? all.find((one) => one.status === "authorized") ?? evidence;
  }
}

/**
 * Keeps what an answer said of a payment's transactions, the one included that it stood for until now, and lets go of claims that are confirmed.
 * @param before the payment before the answer. @param refunds as they are after it.
 */
export async function keepTransactions(
  tx: Tx,
  before: PaymentRow,
  after: PaymentRow,
  refunds: readonly RefundRow[],
  others: readonly OtherTransaction[],
  asked_at: number,
): Promise<void> {
  const rows = new Map((await readTransactions(tx, [after.id])).map((row) => [row.provider_id, row]));
  const found = new Map(others.map((other) => [other.provider_id, other]));
  const left = before.provider_id !== null && before.provider_id !== after.provider_id && !found.has(before.provider_id) ? [before.provider_id] : [];
  for (const provider_id of [...found.keys(), ...left]) {
    const known = rows.get(provider_id);
    const told = found.get(provider_id);
    const status = told ? (told.evidence?.status ?? known?.status ?? null) : null;
    const row: TransactionRow = {
      payment_id: after.id,
      provider_id,
      status,
      absent: told && !told.evidence ? 1 : 0,
      claim: known?.claim ?? null,
      seen_at: known?.seen_at ?? asked_at,
      asked_at: told ? asked_at : (known?.asked_at ?? null),
    };
    const { status: _status, absent, asked_at: asked } = row;
    await tx
      .insertInto("payment_transactions")
      .values(row)
      .onConflict((oc) => oc.columns(["payment_id", "provider_id"]).doUpdateSet({ status, absent, asked_at: asked }))
      .execute();
    rows.set(provider_id, row);
  }
  const open = new Set(openClaims(after, refunds, [...rows.values()]).map((claim) => claim.provider_id));
  for (const row of rows.values()) if (row.claim !== null && !open.has(row.provider_id)) await dropClaim(tx, row);
}

/** Not one that has come meanwhile. */
async function dropClaim(tx: Tx, { payment_id, provider_id, claim }: TransactionRow): Promise<void> {
  await tx
    .updateTable("payment_transactions")
    .set({ claim: null })
    .where("payment_id", "=", payment_id)
    .where("provider_id", "=", provider_id)
    .where("claim", "=", claim)
    .execute();
}

/** What was found under a reference before its payment was known is asked about with it. */
export async function rememberUnmatched(tx: Tx, payment: Pick<PaymentRow, "id" | "account_id" | "reference">, seen_at: number): Promise<void> {
  const found = await tx
    .selectFrom("unmatched_money")
    .select(["provider_id"])
    .where("account_id", "=", payment.account_id)
    .where("reference", "=", payment.reference)
    // Without an id of its own it was found by the reference, and is found by it again.
    .where("provider_id", "!=", payment.reference)
    .execute();
  if (found.length === 0) return;
  await tx
    .insertInto("payment_transactions")
    .values(found.map(({ provider_id }) => ({ payment_id: payment.id, provider_id, status: null, absent: 0, claim: null, seen_at, asked_at: null })))
    .onConflict((oc) => oc.columns(["payment_id", "provider_id"]).doNothing())
    .execute();
}
