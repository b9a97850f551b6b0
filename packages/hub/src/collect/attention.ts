import { LunasError, type PaymentFlag } from "@lunas/domain";
import type { Hub } from "../hub.ts";
import type { Tx } from "../store/index.ts";
import { recordTransition } from "./emit.ts";
import { findPayment, lockOrder, type OrderBundle, type OrderRow, type PaymentRow } from "./rows.ts";
import { withoutUnconfirmed } from "./unconfirmed.ts";

/** What waits for a person because too much was collected: over when enough of it went back. */
const DUPLICATE = "the order was already paid: pay this one back";
const OVERPAID = "more was collected than asked for: pay the difference back";
const TOO_MUCH: readonly (string | null)[] = [DUPLICATE, OVERPAID];
/** Money of an order that was over: the shop may have given the goods to somebody else. Over when all of it went back. */
const AFTER_END = {
  canceled: "the order was canceled before this money came: decide whether to deliver it or to pay it back",
  expired: "the order's time was over before this money came: decide whether to deliver it or to pay it back",
} as const;
/** What the gateway does not say, though it is needed, begins so: over when it has said it. */
const UNANSWERED = "the gateway gives no clear answer";

const held = (payment: PaymentRow): bigint => payment.collected - payment.refunded - payment.reversed;

/** What a person should do about money that came now; otherwise what was there before, unless it has answered itself. */
export function attentionAfter(before: PaymentRow, after: PaymentRow, { closed }: Pick<OrderRow, "closed">): string | null {
  const isNew = (flag: PaymentFlag): boolean => after.flags.includes(flag) && !before.flags.includes(flag);
  if (isNew("duplicate")) return DUPLICATE;
  if (closed !== null && before.collected === 0n && after.collected > 0n) return AFTER_END[closed];
  if (isNew("overpaid")) return OVERPAID;
  return after.wanted === null ? withoutUnanswered(before.needs_attention) : before.needs_attention;
}

/** What waits for a person, without what waited for the gateway's answer. */
export function withoutUnanswered(needs_attention: string | null): string | null {
  return needs_attention?.startsWith(UNANSWERED) ? null : needs_attention;
}

/** The gateway has been asked for long enough: a person should look why it does not say what is needed. It is asked on all the same. */
export async function tellUnanswered(hub: Hub, before: PaymentRow, reason: string): Promise<void> {
  const told = await hub.store.write(async (tx) => {
    // Under the lock of whoever applies an answer, who writes the whole row.
    await lockOrder(hub.store, tx, before.order_id);
    const updated = await tx
      .updateTable("payments")
      .set({ needs_attention: `${UNANSWERED}: ${reason}`.slice(0, 500) })
      .where("id", "=", before.id)
      .where("needs_attention", "is", null)
      .where("version", "=", before.version)
      .executeTakeFirst();
    return updated.numUpdatedRows > 0n;
  });
  if (told) hub.signals.emit({ kind: "order", order_id: before.order_id });
}

/**
 * Takes back the calls for a person that are answered: enough went back that the shop holds no more than the order asks for, or nothing of
 * that payment. It does not matter which of two payments was paid back, nor who did it. What is kept of an order that was over is still to
 * be decided about. Called in the transaction of a payment's change.
 */
export async function clearAnswered(tx: Tx, bundle: OrderBundle): Promise<OrderBundle> {
  const { amount, closed } = bundle.order;
  const all = bundle.payments.reduce((sum, payment) => sum + held(payment), 0n);
  const payments: PaymentRow[] = [];
  for (const payment of bundle.payments) {
    const { needs_attention } = payment;
    const enough = TOO_MUCH.includes(needs_attention) && (all <= amount || held(payment) <= 0n);
    const nothing_left = closed !== null && needs_attention === AFTER_END[closed] && held(payment) <= 0n;
    if (!enough && !nothing_left) {
      payments.push(payment);
      continue;
    }
    const next = closed !== null && held(payment) > 0n ? AFTER_END[closed] : null;
    await tx.updateTable("payments").set({ needs_attention: next }).where("id", "=", payment.id).execute();
    payments.push({ ...payment, needs_attention: next });
  }
  return { ...bundle, payments };
}

/**
 * A person has seen to what the payment's `needs_attention` says, and to what is `unconfirmed` about it. The note stays in its timeline.
 * @throws LunasError not_found; wrong_state when nothing waits.
 */
export async function acknowledge(hub: Hub, payment_id: string, note: string): Promise<{ id: string; status: string; acknowledged: string }> {
  const done = await hub.store.write(async (tx) => {
    const found = await findPayment(tx, undefined, payment_id);
    if (!found) throw new LunasError("not_found", { detail: `There is no payment ${payment_id}.` });
    await lockOrder(hub.store, tx, found.order_id);
    const payment = (await findPayment(tx, undefined, payment_id)) ?? found;
    const { needs_attention, status } = payment;
    const unconfirmed = payment.flags.includes("unconfirmed");
    if (needs_attention === null && !unconfirmed)
      throw new LunasError("wrong_state", { detail: `Nothing about the payment ${payment_id} waits for a person.` });
    const { flags, handles } = withoutUnconfirmed(payment);
    await tx
      .updateTable("payments")
      .set({ needs_attention: null, flags: JSON.stringify(flags), handles: JSON.stringify(handles), updated_at: hub.clocks.business.now() })
      .where("id", "=", payment_id)
      .execute();
    const subject = { type: "payment", id: payment_id } as const;
    await recordTransition(hub, tx, {
      shop_id: payment.shop_id,
      subject,
      from: status,
      to: status,
      flags,
      cause: `acknowledged: ${note}`,
      answer_id: null,
    });
    return { order_id: payment.order_id, answer: { id: payment_id, status, acknowledged: needs_attention ?? "unconfirmed" } };
  });
  hub.signals.emit({ kind: "order", order_id: done.order_id });
  return done.answer;
}
