import { explain, type Refusal } from "./lunas-problem.ts";
import { listRefunds, rememberRefund, type OrderRow } from "./orders.ts";
import type { RefundView } from "./views.ts";
import type { Shop } from "./collect.ts";

export interface RefundWish {
  /** The page's name of this refund: a repeated click is the same refund. */
  refund_id: string;
  /** Whole rupiah; absent means all that is left. */
  amount?: number;
  reason?: string;
}

/** Sends money back. What became of it, the order's status included, is told by webhooks. */
export async function refundOrder(shop: Shop, order: OrderRow, wish: RefundWish): Promise<RefundView | Refusal> {
  if (order.lunas_payment_id === null) {
    return { status: 422, code: "nothing_collected", message: "This order has not been paid, so there is nothing to refund." };
  }
  try {
    const refund = await shop.lunas.payments.refund(
      order.lunas_payment_id,
      { amount: wish.amount, reason: wish.reason },
      { idempotencyKey: `refund-${order.id}-${wish.refund_id}` },
    );
    // A webhook about it may have been faster than this answer, and knows better.
    rememberRefund(shop.db, order.id, refund, shop.now(), { keep_status: true });
    shop.changed(order.id);
    return listRefunds(shop.db, order.id).find((kept) => kept.id === refund.id)!;
  } catch (error) {
    shop.report(`order ${order.id}: the refund could not be made`, error);
    return { ...explain(error), order_id: order.id };
  }
}
