import type { Order, Payment, Refund } from "./objects.ts";

/** Every type of event that this version knows. A newer hub may send others: answer them with 2xx and ignore them. */
export const EVENT_TYPES = [
  "payment.pending",
  "payment.authorized",
  "payment.paid",
  "payment.partially_refunded",
  "payment.refunded",
  "payment.failed",
  "payment.expired",
  "payment.canceled",
  "payment.reversed",
  "payment.unconfirmed",
  "order.pending",
  "order.paid",
  "order.underpaid",
  "order.partially_refunded",
  "order.refunded",
  "order.reversed",
  "order.failed",
  "order.expired",
  "order.canceled",
  "refund.submitted",
  "refund.succeeded",
  "refund.failed",
  "refund.unknown",
  "refund.manual",
  "money.unmatched",
  "endpoint.failing",
  "endpoint.paused",
  "endpoint.test",
] as const;

export type EventType = (typeof EVENT_TYPES)[number];

/** An order as an event carries it, at the moment of the change. */
export type EventOrder = Omit<Order, "payments">;

type TypesOf<Subject extends string> = Extract<EventType, `${Subject}.${string}`>;

interface EventOf<Subject extends string, Data> {
  /** Also the `webhook-id` header: the same at every repetition, so remember it. */
  id: string;
  type: TypesOf<Subject>;
  version: number;
  /** When it happened, RFC 3339. */
  timestamp: string;
  /** Counts up within one subject: of two events about the same subject the larger one is the newer, in whatever order they arrive. */
  sequence: number;
  subject: { type: Subject; id: string };
  data: Data;
}

export type OrderEvent = EventOf<"order", { order: EventOrder }>;
export type PaymentEvent = EventOf<"payment", { payment: Payment; order: EventOrder }>;
export type RefundEvent = EventOf<"refund", { refund: Refund; payment: Payment; order: EventOrder }>;
export type MoneyEvent = EventOf<"money", Record<string, unknown>>;
export type EndpointEvent = EventOf<"endpoint", Record<string, unknown>>;

/**
 * What happened, exactly as a webhook's body has it. Narrow it by its `type`:
 *
 * ```ts
 * if (event.type === "order.paid") deliver(event.data.order.reference);
 * ```
 */
export type LunasEvent = OrderEvent | PaymentEvent | RefundEvent | MoneyEvent | EndpointEvent;
