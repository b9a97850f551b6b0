import { LIVE_STATUSES } from "@lunas/domain";
import { askGateway } from "../collect/ask.ts";
import type { Hub } from "../hub.ts";
import { armJob, PRIORITY } from "../store/jobs.ts";
import { clearHold } from "../store/hold.ts";

export interface Reconciled {
  readonly asked: number;
  readonly unclear: number;
  readonly hold: string | null;
}

/** Unclear answers and waits for the budget before a payment counts as unclear. */
const TRIES_MAX = 5;
const FIRST_WAIT_MS = 50;
const WAIT_MAX_MS = 2_000;

/**
 * Asks about everything that is not final, now. After a restore this is what lifts the hold: the database is older than the world,
 * and until each payment has been asked about, a command could do again what was done already.
 */
export async function reconcileAfterRestore(hub: Hub, after_restore: boolean): Promise<Reconciled> {
  const now = hub.clocks.business.now();
  const rows = await hub.store.read((db) =>
    db
      .selectFrom("payments")
      .select(["id"])
      .where("status", "in", [...LIVE_STATUSES, "paid", "partially_refunded"])
      .orderBy("id")
      .execute(),
  );
  let unclear = 0;
  for (const { id } of rows) if (!(await askPatiently(hub, id))) unclear += 1;
  if (after_restore && unclear === 0) {
    await clearHold(hub.store);
    hub.hold.reason = undefined;
    await hub.store.write(async (tx) => {
      const refunds = await tx
        .selectFrom("refunds")
        .select(["id"])
        .where("status", "in", ["created", "submitted", "unknown"])
        .where("origin", "=", "api")
        .execute();
      for (const { id } of refunds) await armJob(tx, { kind: "refund", subject_id: id, due_at: now, priority: PRIORITY.money });
      for (const { id } of rows) await armJob(tx, { kind: "payment", subject_id: id, due_at: now, priority: PRIORITY.poll });
    });
    hub.signals.emit({ kind: "jobs" });
  }
  return { asked: rows.length, unclear, hold: hub.hold.reason ?? null };
}

/** @returns whether the gateway gave a clear answer, "I do not know it" included. An unclear one is asked for again, a little later each time. */
async function askPatiently(hub: Hub, payment_id: string): Promise<boolean> {
  for (let tries = 0; tries < TRIES_MAX; tries += 1) {
    const asked = await askGateway(hub, payment_id, "get", "reconcile", PRIORITY.notified);
    if (asked.asked && asked.verdict !== "superseded" && asked.outcome.certainty !== "unknown") return true;
    const wait_ms = asked.asked ? FIRST_WAIT_MS * 2 ** tries : Math.max(asked.waiting_until - hub.clocks.business.now(), FIRST_WAIT_MS);
    await new Promise((resolve) => setTimeout(resolve, Math.min(wait_ms, WAIT_MAX_MS)));
  }
  return false;
}
