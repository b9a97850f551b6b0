import { DAY_MS } from "@lunas/domain";
import { type RawBuilder, sql } from "kysely";
import { plannedPoll } from "../collect/planned-poll.ts";
import type { PaymentRow } from "../collect/rows.ts";
import { FOLLOWED_FOR_MS } from "../collect/unmatched.ts";
import type { Hub } from "../hub.ts";
import { parkedSubject } from "../ingest/parked.ts";
import { type JobRequest, PRIORITY } from "../store/jobs.ts";
import { type Db, ROUTE } from "../store/index.ts";

/** The longest time after the end of a payment, and after it was paid, at which a question is planned. */
const CLOSED_POLLS_MS = 3 * DAY_MS;
const PAID_POLLS_MS = 1 * DAY_MS;

/**
 * Unfinished work that nobody is going to look at: it has no job. Each question reads an index that holds only what is unfinished; its words stand in
 * the statement as they do in the index, or SQLite would not use it.
 */
export async function findLost(hub: Hub, now: number): Promise<JobRequest[]> {
  return hub.store.read(async (db) => [
    ...(await payments(hub, db, now)),
    ...(await refunds(db, now)),
    ...(await orders(db, now)),
    ...(await parked(db, now)),
    ...(await housekeeping(db, now)),
  ]);
}

const jobless = (kind: string, subject: RawBuilder<unknown>): RawBuilder<unknown> =>
  sql`NOT EXISTS (SELECT 1 FROM jobs WHERE jobs.key = ${sql.lit(`${kind}:`)} || ${subject})`;

async function payments(hub: Hub, db: Db, now: number): Promise<JobRequest[]> {
  const lost = jobless("payment", sql`payments.id`);
  const live = await sql<{ id: string; account_id: string }>`SELECT id, account_id FROM payments
    WHERE status IN ('created', 'submitted', 'pending', 'authorized') AND ${lost}`.execute(db);
  // Money may come late, and what was paid may be taken back: as long as a question is planned.
  const over = await sql<PaymentRow>`SELECT * FROM payments WHERE status IN ('failed', 'expired', 'canceled')
    AND expires_at > ${now - CLOSED_POLLS_MS} AND ${lost}`.execute(db);
  const paid = await sql<PaymentRow>`SELECT * FROM payments WHERE paid_at > ${now - PAID_POLLS_MS} AND ${lost}`.execute(db);
  // Money of other transactions under a payment's reference is asked about with the payment.
  const elsewhere = await sql<{ id: string; account_id: string }>`SELECT payments.id, payments.account_id FROM unmatched_money AS money
    JOIN payments ON payments.account_id = money.account_id AND payments.reference = money.reference
    WHERE money.payment_id IS NULL AND money.found_at > ${now - FOLLOWED_FOR_MS} AND ${lost}`.execute(db);
  // A verified notification said something that no answer has confirmed yet, however long ago the payment was done with.
  const claimed = await sql<{ id: string; account_id: string }>`SELECT payments.id, payments.account_id FROM payment_transactions AS told
    JOIN payments ON payments.id = told.payment_id WHERE told.claim IS NOT NULL AND ${lost}`.execute(db);
  const planned = [...over.rows, ...paid.rows].filter((payment) => plannedPoll(hub, payment, now) !== undefined);
  const found = new Map([...live.rows, ...elsewhere.rows, ...claimed.rows, ...planned].map(({ id, account_id }) => [id, account_id]));
  return [...found].map(([subject_id, account_id]) => ({ kind: "payment", subject_id, account_id, due_at: now, priority: PRIORITY.poll }));
}

/** Those that were made in the gateway's dashboard too: they are only asked about. */
async function refunds(db: Db, now: number): Promise<JobRequest[]> {
  const { rows } = await sql<{ id: string; account_id: string }>`SELECT refunds.id, payments.account_id FROM refunds
    JOIN payments ON payments.id = refunds.payment_id
    WHERE refunds.status IN ('created', 'submitted', 'unknown') AND ${jobless("refund", sql`refunds.id`)}`.execute(db);
  return rows.map(({ id, account_id }) => ({ kind: "refund", subject_id: id, account_id, due_at: now, priority: PRIORITY.poll }));
}

/** Orders that their own time has yet to close. One that holds money is never closed by it. */
async function orders(db: Db, now: number): Promise<JobRequest[]> {
  const { rows } = await sql<{ id: string; expires_at: number }>`SELECT id, expires_at FROM orders
    WHERE closed IS NULL AND payment_status IN ('unpaid', 'pending', 'failed', 'expired', 'canceled')
      AND ${jobless("order.expire", sql`orders.id`)}`.execute(db);
  return rows.map(({ id, expires_at }) => ({
    kind: "order.expire",
    subject_id: id,
    due_at: Math.max(now, expires_at),
    priority: PRIORITY.poll,
  }));
}

/** Notifications whose subject nobody knows, unless it is known to be money and was followed to the end. */
async function parked(db: Db, now: number): Promise<JobRequest[]> {
  const { rows } = await sql<{ account_id: string; reference: string; provider_id: string | null; shop_id: string }>`
    SELECT account_id, reference, provider_id, MIN(shop_id) AS shop_id FROM notifications
    WHERE route = ${sql.lit(ROUTE.parked)} AND ${jobless("parked", sql`account_id || '/' || reference || '/' || COALESCE(provider_id, '')`)}
      AND NOT EXISTS (SELECT 1 FROM unmatched_money AS money WHERE money.account_id = notifications.account_id
        AND money.reference = notifications.reference AND (notifications.provider_id IS NULL OR money.provider_id = notifications.provider_id)
        AND money.payment_id IS NULL AND money.found_at <= ${now - FOLLOWED_FOR_MS})
    GROUP BY account_id, reference, provider_id`.execute(db);
  return rows.map(({ account_id, reference, provider_id, shop_id }) => ({
    kind: "parked",
    subject_id: parkedSubject({ account_id, reference, provider_id }),
    account_id,
    due_at: now,
    priority: PRIORITY.unverified,
    payload: { reference, provider_id, shop_id, each: true },
  }));
}

async function housekeeping(db: Db, now: number): Promise<JobRequest[]> {
  const kinds = ["sweep", "prune"];
  const there = await db
    .selectFrom("jobs")
    .select("key")
    .where(
      "key",
      "in",
      kinds.map((kind) => `${kind}:all`),
    )
    .execute();
  return kinds
    .filter((kind) => !there.some(({ key }) => key === `${kind}:all`))
    .map((kind) => ({ kind, subject_id: "all", due_at: now, priority: PRIORITY.unverified }));
}
