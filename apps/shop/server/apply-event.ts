import type { LunasEvent } from "@lunas/sdk";
import type { Database } from "better-sqlite3";
import { z } from "zod";
import { findOrder, rememberRefund, type OrderRow } from "./orders.ts";
import { takeStock } from "./products.ts";
import type { NotificationOutcome, OrderItem, OrderStatus } from "./views.ts";

/** The part of an event that the shop acts on. It is signed, but a hub of another version may have signed it. */
const Relevant = z.object({
  sequence: z.int(),
  subject: z.object({ type: z.string(), id: z.string() }),
  data: z.object({
    order: z.object({
      reference: z.string(),
      amount: z.number(),
      currency: z.string(),
      payment_status: z.enum([
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
      ]),
      // Absent from a hub of an older version.
      closed: z.enum(["canceled", "expired"]).nullish(),
      amount_paid: z.number(),
      amount_refunded: z.number(),
    }),
    payment: z
      .object({ id: z.string(), method: z.string(), provider_id: z.string().nullable(), flags: z.array(z.string()), amount_paid: z.number() })
      .optional(),
    refund: z.object({ id: z.string(), amount: z.number(), status: z.string(), reason: z.string().nullable() }).optional(),
  }),
});

type RelevantEvent = z.infer<typeof Relevant>;

export interface Applied {
  outcome: Exclude<NotificationOutcome, "rejected">;
  detail?: string;
  order_id?: string;
}

/**
 * Lets a verified event have its effect, once and never backwards. Runs inside the caller's transaction, in which
 * the notification is also logged: effect, memory of the id and log are one.
 */
export function applyEvent(db: Database, webhook_id: string, event: LunasEvent, now: number): Applied {
  const first = db.prepare("INSERT INTO handled_events (webhook_id, handled_at) VALUES (?, ?) ON CONFLICT DO NOTHING").run(webhook_id, now);
  const parsed = Relevant.safeParse(event);
  const reference = parsed.success ? parsed.data.data.order.reference : undefined;
  if (first.changes === 0) return { outcome: "duplicate", order_id: reference };
  // Not of an order (a test of the endpoint, say), or of a kind that this shop does not know yet.
  if (!parsed.success) return { outcome: "ignored" };

  const { sequence, subject, data } = parsed.data;
  const order = findOrder(db, data.order.reference);
  // Answered with 2xx all the same: repeating it would not make the order known.
  if (!order) return { outcome: "unknown_order", order_id: reference };
  if (data.order.amount !== order.amount || data.order.currency !== "IDR") {
    return {
      outcome: "mismatch",
      order_id: order.id,
      detail: `The order is of IDR ${order.amount}, the event of ${data.order.currency} ${data.order.amount}.`,
    };
  }
  const newer = db
    .prepare(
      "INSERT INTO subjects (subject_id, sequence) VALUES (?, ?) ON CONFLICT (subject_id) DO UPDATE SET sequence = excluded.sequence WHERE excluded.sequence > sequence",
    )
    .run(subject.id, sequence);
  if (newer.changes === 0) return { outcome: "stale", order_id: order.id };

  if (subject.type === "order") applyOrder(db, order, data.order, now);
  else if (subject.type === "payment" && data.payment) applyPayment(db, order, data.payment);
  else if (subject.type === "refund" && data.refund) rememberRefund(db, order.id, data.refund, now);
  else return { outcome: "ignored", order_id: order.id };
  db.prepare("UPDATE orders SET updated_at = ? WHERE id = ?").run(now, order.id);
  return { outcome: "applied", order_id: order.id };
}

function applyOrder(db: Database, order: OrderRow, said: RelevantEvent["data"]["order"], now: number): void {
  const status: OrderStatus = said.payment_status;
  const closed = said.closed ?? order.closed;
  db.prepare("UPDATE orders SET payment_status = ?, amount_paid = ?, amount_refunded = ?, closed = ? WHERE id = ?").run(
    status,
    said.amount_paid,
    said.amount_refunded,
    closed,
    order.id,
  );
  // The money came after the order was over: a person decides whether there is still something to send.
  if (closed !== null) return;
  // Asked of the money, not of the word `paid`: where a refund's event overtakes it, the shelf must come out the same.
  // What comes back after a refund is put back by a person, who has it in the hand.
  if (order.stock_taken_at !== null || said.amount_paid < order.amount) return;
  const enough = takeStock(db, JSON.parse(order.items) as OrderItem[]);
  db.prepare("UPDATE orders SET stock_taken_at = ?, oversold = ? WHERE id = ?").run(now, enough ? 0 : 1, order.id);
}

/** An order may see several payments. The one that collected the money stays; until then the latest is shown. */
function applyPayment(db: Database, order: OrderRow, payment: NonNullable<RelevantEvent["data"]["payment"]>): void {
  const collected = payment.amount_paid > 0;
  if (order.lunas_payment_id !== null && order.lunas_payment_id !== payment.id) return;
  db.prepare(
    "UPDATE orders SET payment_gateway_transaction_id = coalesce(?, payment_gateway_transaction_id), payment_method = ?, lunas_payment_id = ? WHERE id = ?",
  ).run(payment.provider_id, payment.method, collected ? payment.id : order.lunas_payment_id, order.id);
}
