import { LunasError } from "@lunas/domain";
import type { Hub } from "../hub.ts";
import type { Tx } from "../store/index.ts";
import { recordTransition } from "./emit.ts";
import { findPayment, lockOrder, type OrderBundle, type PaymentRow } from "./rows.ts";

/** What waits for a person because too much was collected: over when enough of it went back. */
const DUPLICATE = "the order was already paid: pay this one back";
const OVERPAID = "more was collected than asked for: pay the difference back";
const TOO_MUCH: readonly (string | null)[] = [DUPLICATE, OVERPAID];

/** What a person should do about money that came now; otherwise what was there before. */
export function attentionAfter(payment: PaymentRow, flags: readonly string[]): string | null {
  if (flags.includes("duplicate") && !payment.flags.includes("duplicate")) return DUPLICATE;
  if (flags.includes("overpaid") && !payment.flags.includes("overpaid")) return OVERPAID;
  return payment.needs_attention;
}

/**
 * Takes back the calls for a person that are answered: enough went back that the shop holds no more than the order asks for, or nothing of
 * that payment. It does not matter which of two payments was paid back, nor who did it. Called in the transaction of a payment's change.
 */
export async function clearAnswered(tx: Tx, bundle: OrderBundle): Promise<OrderBundle> {
  const held = (payment: PaymentRow): bigint => payment.collected - payment.refunded - payment.reversed;
  const all = bundle.payments.reduce((sum, payment) => sum + held(payment), 0n);
  const answered = (payment: PaymentRow): boolean =>
    TOO_MUCH.includes(payment.needs_attention) && (all <= bundle.order.amount || held(payment) <= 0n);
  const ids = bundle.payments.filter((payment) => payment.needs_attention !== null && answered(payment)).map((payment) => payment.id);
  if (ids.length === 0) return bundle;
  await tx.updateTable("payments").set({ needs_attention: null }).where("id", "in", ids).execute();
  return { ...bundle, payments: bundle.payments.map((payment) => (ids.includes(payment.id) ? { ...payment, needs_attention: null } : payment)) };
}

/**
 * A person has seen to what the payment's `needs_attention` says. The note stays in its timeline.
 * @throws LunasError not_found; wrong_state when nothing waits.
 */
export async function acknowledge(hub: Hub, payment_id: string, note: string): Promise<{ id: string; status: string; acknowledged: string }> {
  const done = await hub.store.write(async (tx) => {
    const found = await findPayment(tx, undefined, payment_id);
    if (!found) throw new LunasError("not_found", { detail: `There is no payment ${payment_id}.` });
    await lockOrder(hub.store, tx, found.order_id);
    const payment = (await findPayment(tx, undefined, payment_id)) ?? found;
    const { needs_attention, status } = payment;
    if (needs_attention === null) throw new LunasError("wrong_state", { detail: `Nothing about the payment ${payment_id} waits for a person.` });
    await tx.updateTable("payments").set({ needs_attention: null, updated_at: hub.clocks.business.now() }).where("id", "=", payment_id).execute();
    const subject = { type: "payment", id: payment_id } as const;
    await recordTransition(hub, tx, {
      shop_id: payment.shop_id,
      subject,
      from: status,
      to: status,
      flags: payment.flags,
      cause: `acknowledged: ${note}`,
      answer_id: null,
    });
    return { order_id: payment.order_id, answer: { id: payment_id, status, acknowledged: needs_attention } };
  });
  hub.signals.emit({ kind: "order", order_id: done.order_id });
  return done.answer;
}
