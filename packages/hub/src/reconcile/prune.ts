import { HOUR_MS } from "@lunas/domain";
import { sql } from "kysely";
import type { Hub } from "../hub.ts";
import type { Job } from "../store/jobs.ts";
import { RETENTION } from "../retention.ts";
import { ROUTE } from "../store/index.ts";

const BATCH = 1_000;

/** Deletes raw bodies, forged notifications, attempts and idempotency keys that are past their time, a batch at once. Facts about money stay. */
export async function prune(hub: Hub, _job: Job): Promise<{ due_at: number }> {
  const now = hub.clocks.business.now();
  const deletions = [
    sql`DELETE FROM notifications WHERE seq IN (SELECT seq FROM notifications WHERE route = ${ROUTE.quarantined}
        AND last_received_at < ${now - RETENTION.forged_ms} ORDER BY seq LIMIT ${BATCH})`,
    // What is parked may turn out to be money: its bytes stay.
    sql`DELETE FROM notification_batches WHERE id IN (SELECT id FROM notification_batches WHERE keep_until < ${now}
        AND id NOT IN (SELECT batch FROM notifications WHERE route = ${ROUTE.parked} AND batch IS NOT NULL) ORDER BY keep_until LIMIT ${BATCH})`,
    sql`DELETE FROM idempotency WHERE scope IN (SELECT scope FROM idempotency WHERE created_at < ${now - RETENTION.idempotency_ms} LIMIT ${BATCH})`,
    sql`DELETE FROM attempts WHERE id IN (SELECT id FROM attempts WHERE started_at < ${now - RETENTION.attempts_ms} LIMIT ${BATCH})`,
  ];
  let deleted = 0n;
  for (const deletion of deletions) {
    for (;;) {
      const { numAffectedRows = 0n } = await hub.store.write((tx) => deletion.execute(tx));
      deleted += numAffectedRows;
      if (numAffectedRows < BigInt(BATCH)) break;
    }
  }
  if (deleted > 0n) hub.log.info({ deleted: Number(deleted) }, "pruned what is past its time");
  return { due_at: now + 6 * HOUR_MS };
}
