import {
  CLOSED_STATUSES,
  COLLECTED_STATUSES,
  invariant,
  isEventType,
  LIVE_STATUSES,
  type Outcome,
  type PaymentAnswer,
  type PaymentEvidence,
  type RefundEvidence,
} from "@lunas/domain";
import type { Hub } from "../hub.ts";
import type { Tx } from "../store/index.ts";
import { armJob, PRIORITY } from "../store/jobs.ts";
import { type AnswerVerdict, type Finding, keepAnswer } from "./answers.ts";
import { attentionAfter, clearAnswered } from "./attention.ts";
import { closeWhatIsLeft } from "./closing.ts";
import { rederiveOrder } from "./derive.ts";
import { emitEvent, recordTransition } from "./emit.ts";
import { detailsAfter, DOUBT_MS, handlesAfterDoubt, judgeEvidence, type NextPayment } from "./evidence.ts";
import { keepElsewhere, matchMoney } from "./elsewhere.ts";
import { takeNotice } from "./notice.ts";
import { plannedPoll } from "./planned-poll.ts";
import { adoptRefunds } from "./refund-evidence.ts";
import { lockOrder, type OrderBundle, type OrderRow, type PaymentRow, readBundle, readRefunds } from "./rows.ts";
import { wantedAfter } from "./still-payable.ts";
import { chooseTransaction, holdsMoney, keepTransactions } from "./transactions.ts";
import { settleUnconfirmed, withoutUnconfirmed } from "./unconfirmed.ts";
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
  // Others of its order may have been left to be closed.
  if (applied.verdict === "applied" && applied.bundle.payments.length > 1) hub.signals.emit({ kind: "jobs" });
  return applied;
}

