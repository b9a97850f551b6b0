import { deriveOrder, type EventType, isEventType } from "@lunas/domain";
import type { Hub } from "../hub.ts";
import type { Store, Tx } from "../store/index.ts";
import { emitEvent, recordTransition } from "./emit.ts";
import { type OrderBundle, type OrderRow, orderFacts, paymentFacts, readBundle } from "./rows.ts";
import { orderOnly } from "./views.ts";

type DeriveHub = Pick<Hub, "newId" | "clocks" | "vault" | "publicUrl"> & { readonly store: Store };

/**
 * Derives an order's money and status from its payments again, and tells of a change. Called in the transaction of whatever
 * changed a payment, with the order locked. Gives the order as it is after it.
 * @param known see `readBundle`.
 */
export async function rederiveOrder(
  hub: DeriveHub,
  tx: Tx,
  order: OrderRow,
  cause: string,
  answer_id: string | null,
  known?: OrderBundle,
): Promise<OrderBundle> {
  const before = await readBundle(tx, order, known);
  const derived = deriveOrder(orderFacts(order), before.payments.map(paymentFacts));
  const now = hub.clocks.business.now();
  const next: OrderRow = { ...order, ...derived, version: order.version + 1, updated_at: now };
  await tx
    .updateTable("orders")
    .set({ ...derived, closed: order.closed, version: next.version, updated_at: now })
    .where("id", "=", order.id)
    .execute();
  const bundle = { ...before, order: next };
  if (derived.payment_status !== order.payment_status) {
    const subject = { type: "order", id: order.id } as const;
    await recordTransition(hub, tx, {
      shop_id: order.shop_id,
      subject,
      from: order.payment_status,
      to: derived.payment_status,
      flags: [],
      cause,
      answer_id,
    });
    const type: string = `order.${derived.payment_status}`;
    if (isEventType(type)) await emitOrderEvent(hub, tx, bundle, type);
  }
  return bundle;
}

async function emitOrderEvent(hub: DeriveHub, tx: Tx, bundle: OrderBundle, type: EventType): Promise<void> {
  const { order } = bundle;
  await emitEvent(hub, tx, {
    shop_id: order.shop_id,
    type,
    subject: { type: "order", id: order.id },
    order_id: order.id,
    data: { order: orderOnly(hub, order) },
  });
}
