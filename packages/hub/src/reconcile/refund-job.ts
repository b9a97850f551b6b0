import { REFUND_GAPS_MS } from "@lunas/domain";
import { findPayment, lockOrder } from "../collect/rows.ts";
import { moveRefund } from "../collect/refund-evidence.ts";
import { trySendRefund } from "../collect/refunds.ts";
import type { Hub } from "../hub.ts";
import type { Job } from "../store/jobs.ts";

/** Sends a refund that was not sent, or asks about one without a final answer; after the last planned question a person decides. */
export async function runRefundJob(hub: Hub, job: Job): Promise<{ due_at: number | undefined; payload: Record<string, unknown> }> {
  const asked = typeof job.payload["asked"] === "number" ? job.payload["asked"] : 0;
  const now = hub.clocks.business.now();
  if (hub.hold.reason !== undefined) return { due_at: now + 60_000, payload: job.payload };
  const { refund, waiting_until } = await trySendRefund(hub, job.subject_id, "poll");
  // A wait for the budget is no question.
  if (waiting_until !== undefined) return { due_at: waiting_until, payload: job.payload };
  if (refund.status === "succeeded" || refund.status === "failed" || refund.status === "manual") return { due_at: undefined, payload: {} };
  const gap = REFUND_GAPS_MS[asked];
  if (gap !== undefined) return { due_at: now + gap, payload: { asked: asked + 1 } };
  await handOver(hub, job.subject_id);
  return { due_at: undefined, payload: {} };
}

async function handOver(hub: Hub, refund_id: string): Promise<void> {
  await hub.store.write(async (tx) => {
    const refund = await tx.selectFrom("refunds").selectAll().where("id", "=", refund_id).executeTakeFirstOrThrow();
    const order = await lockOrder(hub.store, tx, refund.order_id);
    const payment = await findPayment(tx, undefined, refund.payment_id);
    const why = "the gateway has given no final answer for days: find out at the gateway and close it with proof";
    if (payment) await moveRefund(hub, tx, order, payment, refund, "by_hand", "questions used up", null, undefined, why);
  });
  hub.signals.emit({ kind: "deliveries" });
}
