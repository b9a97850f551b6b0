import { invariant, type Refusal } from "@lunas/domain";
import type { Hub } from "../hub.ts";
import { tellPayment } from "./apply.ts";
import { findPayment, lockOrder, type OrderBundle, type PaymentRow, readBundle } from "./rows.ts";

/** Refusals that say nothing about this payment: it stays submitted and is tried again. */
const PASSING: readonly Refusal["code"][] = ["rate_limited"];

/** The gateway surely did not open it: the payment has failed, and no money can come of it. */
export async function failOpening(hub: Hub, before: PaymentRow, refusal: Refusal, cause: string): Promise<{ payment: PaymentRow; bundle: OrderBundle }> {
  const failed = await hub.store.write(async (tx) => {
    const order = await lockOrder(hub.store, tx, before.order_id);
    const payment = await findPayment(tx, undefined, before.id);
    invariant(payment, `payment ${before.id} is gone`);
    const opening = payment.status === "created" || payment.status === "submitted";
    if (!opening || payment.version !== before.version || PASSING.includes(refusal.code)) return { payment, bundle: await readBundle(tx, order) };
    const after: PaymentRow = {
      ...payment, status: "failed", wanted: null, version: payment.version + 1, updated_at: hub.clocks.business.now(),
      needs_attention: refusal.code === "unauthorized" ? "the gateway refuses this account's credentials" : payment.needs_attention,
    };
    await tx
      .updateTable("payments")
      .set({ status: after.status, wanted: null, version: after.version, updated_at: after.updated_at, needs_attention: after.needs_attention })
      .where("id", "=", after.id)
      .execute();
    const bundle = await tellPayment(hub, tx, order, payment, after, cause, null);
    return { payment: after, bundle };
  });
  hub.signals.emit({ kind: "order", order_id: before.order_id });
  hub.signals.emit({ kind: "deliveries" });
  return failed;
}
