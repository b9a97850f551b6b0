import { invariant } from "@lunas/domain";
import type { Hub } from "../hub.ts";
import { emitEvent } from "./emit.ts";
import { findPayment, lockOrder, readBundle } from "./rows.ts";
import { orderOnly, paymentView } from "./views.ts";

/** A verified notification says more than the gateway's answers do, after all the questions that are planned: a person should look. */
export async function flagUnconfirmed(hub: Hub, payment_id: string, claim: string, cause: string): Promise<void> {
  await hub.store.write(async (tx) => {
    const found = await findPayment(tx, undefined, payment_id);
    invariant(found, `payment ${payment_id} is gone`);
    const order = await lockOrder(hub.store, tx, found.order_id);
    const payment = await findPayment(tx, undefined, payment_id);
    invariant(payment, `payment ${payment_id} is gone`);
    if (payment.flags.includes("unconfirmed")) return;
    const flags = [...payment.flags, "unconfirmed" as const];
    const needs_attention = `a notification says "${claim}", the gateway's answers do not (${cause})`;
    const after = { ...payment, flags, needs_attention, version: payment.version + 1, updated_at: hub.clocks.business.now() };
    await tx
      .updateTable("payments")
      .set({ flags: JSON.stringify(flags), needs_attention, version: after.version, updated_at: after.updated_at })
      .where("id", "=", payment_id)
      .execute();
    const bundle = await readBundle(tx, order);
    await emitEvent(hub, tx, {
      shop_id: payment.shop_id,
      type: "payment.unconfirmed",
      subject: { type: "payment", id: payment_id },
      order_id: order.id,
      payment_id,
      data: { payment: paymentView(hub, bundle, after), order: orderOnly(hub, order), claim },
    });
  });
  hub.signals.emit({ kind: "deliveries" });
}
