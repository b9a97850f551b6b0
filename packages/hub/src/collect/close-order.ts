import { COLLECTED_STATUSES, LunasError } from "@lunas/domain";
import type { Hub } from "../hub.ts";
import { PRIORITY } from "../store/jobs.ts";
import { rederiveOrder } from "./derive.ts";
import { getOrder } from "./orders.ts";
import { closePayment } from "./payments.ts";
import { lockOrder, type OrderBundle, readBundle } from "./rows.ts";
import { mayStillBePaid } from "./still-payable.ts";

/** Cancels an order: first its live payments at their gateway; only when all are known to be closed is the order canceled. */
export async function cancelOrder(hub: Hub, shop_id: string, order_id: string, cause: string): Promise<OrderBundle> {
  const before = await getOrder(hub, shop_id, order_id);
  refuseIfPaid(before);
  for (const payment of before.payments) {
    if (mayStillBePaid(hub, payment)) await closePayment(hub, payment.id, "cancel", cause, PRIORITY.money);
  }
  const bundle = await closeOrder(hub, order_id, "canceled", cause);
  refuseIfPaid(bundle);
  if (bundle.order.closed === null) {
    throw new LunasError("gateway_unclear", {
      detail: "A payment of this order could not yet be canceled at its gateway. It is being asked about; repeat the request.",
    });
  }
  return bundle;
}

function refuseIfPaid(bundle: OrderBundle): void {
  if (bundle.payments.some((payment) => COLLECTED_STATUSES.includes(payment.status))) {
    throw new LunasError("wrong_state", {
      detail: `The order is ${bundle.order.payment_status}: money was collected for it. Refund the payment instead.`,
    });
  }
}

/** Closes an order that holds no money and has no payment that could still be paid; otherwise leaves it as it is. */
export async function closeOrder(hub: Hub, order_id: string, closed: "expired" | "canceled", cause: string): Promise<OrderBundle> {
  const bundle = await hub.store.write(async (tx) => {
    const order = await lockOrder(hub.store, tx, order_id);
    const current = await readBundle(tx, order);
    const open = current.payments.some((payment) => COLLECTED_STATUSES.includes(payment.status) || mayStillBePaid(hub, payment));
    if (order.closed !== null || open) return current;
    return rederiveOrder(hub, tx, { ...order, closed }, cause, null);
  });
  hub.signals.emit({ kind: "order", order_id });
  hub.signals.emit({ kind: "deliveries" });
  return bundle;
}
