import { HOUR_MS, LIVE_STATUSES } from "@lunas/domain";
import { sql } from "kysely";
import type { Hub } from "../hub.ts";
import { armJob, type Job, PRIORITY } from "../store/jobs.ts";

const PAGE = 500;

/**
 * Nothing that is not final is forgotten: whatever lacks its job gets one. Runs every hour, and finds nothing unless
 * something went wrong elsewhere, which is why it is worth running.
 */
export async function sweep(hub: Hub, _job: Job): Promise<{ due_at: number }> {
  const now = hub.clocks.business.now();
  const lost = await findLost(hub);
  for (let from = 0; from < lost.length; from += PAGE) {
    await hub.store.write(async (tx) => {
      for (const one of lost.slice(from, from + PAGE)) await armJob(tx, { ...one, due_at: now, priority: PRIORITY.poll });
    });
  }
  if (lost.length > 0) hub.log.warn({ count: lost.length }, "found unfinished work without a job");
  hub.metrics.count("lunas_swept_total", {}, lost.length);
  return { due_at: now + HOUR_MS };
}

async function findLost(hub: Hub): Promise<{ kind: string; subject_id: string; account_id: string | null }[]> {
  return hub.store.read(async (db) => {
    const payments = await sql<{ id: string; account_id: string }>`
      SELECT id, account_id FROM payments WHERE status IN (${sql.join([...LIVE_STATUSES])})
        AND NOT EXISTS (SELECT 1 FROM jobs WHERE jobs.key = 'payment:' || payments.id)`.execute(db);
    const refunds = await sql<{ id: string }>`
      SELECT id FROM refunds WHERE status IN ('created', 'submitted', 'unknown') AND origin = 'api'
        AND NOT EXISTS (SELECT 1 FROM jobs WHERE jobs.key = 'refund:' || refunds.id)`.execute(db);
    return [
      ...payments.rows.map((row) => ({ kind: "payment", subject_id: row.id, account_id: row.account_id })),
      ...refunds.rows.map((row) => ({ kind: "refund", subject_id: row.id, account_id: null })),
    ];
  });
}

/** The hub's own housekeeping: its first jobs, safe to ask for at every start. */
export async function armHousekeeping(hub: Hub): Promise<void> {
  const now = hub.clocks.business.now();
  await hub.store.write(async (tx) => {
    await armJob(tx, { kind: "sweep", subject_id: "all", due_at: now, priority: PRIORITY.poll });
    await armJob(tx, { kind: "prune", subject_id: "all", due_at: now + HOUR_MS, priority: PRIORITY.unverified });
  });
}
