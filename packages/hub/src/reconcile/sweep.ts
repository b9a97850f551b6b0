import { HOUR_MS } from "@lunas/domain";
import { sql } from "kysely";
import type { Hub } from "../hub.ts";
import { armJobs, type Job, PRIORITY } from "../store/jobs.ts";
import { findLost } from "./lost.ts";

const PAGE = 500;

/**
 * Nothing that is not final is forgotten: whatever lacks its job gets one. Runs every hour, and finds nothing unless
 * something went wrong elsewhere, which is why it is worth running.
 */
export async function sweep(hub: Hub, _job: Job): Promise<{ due_at: number }> {
  const now = hub.clocks.business.now();
  const lost = await findLost(hub, now);
  for (let from = 0; from < lost.length; from += PAGE) await hub.store.write((tx) => armJobs(tx, lost.slice(from, from + PAGE)));
  const released = await releaseDeliveries(hub, now);
  const found = lost.length + released;
  if (found > 0) {
    hub.log.warn({ jobs: lost.length, deliveries: released }, "found unfinished work without a job");
    hub.signals.emit({ kind: "jobs" });
    hub.signals.emit({ kind: "deliveries" });
  }
  hub.metrics.count("lunas_swept_total", {}, found);
  return { due_at: now + HOUR_MS };
}

/**
 * Deliveries wait for their endpoint's resume: where it is active already, nothing would resume them. And a hub of before migration 0008 that was
 * still running while another one was upgraded may have left some in a status of its own. @returns how many there were.
 */
async function releaseDeliveries(hub: Hub, now: number): Promise<number> {
  const { numAffectedRows = 0n } = await hub.store.write((tx) =>
    sql`UPDATE deliveries SET status = 'due', due_at = ${now}, lease_until = NULL WHERE (status = 'paused' OR (status = 'delivering' AND lease_until <= ${now}))
      AND endpoint_id IN (SELECT id FROM endpoints WHERE status = 'active')`.execute(tx),
  );
  return Number(numAffectedRows);
}

/** The hub's own housekeeping: its first jobs, safe to ask for at every start. */
export async function armHousekeeping(hub: Hub): Promise<void> {
  const now = hub.clocks.business.now();
  await hub.store.write((tx) =>
    armJobs(tx, [
      { kind: "sweep", subject_id: "all", due_at: now, priority: PRIORITY.poll },
      { kind: "prune", subject_id: "all", due_at: now + HOUR_MS, priority: PRIORITY.unverified },
    ]),
  );
}
