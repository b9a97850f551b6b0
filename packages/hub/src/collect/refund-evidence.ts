import { decide, derivedId, invariant, isEventType, REFUND_GAPS_MS, type RefundEvidence, type RefundInput, refundMachine } from "@lunas/domain";
import type { Hub } from "../hub.ts";
import { armJob, PRIORITY } from "../store/jobs.ts";
import type { Tx } from "../store/index.ts";
import { emitEvent, recordTransition } from "./emit.ts";
import { type OrderRow, type PaymentRow, type RefundRow, readBundle } from "./rows.ts";
import { orderOnly, paymentView, refundView } from "./views.ts";

const INPUT: Record<RefundEvidence["status"], RefundInput> = { accepted: "accepted", confirmed: "confirmed", refused: "refused" };

/**
 * Takes in what an answer says of refunds: ours move on, and those that somebody made in the gateway's own dashboard are adopted,
 * so that the sum of all refunds is known whoever made them. What is not final is followed until it is.
 */
export async function adoptRefunds(
  hub: Hub,
  tx: Tx,
  order: OrderRow,
  payment: PaymentRow,
  told: readonly RefundEvidence[],
  cause: string,
  answer_id: string | null,
): Promise<void> {
  for (const evidence of told) {
    const provider_key = evidence.key ?? evidence.provider_id;
    if (provider_key === undefined) continue;
    const known = await tx
      .selectFrom("refunds")
      .selectAll()
      .where("payment_id", "=", payment.id)
      .where("provider_key", "=", provider_key)
      .executeTakeFirst();
    // A person was asked about it because the gateway says no more than that for days: the same again is no news.
    if (known?.status === "manual" && known.provider_id !== null && evidence.status === "accepted") continue;
    const refund = known ?? (await insertAdopted(hub, tx, payment, provider_key, evidence));
    const told = asTold(refund, evidence);
    const after = await moveRefund(
      hub,
      tx,
      order,
      payment,
      told,
      INPUT[evidence.status],
      cause,
      answer_id,
      evidence.provider_id,
      differenceOf(refund, told),
    );
    // Nobody sent it, or whoever did has stopped asking.
    const unwatched = known === undefined || known.status === "failed" || known.status === "manual";
    if (unwatched && after.status === "submitted") await followRefund(hub, tx, payment, after);
  }
}

/** What went out is what the gateway says went out, whatever we asked for: a key may stand for a refund of before a restore. */
export function asTold(refund: RefundRow, evidence: RefundEvidence): RefundRow {
  return evidence.status === "refused" || evidence.amount <= 0n ? refund : { ...refund, amount: evidence.amount };
}

export function differenceOf(refund: RefundRow, told: RefundRow): string | undefined {
  return refund.amount === told.amount ? undefined : "the gateway refunded another amount under this key than was asked for";
}

/** Plans the questions about a refund that is not sent by us, or not any more. */
async function followRefund(hub: Hub, tx: Tx, payment: PaymentRow, refund: RefundRow): Promise<void> {
  await armJob(tx, {
    kind: "refund",
    subject_id: refund.id,
    account_id: payment.account_id,
    due_at: hub.clocks.business.now() + REFUND_GAPS_MS[0]!,
    priority: PRIORITY.poll,
    payload: { asked: 1 },
  });
}

/** The same for whoever refunded what under this key: a hub that was restored from an older copy finds its own refund, and tells it under the ids of before. */
export function refundId(payment: PaymentRow, provider_key: string): string {
  return derivedId("refund", payment.id, provider_key);
}

async function insertAdopted(hub: Hub, tx: Tx, payment: PaymentRow, provider_key: string, evidence: RefundEvidence): Promise<RefundRow> {
  const now = hub.clocks.business.now();
  const row: RefundRow = {
    id: refundId(payment, provider_key),
    shop_id: payment.shop_id,
    order_id: payment.order_id,
    payment_id: payment.id,
    provider_key,
    provider_id: evidence.provider_id ?? null,
    amount: evidence.amount,
    currency: payment.currency,
    reason: evidence.reason ?? null,
    status: "created",
    origin: "provider",
    needs_attention: null,
    proof: null,
    submitted_at: now,
    succeeded_at: null,
    waiting_for_quota_until: null,
    version: 1,
    created_at: now,
    updated_at: now,
  };
  await tx.insertInto("refunds").values(row).execute();
  return row;
}

/** Moves a refund by its table and tells of it. A word that brings nothing new changes nothing. Gives the refund as it is after it. */
export async function moveRefund(
  hub: Hub,
  tx: Tx,
  order: OrderRow,
  payment: PaymentRow,
  refund: RefundRow,
  input: RefundInput,
  cause: string,
  answer_id: string | null,
  provider_id?: string,
  attention?: string,
): Promise<RefundRow> {
  const decision = decide(refundMachine, refund.status, input);
  if (decision === "same" || decision === "stale") return refund;
  const now = hub.clocks.business.now();
  const after: RefundRow = {
    ...refund,
    status: decision.to,
    provider_id: provider_id ?? refund.provider_id,
    needs_attention: attention ?? (decision.to === "succeeded" ? null : refund.needs_attention),
    succeeded_at: decision.to === "succeeded" ? now : refund.succeeded_at,
    version: refund.version + 1,
    updated_at: now,
  };
  const { id, ...columns } = after;
  const saved = await tx.updateTable("refunds").set(columns).where("id", "=", id).where("version", "=", refund.version).executeTakeFirst();
  invariant(saved.numUpdatedRows === 1n, `refund ${id} changed under its order's lock`);
  const subject = { type: "refund", id } as const;
  await recordTransition(hub, tx, { shop_id: refund.shop_id, subject, from: refund.status, to: after.status, flags: [], cause, answer_id });
  const type: string = `refund.${after.status}`;
  if (isEventType(type)) {
    const bundle = await readBundle(tx, order);
    await emitEvent(hub, tx, {
      shop_id: refund.shop_id,
      type,
      subject,
      order_id: order.id,
      payment_id: payment.id,
      data: { refund: refundView(after), payment: paymentView(hub, bundle, payment), order: orderOnly(hub, order) },
    });
  }
  return after;
}
