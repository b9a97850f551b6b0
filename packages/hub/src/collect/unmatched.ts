import {
  amountNumber,
  COLLECTED_STATUSES,
  DAY_MS,
  derivedId,
  HOUR_MS,
  isCurrency,
  LIVE_STATUSES,
  MINUTE_MS,
  money,
  type PaymentEvidence,
} from "@lunas/domain";
import type { Selectable } from "kysely";
import { emitEvent, recordTransition } from "./emit.ts";
import type { Hub } from "../hub.ts";
import type { Db, Tx, UnmatchedMoneyTable } from "../store/index.ts";

export type UnmatchedRow = Selectable<UnmatchedMoneyTable>;

/** Questions about money that no payment here has, counted from when it was found: it may be paid back, or taken back. As long as a refund is possible. */
const FOLLOW_MS: readonly number[] = [
  10 * MINUTE_MS,
  HOUR_MS,
  6 * HOUR_MS,
  ...[1, 2, 3, 4, 5, 6, 7, 14, 21, 28, 35, 42, 49].map((days) => days * DAY_MS),
];

/** From when it was found to the last question about it. */
export const FOLLOWED_FOR_MS: number = FOLLOW_MS.at(-1)!;

/** When unmatched money is asked about next, or undefined when nothing more is planned. */
export function nextFollow(row: Pick<UnmatchedRow, "found_at" | "payment_id">, now_ms: number): number | undefined {
  return row.payment_id === null ? FOLLOW_MS.map((ms) => row.found_at + ms).find((at) => at > now_ms) : undefined;
}

/** The money that was found under a reference by this transaction; without an id, the latest where there is more of it. */
export function findUnmatched(db: Db | Tx, account_id: string, reference: string, provider_id: string | null): Promise<UnmatchedRow | undefined> {
  let query = db.selectFrom("unmatched_money").selectAll().where("account_id", "=", account_id).where("reference", "=", reference);
  if (provider_id !== null) query = query.where("provider_id", "=", provider_id);
  return query.orderBy("found_at", "desc").limit(1).executeTakeFirst();
}

/** When the money of other transactions under a payment's reference is asked about next: with the payment, which asks about them all. */
export async function nextFollowElsewhere(
  db: Db | Tx,
  payment: { account_id: string; reference: string },
  now_ms: number,
): Promise<number | undefined> {
  const rows = await db
    .selectFrom("unmatched_money")
    .select(["found_at", "payment_id"])
    .where("account_id", "=", payment.account_id)
    .where("reference", "=", payment.reference)
    .execute();
  const planned = rows.flatMap((row) => nextFollow(row, now_ms) ?? []);
  return planned.length === 0 ? undefined : Math.min(...planned);
}

/** As much of an account as is told. */
export interface MoneyAccount {
  readonly row: { readonly id: string; readonly slug: string };
}

export interface FoundMoney {
  readonly shop_id: string;
  readonly reference: string;
  readonly evidence: PaymentEvidence;
  readonly answer_id: string;
  readonly asked_at: number;
}

/**
 * Writes down what the gateway says of money under a reference that no payment here has, and tells of it when it was found and whenever its
 * state has changed.
 * @returns the row, or undefined where no money was collected.
 */
export async function keepUnmatched(hub: Hub, tx: Tx, account: MoneyAccount, found: FoundMoney): Promise<UnmatchedRow | undefined> {
  const { evidence, reference, asked_at, answer_id } = found;
  const account_id = account.row.id;
  const provider_id = evidence.provider_id ?? reference;
  const known = await tx
    .selectFrom("unmatched_money")
    .selectAll()
    .where("account_id", "=", account_id)
    .where("provider_id", "=", provider_id)
    .executeTakeFirst();
  if (known) return updateUnmatched(hub, tx, account, known, found);
  if (!COLLECTED_STATUSES.includes(evidence.status)) return undefined;
  const row: UnmatchedRow = {
    // The same after a restore, so that the same money is told under the same event.
    id: derivedId("money", account_id, provider_id),
    shop_id: found.shop_id,
    account_id,
    reference,
    provider_id,
    amount: evidence.amount ?? null,
    currency: evidence.currency,
    status: evidence.status,
    refunded: evidence.refunded ?? null,
    answer_id,
    payment_id: null,
    found_at: asked_at,
    asked_at,
    matched_at: null,
  };
  await tx.insertInto("unmatched_money").values(row).execute();
  await tellUnmatched(hub, tx, account, row);
  hub.metrics.count("lunas_unmatched_money_total");
  return row;
}

async function updateUnmatched(hub: Hub, tx: Tx, account: MoneyAccount, known: UnmatchedRow, found: FoundMoney): Promise<UnmatchedRow> {
  const { evidence, asked_at, answer_id } = found;
  // An answer from before the money: it lags.
  if (LIVE_STATUSES.includes(evidence.status)) return known;
  const refunded = evidence.refunded ?? known.refunded;
  const row: UnmatchedRow = { ...known, status: evidence.status, amount: evidence.amount ?? known.amount, refunded, answer_id, asked_at };
  const { status, amount } = row;
  await tx.updateTable("unmatched_money").set({ status, amount, refunded, answer_id, asked_at }).where("id", "=", known.id).execute();
  if (status === known.status && refunded === known.refunded) return row;
  await recordTransition(hub, tx, {
    shop_id: known.shop_id,
    subject: { type: "money", id: known.id },
    from: known.status,
    to: status,
    flags: [],
    cause: "poll",
    answer_id,
  });
  await tellUnmatched(hub, tx, account, row);
  return row;
}

/** The event of money that no payment here has, as it stands. */
export async function tellUnmatched(hub: Hub, tx: Tx, account: MoneyAccount, row: UnmatchedRow): Promise<void> {
  const { currency } = row;
  const number = (minor: bigint | null) => (minor !== null && isCurrency(currency) ? amountNumber(money(minor, currency)) : null);
  await emitEvent(hub, tx, {
    shop_id: row.shop_id,
    type: "money.unmatched",
    subject: { type: "money", id: row.id },
    data: {
      account: account.row.slug,
      provider_reference: row.reference,
      provider_id: row.provider_id === row.reference ? null : row.provider_id,
      amount: number(row.amount),
      amount_refunded: number(row.refunded),
      currency,
      status: row.status,
    },
  });
}
