import { COLLECTED_STATUSES, LIVE_STATUSES, type PaymentStatus } from "./payment.ts";

export const ORDER_PAYMENT_STATUSES = [
  "unpaid",
  "pending",
  "underpaid",
  "paid",
  "partially_refunded",
  "refunded",
  "reversed",
  "expired",
  "failed",
  "canceled",
] as const;
export type OrderPaymentStatus = (typeof ORDER_PAYMENT_STATUSES)[number];

export const ORDER_FULFILLMENT_STATUSES = ["none", "waiting", "in_progress", "succeeded", "partly", "failed", "canceled", "needs_attention"] as const;
export type OrderFulfillmentStatus = (typeof ORDER_FULFILLMENT_STATUSES)[number];

/** What an order is derived from: one line per payment, oldest first. Amounts in minor units. */
export interface PaymentFacts {
  readonly status: PaymentStatus;
  readonly collected: bigint;
  readonly refunded: bigint;
  readonly reversed: bigint;
}

export interface OrderFacts {
  readonly amount: bigint;
  /** The shop's order was closed (by time or by command) with no payment open. */
  readonly closed: "expired" | "canceled" | undefined;
}

export interface OrderMoney {
  readonly amount_paid: bigint;
  readonly amount_refunded: bigint;
  readonly amount_reversed: bigint;
  readonly payment_status: OrderPaymentStatus;
}

/** Derives what an order says of its money. Statuses of an order are never set, only derived. */
export function deriveOrder(order: OrderFacts, payments: readonly PaymentFacts[]): OrderMoney {
  let amount_paid = 0n;
  let amount_refunded = 0n;
  let amount_reversed = 0n;
  for (const payment of payments) {
    if (!COLLECTED_STATUSES.includes(payment.status)) continue;
    amount_paid += payment.collected;
    amount_refunded += payment.refunded;
    amount_reversed += payment.reversed;
  }
  return { amount_paid, amount_refunded, amount_reversed, payment_status: status() };

  function status(): OrderPaymentStatus {
    if (amount_paid > 0n) {
      const kept = amount_paid - amount_refunded - amount_reversed;
      // A duplicate that was paid back leaves the order paid: what counts is what the shop still holds.
      if (kept >= order.amount) return "paid";
      if (kept <= 0n) return amount_reversed > 0n && amount_reversed >= amount_refunded ? "reversed" : "refunded";
      if (amount_reversed > 0n) return "underpaid";
      return amount_refunded > 0n ? "partially_refunded" : "underpaid";
    }
    if (payments.some((payment) => LIVE_STATUSES.includes(payment.status))) return "pending";
    if (order.closed) return order.closed;
    const last = payments.at(-1)?.status;
    // A canceled payment is a buyer who chooses again, not a canceled order: that is said by closing the order.
    return last === "failed" || last === "expired" ? last : "unpaid";
  }
}