/** What the gateway said is evidence even when a mistake of ours undoes the change that it should have made. */
async function applyOrKeep(hub: Hub, before: PaymentRow, finding: Finding<PaymentAnswer>): Promise<Applied> {
  try {
    return await hub.store.write(async (tx) => {
      const order = await lockOrder(hub.store, tx, before.order_id);
      const bundle = await readBundle(tx, order);
      const payment = bundle.payments.find((one) => one.id === before.id);
      invariant(payment, `payment ${before.id} is gone`);
      return applyInTransaction(hub, tx, bundle, payment, before.version, finding);
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
  bundle: OrderBundle,
  payment: PaymentRow,
  version_read: number,
  finding: Finding<PaymentAnswer>,
): Promise<Applied> {
  const about = { shop_id: payment.shop_id, account_id: payment.account_id, subject: { type: "payment", id: payment.id } } as const;
  const { order } = bundle;
  const { outcome } = finding;
  if (outcome.certainty === "unknown" || outcome.certainty === "did_not") {
    await keepAnswer(hub, tx, about, finding, "kept");
    await touchAsked(tx, payment, finding);
    return { payment, bundle: await readBundle(tx, order, bundle), verdict: "kept" };
  }
  if (payment.version !== version_read) {
    await keepAnswer(hub, tx, about, finding, "superseded");
    return { payment, bundle, verdict: "superseded" };
  }
  const refunds_begun = bundle.refunds.some((refund) => refund.payment_id === payment.id && refund.status !== "failed");
  const { evidence, others } = chooseTransaction(payment, outcome.value, refunds_begun);
  const told = { ...outcome, value: answerAbout(outcome.value, evidence) };
  const judgement = judgeEvidence(payment, evidence, {
    heldElsewhere: heldElsewhere(bundle, payment.id),
    order_amount: order.amount,
    byHand: refundedByHand(bundle, payment.id, evidence.refunds ?? []),
    asked_at: finding.asked_at,
    refunds_begun,
  });
  const answer_id = await keepAnswer(hub, tx, about, { ...finding, outcome: told }, judgement.verdict);
  if (judgement.verdict === "refused") {
    await tx.updateTable("payments").set({ needs_attention: judgement.why, last_asked_at: finding.asked_at }).where("id", "=", payment.id).execute();
    return { payment: { ...payment, needs_attention: judgement.why }, bundle, verdict: "refused" };
  }
  const next = judgement.verdict === "applied" ? judgement.next : undefined;
  const doubt = judgement.verdict !== "applied" && judgement.doubt === true;
  const elsewhere = judgement.verdict !== "applied" && judgement.elsewhere === true;
  const source = { cause: finding.cause, answer_id, asked_at: finding.asked_at };
  // Whoever asked: a doubt is cleared up, also where no question was planned any more.
  if (doubt)
    await armJob(tx, {
      kind: "payment",
      subject_id: payment.id,
      account_id: payment.account_id,
      due_at: finding.asked_at + DOUBT_MS,
      priority: PRIORITY.notified,
    });
  const noted = elsewhere ? payment : await takeNotice(hub, tx, payment, evidence, source);
  // Every change answers what had not been confirmed; where nothing changes, the flag stands for its time.
  const answered = next ? { ...noted, ...withoutUnconfirmed(noted) } : noted;
  const settled = next || doubt ? answered : await settleUnconfirmed(hub, tx, answered, source);
  const saved = await savePayment(
    hub,
    tx,
    order,
    { ...settled, handles: handlesAfterDoubt(settled, doubt, finding.asked_at) },
    told,
    next,
    finding,
    elsewhere,
  );
  const rest = elsewhere && evidence.provider_id !== undefined ? [...others, { provider_id: evidence.provider_id, evidence }] : others;
  const matched = next && next.collected > 0n ? await matchMoney(tx, saved, finding.asked_at) : saved;
  const after = await keepElsewhere(hub, tx, bundle, matched, rest, source);
  if (next && !finding.plans_next && isCollectedNow(payment, after)) await planAfterPaid(hub, tx, after);
  if (!elsewhere) await adoptRefunds(hub, tx, order, after, evidence.refunds ?? [], finding.cause, answer_id);
  await keepTransactions(tx, payment, after, await readRefunds(tx, order.id), rest, finding.asked_at);
  // Its own money is gone, and another transaction has some: that one takes its place with the next answer.
  if (next?.status === "reversed" && rest.some((other) => other.evidence && holdsMoney(other.evidence))) await askAgain(hub, tx, after);
  if (!next) return { payment: after, bundle: await readBundle(tx, order, bundle), verdict: judgement.verdict };
  const changed = await tellPayment(hub, tx, order, payment, after, finding.cause, answer_id, bundle);
  return { payment: changed.payments.find((one) => one.id === after.id) ?? after, bundle: changed, verdict: "applied" };
}

/** An answer about one of its transactions: how the one that it named first is to be paid, and whether it can be, is not said of another. */
function answerAbout({ others: _others, ...answer }: PaymentAnswer, evidence: PaymentEvidence): PaymentAnswer {
  if (evidence === answer.evidence) return answer;
  return { evidence, ...(answer.handles ? { handles: answer.handles } : {}) };
}

function isCollectedNow(before: PaymentRow, after: PaymentRow): boolean {
  const again = before.status === "reversed" && after.status !== "reversed";
  return COLLECTED_STATUSES.includes(after.status) && (again || !COLLECTED_STATUSES.includes(before.status));
}

async function askAgain(hub: Hub, tx: Tx, { id, account_id }: PaymentRow): Promise<void> {
  await armJob(tx, { kind: "payment", subject_id: id, account_id, due_at: hub.clocks.business.now(), priority: PRIORITY.notified });
}

/** Paid money may still be taken back: it is asked about once more, whoever it was that learned of it first. */
async function planAfterPaid(hub: Hub, tx: Tx, payment: PaymentRow): Promise<void> {
  const due_at = plannedPoll(hub, payment, hub.clocks.business.now());
  if (due_at === undefined) return;
  await armJob(tx, { kind: "payment", subject_id: payment.id, account_id: payment.account_id, due_at, priority: PRIORITY.poll });
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

async function touchAsked(tx: Tx, payment: PaymentRow, { asked_at, operation }: Finding<PaymentAnswer>): Promise<void> {
  const opening = operation === "open" ? { opening_until: null } : {};
  await tx
    .updateTable("payments")
    .set({ last_asked_at: asked_at, waiting_for_quota_until: null, ...opening })
    .where("id", "=", payment.id)
    .execute();
}

async function savePayment(
  hub: Hub,
  tx: Tx,
  order: OrderRow,
  payment: PaymentRow,
  outcome: Extract<Outcome<PaymentAnswer>, { certainty: "did" }>,
  next: NextPayment | undefined,
  { asked_at, operation }: Finding<PaymentAnswer>,
  elsewhere: boolean,
): Promise<PaymentRow> {
  const now = hub.clocks.business.now();
  const closing = operation === "cancel" || operation === "expire";
  const details = detailsAfter(payment, outcome.value, elsewhere);
  const state = next ?? payment;
  const moved: PaymentRow = {
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
    paid_at: paidAt(payment, state, now),
    opening_until: operation === "open" ? null : payment.opening_until,
    closed_at: LIVE_STATUSES.includes(state.status) ? null : closing ? now : payment.closed_at,
    // Details alone leave the version: they take nothing from an answer that is on its way.
    version: next ? payment.version + 1 : payment.version,
    updated_at: next ? now : payment.updated_at,
  };
  const wanted = wantedAfter(hub, moved);
  const after: PaymentRow = { ...moved, wanted, needs_attention: attentionAfter(payment, { ...moved, wanted }, order) };
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

/** Money that came after all of it had been taken back came now. */
function paidAt(before: PaymentRow, { status, collected }: Pick<PaymentRow, "status" | "collected">, now: number): number | null {
  const again = before.status === "reversed" && status !== "reversed";
  return again ? now : (before.paid_at ?? (collected > 0n ? now : null));
}

/** Transition, event of the payment, and what follows for the order. @param known see `readBundle`. */
export async function tellPayment(
  hub: Hub,
  tx: Tx,
  order: OrderRow,
  from: PaymentRow,
  after: PaymentRow,
  cause: string,
  answer_id: string | null,
  known?: OrderBundle,
): Promise<OrderBundle> {
  const subject = { type: "payment", id: after.id } as const;
  await recordTransition(hub, tx, { shop_id: after.shop_id, subject, from: from.status, to: after.status, flags: after.flags, cause, answer_id });
  const derived = await rederiveOrder(hub, tx, closeIfOver(hub, order, after), cause, answer_id, known);
  const bundle = await closeWhatIsLeft(hub, tx, await clearAnswered(tx, derived));
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
