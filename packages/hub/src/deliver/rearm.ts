import type { Hub } from "../hub.ts";
import type { DeliveriesTable, Tx } from "../store/index.ts";

/**
 * What an endpoint missed while it failed is tried again once its first success shows that it is back. Once: a second exhaustion is final.
 * @returns whether there was anything.
 */
export async function rearmExhausted(tx: Tx, endpoint_id: string, now: number): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable("deliveries")
    .set({ status: "due", due_at: now, step: 0, trigger: "replay", lease_until: null })
    .where("endpoint_id", "=", endpoint_id)
    .where("status", "=", "exhausted")
    .where("trigger", "=", "schedule")
    .executeTakeFirstOrThrow();
  return numUpdatedRows > 0n;
}

/**
 * Due now, from the beginning of the schedule.
 * @param again an attempt that is under way now does not count: another one is made after it.
 */
export function rearm(hub: Pick<Hub, "clocks">, tx: Tx, trigger: DeliveriesTable["trigger"], again: boolean) {
  return tx.updateTable("deliveries").set((eb) => ({
    status: "due" as const,
    due_at: hub.clocks.business.now(),
    step: 0,
    trigger,
    lease_until: null,
    generation: again ? eb("generation", "+", 1) : eb.ref("generation"),
  }));
}
