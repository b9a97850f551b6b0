import { CLOSED_STATUSES, invariant, isEventType, type Outcome, type PaymentAnswer, type RefundEvidence } from "@lunas/domain";
import type { Hub } from "../hub.ts";
import type { Tx } from "../store/index.ts";
import { armJob, PRIORITY } from "../store/jobs.ts";
import { type AnswerVerdict, type Finding, keepAnswer } from "./answers.ts";
import { attentionAfter, clearAnswered } from "./attention.ts";
import { rederiveOrder } from "./derive.ts";
import { emitEvent, recordTransition } from "./emit.ts";
import { detailsAfter, DOUBT_MS, handlesAfterDoubt, judgeEvidence, type NextPayment } from "./evidence.ts";
import { adoptRefunds } from "./refund-evidence.ts";
import { findPayment, lockOrder, type OrderBundle, type OrderRow, type PaymentRow, readBundle } from "./rows.ts";
import { orderOnly, paymentView } from "./views.ts";

export interface Applied {
  readonly payment: PaymentRow;
  readonly bundle: OrderBundle;
  readonly verdict: AnswerVerdict;
}

/**
 * Keeps what a gateway said about a payment and, if it is news, makes it so: transition, audit row, events and deliveries in one
 * transaction. An answer counts only if the payment is still at the version that was read before the question; otherwise it is
 * kept as `superseded`, and whoever asked asks again.
 */
export async function applyPaymentFinding(hub: Hub, before: PaymentRow, finding: Finding<PaymentAnswer>): Promise<Applied> {
  const applied = await applyOrKeep(hub, before, finding);
  hub.metrics.count("lunas_answers_total", { operation: finding.operation, certainty: finding.outcome.certainty, verdict: applied.verdict });
  hub.signals.emit({ kind: "order", order_id: before.order_id });
  hub.signals.emit({ kind: "deliveries" });
  return applied;
}

/** What the gateway said is evidence even when a mistake of ours undoes the change that it should have made. */
async function applyOrKeep(hub: Hub, before: PaymentRow, finding: Finding<PaymentAnswer>): Promise<Applied> {
  try {
    return await hub.store.write(async (tx) => {
      const order = await lockOrder(hub.store, tx, before.order_id);
      const payment = await findPayment(tx, undefined, before.id);
      invariant(payment, `payment ${before.id} is gone`);
      return applyInTransaction(hub, tx, order, payment, before.version, finding);
    });
  } catch (error) {
    const about = { shop_id: before.shop_id, account_id: before.account_id, subject: { type: "payment", id: before.id } } as const;
    await hub.store
      .write((tx) => keepAnswer(hub, tx, about, finding, "kept"))
      .catch((lost: unknown) => hub.log.error({ err: lost }, "an answer could not be kept"));
    throw error;
  }
}

async function applyInTransaction(
  hub: Hub,
  tx: Tx,
  order: OrderRow,
  payment: PaymentRow,
  version_read: number,
  finding: Finding<PaymentAnswer>,
): Promise<Applied> {
  const about = { shop_id: payment.shop_id, account_id: payment.account_id, subject: { type: "payment", id: payment.id } } as const;
  const { outcome } = finding;
  if (outcome.certainty === "unknown" || outcome.certainty === "did_not") {
    await keepAnswer(hub, tx, about, finding, "kept");
    await touchAsked(tx, payment, finding.asked_at);
    return { payment, bundle: await readBundle(tx, order), verdict: "kept" };
  }
  if (payment.version !== version_read) {
    await keepAnswer(hub, tx, about, finding, "superseded");
    return { payment, bundle: await readBundle(tx, order), verdict: "superseded" };
  }
  const { evidence } = outcome.value;
  const bundle = await readBundle(tx, order);
  const judgement = judgeEvidence(payment, evidence, {
    heldElsewhere: heldElsewhere(bundle, payment.id),
    order_amount: order.amount,
    byHand: refundedByHand(bundle, payment.id, evidence.refunds ?? []),
    asked_at: finding.asked_at,
  });
  const answer_id = await keepAnswer(hub, tx, about, finding, judgement.verdict);
  if (judgement.verdict === "refused") {
    await tx.updateTable("payments").set({ needs_attention: judgement.why, last_asked_at: finding.asked_at }).where("id", "=", payment.id).execute();
    return { payment: { ...payment, needs_attention: judgement.why }, bundle, verdict: "refused" };
  }
  const next = judgement.verdict === "applied" ? judgement.next : undefined;
  const doubt = judgement.verdict !== "applied" && judgement.doubt === true;
  // Whoever asked: a doubt is cleared up, also where no question was planned any more.
  if (doubt)
    await armJob(tx, {
      kind: "payment",
      subject_id: payment.id,
      account_id: payment.account_id,
      due_at: finding.asked_at + DOUBT_MS,
      priority: PRIORITY.notified,
    });
  const after = await savePayment(
    hub,
    tx,
    { ...payment, handles: handlesAfterDoubt(payment, doubt, finding.asked_at) },
    outcome,
    next,
    finding.asked_at,
  );
  await adoptRefunds(hub, tx, order, after, evidence.refunds ?? [], finding.cause, answer_id);
  if (!next) return { payment: after, bundle: await readBundle(tx, order), verdict: judgement.verdict };
  const changed = await tellPayment(hub, tx, order, payment, after, finding.cause, answer_id);
  return { payment: changed.payments.find((one) => one.id === after.id) ?? after, bundle: changed, verdict: "applied" };
}

