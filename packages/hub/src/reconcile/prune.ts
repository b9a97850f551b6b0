import { firstIdAt, HOUR_MS, MINUTE_MS } from "@lunas/domain";
import { sql } from "kysely";
import type { Hub } from "../hub.ts";
import type { Job } from "../store/jobs.ts";
import { RETENTION } from "../retention.ts";
import { ROUTE } from "../store/index.ts";

/** Rows of one transaction: nobody else writes meanwhile. */
const BATCH = 1_000;
/** Transactions of one run for each kind of row. What is left then is done a little later, between others' work. */
const BATCHES_MAX = 20;

/** Deletes raw bodies, forged notifications, attempts and idempotency keys that are past their time, a batch at once. Facts about money stay. */
export async function prune(hub: Hub, _job: Job, batches_max: number = BATCHES_MAX): Promise<{ due_at: number }> {
  const now = hub.clocks.business.now();
  let deleted = 0n;
  let left = false;
  for (const deletion of deletions(now)) {
    for (let batch = 0; ; batch += 1) {
      const { numAffectedRows = 0n } = await hub.store.write((tx) => deletion.execute(tx));
      deleted += numAffectedRows;
      if (numAffectedRows < BigInt(BATCH)) break;
      left ||= batch + 1 >= batches_max;
      if (batch + 1 >= batches_max) break;
    }
  }
  if (deleted > 0n) hub.log.info({ deleted: Number(deleted) }, "pruned what is past its time");
  return { due_at: now + (left ? MINUTE_MS : 6 * HOUR_MS) };
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
