import { HOUR_MS, LIVE_STATUSES } from "@lunas/domain";
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
    const payments = await db
      .selectFrom("payments")
      .leftJoin("jobs", (join) => join.on("jobs.key", "=", (eb) => eb.fn<string>("concat", [eb.val("payment:"), "payments.id"])))
      .select(["payments.id", "payments.account_id"])
      .where("payments.status", "in", [...LIVE_STATUSES])
      .where("jobs.key", "is", null)
      .execute();
    const refunds = await db
      .selectFrom("refunds")
      .leftJoin("jobs", (join) => join.on("jobs.key", "=", (eb) => eb.fn<string>("concat", [eb.val("refund:"), "refunds.id"])))
      .select(["refunds.id"])
      .where("refunds.status", "in", ["created", "submitted", "unknown"])
      .where("refunds.origin", "=", "api")
      .where("jobs.key", "is", null)
      .execute();
    return [
      ...payments.map((row) => ({ kind: "payment", subject_id: row.id, account_id: row.account_id })),
      ...refunds.map((row) => ({ kind: "refund", subject_id: row.id, account_id: null })),
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
