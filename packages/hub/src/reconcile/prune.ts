import { firstIdAt, HOUR_MS, MINUTE_MS } from "@lunas/domain";
import { type RawBuilder, sql } from "kysely";
import type { Hub } from "../hub.ts";
import type { Job } from "../store/jobs.ts";
import { FIRST_WITHIN_MS } from "../deliver/attempts.ts";
import { RETENTION } from "../retention.ts";
import { ROUTE, type Tx } from "../store/index.ts";

/** Rows of one transaction: nobody else writes meanwhile. */
const BATCH = 1_000;
/** Transactions of one run for each kind of row. What is left then is done a little later, between others' work. */
const BATCHES_MAX = 20;

/** Deletes raw bodies, forged notifications, attempts and idempotency keys that are past their time, a batch at once. Facts about money stay. */
export async function prune(hub: Hub, _job: Job, batches_max: number = BATCHES_MAX): Promise<{ due_at: number }> {
  const now = hub.clocks.business.now();
  let rows = 0;
  let left = false;
  for (const work of [...deletions(now).map(deletes), (tx: Tx) => clearFirstAttempts(tx, now)]) {
    for (let batch = 0; ; batch += 1) {
      const count = await hub.store.write(work);
      rows += count;
      if (count < BATCH) break;
      left ||= batch + 1 >= batches_max;
      if (batch + 1 >= batches_max) break;
    }
  }
  if (rows > 0) hub.log.info({ rows }, "pruned what is past its time");
  return { due_at: now + (left ? MINUTE_MS : 6 * HOUR_MS) };
}

function deletes(deletion: RawBuilder<unknown>) {
  return async (tx: Tx): Promise<number> => Number((await deletion.execute(tx)).numAffectedRows ?? 0n);
}

/** Where the clearing of first attempts has come to: the rows of all deliveries before this one are clear, and none of them is written to again. */
const CLEARED = "first_attempts_cleared";

/** A first attempt lies in its delivery's row, which stays: its columns are emptied. */
async function clearFirstAttempts(tx: Tx, now: number): Promise<number> {
  const until = firstIdAt("delivery", now - RETENTION.attempts_ms - FIRST_WITHIN_MS);
  const cleared = await tx.selectFrom("meta").select("value").where("name", "=", CLEARED).executeTakeFirst();
  const from = cleared?.value ?? "";
  const range = tx.selectFrom("deliveries").select("id").where("id", ">", from).where("id", "<", until).orderBy("id").limit(BATCH);
  const rows = await range.execute();
  const last = rows.at(-1)?.id;
  if (last === undefined) return 0;
  const empty = { first_trigger: null, first_at: null, first_elapsed_ms: null, first_status: null, first_fault: null, first_body: null };
  await tx.updateTable("deliveries").set(empty).where("id", ">", from).where("id", "<=", last).where("first_at", "is not", null).execute();
  await tx
    .insertInto("meta")
    .values({ name: CLEARED, value: last })
    .onConflict((conflict) => conflict.column("name").doUpdateSet({ value: last }))
    .execute();
  return rows.length;
}

/** One batch each. Every one of them reads about as many rows as it deletes; the routes stand in the text, as in the indexes that hold only these. */
export function deletions(now: number) {
  const attempts_before = now - RETENTION.attempts_ms;
  return [
    sql`DELETE FROM notifications WHERE seq IN (SELECT seq FROM notifications WHERE route = ${sql.lit(ROUTE.quarantined)}
        AND last_received_at < ${now - RETENTION.quarantine_ms} ORDER BY account_id, seq LIMIT ${BATCH})`,
    // What is parked may turn out to be money: its bytes stay.
    sql`DELETE FROM notification_batches WHERE id IN (SELECT id FROM notification_batches WHERE keep_until < ${now}
        AND id NOT IN (SELECT batch FROM notifications WHERE route = ${sql.lit(ROUTE.parked)} AND batch IS NOT NULL) ORDER BY keep_until LIMIT ${BATCH})`,
    sql`DELETE FROM idempotency WHERE scope IN (SELECT scope FROM idempotency WHERE created_at < ${now - RETENTION.idempotency_ms} LIMIT ${BATCH})`,
    // Ids of deliveries sort by time, and nothing is tried before it is there: a range of the primary key instead of the whole table.
    sql`DELETE FROM attempts WHERE (delivery_id, id) IN (SELECT delivery_id, id FROM attempts WHERE delivery_id < ${firstIdAt("delivery", attempts_before)}
        AND started_at < ${attempts_before} ORDER BY delivery_id, id LIMIT ${BATCH})`,
  ];
}