/** What the shop holds of the order's money through payments other than this one. */
export function heldElsewhere(bundle: OrderBundle, payment_id: string): bigint {
  return bundle.payments
    .filter((other) => other.id !== payment_id)
    .reduce((sum, other) => sum + other.collected - other.refunded - other.reversed, 0n);
}

/** What people closed with proof and the gateway does not count: what it lists, or has given an id, is in its own sum. */
export function refundedByHand(bundle: OrderBundle, payment_id: string, listed: readonly RefundEvidence[]): bigint {
  const keys = new Set(listed.map((refund) => refund.key));
  return bundle.refunds
    .filter((refund) => refund.payment_id === payment_id && refund.proof !== null && refund.status === "succeeded")
    .filter((refund) => refund.provider_id === null && !keys.has(refund.provider_key))
    .reduce((sum, refund) => sum + refund.amount, 0n);
}

async function touchAsked(tx: Tx, payment: PaymentRow, asked_at: number): Promise<void> {
  await tx.updateTable("payments").set({ last_asked_at: asked_at, waiting_for_quota_until: null }).where("id", "=", payment.id).execute();
}

async function savePayment(
  hub: Hub,
  tx: Tx,
  payment: PaymentRow,
  outcome: Extract<Outcome<PaymentAnswer>, { certainty: "did" }>,
  next: NextPayment | undefined,
  asked_at: number,
): Promise<PaymentRow> {
  const now = hub.clocks.business.now();
  const details = detailsAfter(payment, outcome.value);
  const state = next ?? payment;
  const after: PaymentRow = {
    ...payment,
    ...details,
    status: state.status,
    flags: [...state.flags],
    collected: state.collected,
    refunded: state.refunded,
    reversed: state.reversed,
    buyer_fee: state.buyer_fee,
    last_asked_at: asked_at,
    waiting_for_quota_until: null,
    opened_at: payment.opened_at ?? now,
    paid_at: payment.paid_at ?? (state.collected > 0n ? now : null),
    wanted: wantedAfter(payment, state.status),
    needs_attention: attentionAfter(payment, state.flags),
    // Details alone leave the version: they take nothing from an answer that is on its way.
    version: next ? payment.version + 1 : payment.version,
    updated_at: next ? now : payment.updated_at,
  };
  const { id, ...columns } = after;
  const saved = await tx
    .updateTable("payments")
    .set({ ...columns, handles: JSON.stringify(after.handles), actions: JSON.stringify(after.actions), flags: JSON.stringify(after.flags) })
    .where("id", "=", id)
    .where("version", "=", payment.version)
    .executeTakeFirst();
  invariant(saved.numUpdatedRows === 1n, `payment ${id} changed under its order's lock`);
  return after;
}

/** A wish is fulfilled or void once the payment is no longer live. */
function wantedAfter(payment: PaymentRow, status: PaymentRow["status"]): PaymentRow["wanted"] {
  if (status === "submitted" || status === "created") return payment.wanted;
  if (payment.wanted === "open") return null;
  return status === "pending" || status === "authorized" ? payment.wanted : null;
}

/** Transition, event of the payment, and what follows for the order. */
export async function tellPayment(
  hub: Hub,
  tx: Tx,
  order: OrderRow,
  from: PaymentRow,
  after: PaymentRow,
  cause: string,
  answer_id: string | null,
): Promise<OrderBundle> {
  const subject = { type: "payment", id: after.id } as const;
  await recordTransition(hub, tx, { shop_id: after.shop_id, subject, from: from.status, to: after.status, flags: after.flags, cause, answer_id });
  const bundle = await clearAnswered(tx, await rederiveOrder(hub, tx, closeIfOver(hub, order, after), cause, answer_id));
  const payment = bundle.payments.find((one) => one.id === after.id) ?? after;
  const type: string = `payment.${after.status}`;
  if (isEventType(type)) {
    await emitEvent(hub, tx, {
      shop_id: after.shop_id,
      type,
      subject,
      order_id: order.id,
      payment_id: after.id,
      data: { payment: paymentView(hub, bundle, payment), order: orderOnly(hub, bundle.order) },
    });
  }
  return bundle;
}

/** An order whose time was over while a payment was still open is closed by that payment's end. */
function closeIfOver(hub: Hub, order: OrderRow, payment: PaymentRow): OrderRow {
  const over = order.closed === null && CLOSED_STATUSES.includes(payment.status) && hub.clocks.business.now() >= order.expires_at;
  return over ? { ...order, closed: "expired" } : order;
}
