import {
  CLOSED_STATUSES,
  COLLECTED_STATUSES,
  decide,
  type PaymentAnswer,
  type PaymentEvidence,
  type PaymentFlag,
  paymentMachine,
  type PaymentStatus,
} from "@lunas/domain";
import type { PaymentRow } from "./rows.ts";
import { holdsMoney, isOwn } from "./transactions.ts";

/** What evidence makes of a payment: pure, so that every order and repetition of evidence can be tried in a test. */
export interface NextPayment {
  readonly status: PaymentStatus;
  readonly flags: readonly PaymentFlag[];
  readonly collected: bigint;
  readonly refunded: bigint;
  readonly reversed: bigint;
  readonly buyer_fee: bigint;
}

export type Judgement =
  /** Status or money changed: a transition, told to the outside. */
  | { readonly verdict: "applied"; readonly next: NextPayment }
  /** `doubt`: it is to be said again before it counts. `elsewhere`: it speaks of another transaction than the one whose money the payment has. */
  | { readonly verdict: "same" | "stale"; readonly doubt?: boolean; readonly elsewhere?: boolean }
  /** The answer speaks of something else than what was asked about: kept, flagged for a person, changes nothing. */
  | { readonly verdict: "refused"; readonly why: string };

/**
 * @param heldElsewhere what the shop holds of this order's money through its other payments, minor units.
 * @param order_amount what the order asks for, minor units.
 * @param byHand refunds that a person closed with proof, which the gateway does not count.
 * @param refunds_begun whether refunds of this payment were made or begun.
 */
export function judgeEvidence(
  payment: PaymentRow,
  evidence: PaymentEvidence,
  context: { heldElsewhere: bigint; order_amount: bigint; byHand: bigint; asked_at: number; refunds_begun: boolean },
): Judgement {
  if (evidence.reference !== payment.reference)
    return { verdict: "refused", why: `the gateway answered about ${evidence.reference}, not about ${payment.reference}` };
  if (evidence.currency !== payment.currency)
    return { verdict: "refused", why: `the gateway answered in ${evidence.currency}, the payment is in ${payment.currency}` };
  const other = !isOwn(payment, evidence.provider_id) && payment.provider_id !== null;
  // Its money is one transaction's. What is in another one is money beside it, unless all of it was taken back and the buyer has paid again.
  const takes_over = payment.status === "reversed" && holdsMoney(evidence) && !context.refunds_begun && payment.refunded === 0n;
  if (other && COLLECTED_STATUSES.includes(payment.status) && !takes_over) return { verdict: "stale", elsewhere: true };
  const decision = decide(paymentMachine, payment.status, evidence.status);
  if (decision === "stale") return { verdict: "stale" };
  const to = decision === "same" ? payment.status : decision.to;
  const status = payment.status === "reversed" ? afterReversal(payment, to) : to;
  if (!other && isDoubtful(payment, evidence, status, context.asked_at)) return { verdict: "stale", doubt: true };
  const money = moneyAfter(other ? { ...payment, buyer_fee: 0n } : payment, evidence, status, context.byHand);
  // "Some of it went back" without how much is no news that could be told.
  if (status === "partially_refunded" && money.refunded === 0n) return { verdict: "stale" };
  const next: NextPayment = { status, ...money, flags: flagsAfter(other ? withoutAmountFlags(payment) : payment, status, money.collected, context) };
  const moved =
    status !== payment.status || money.collected !== payment.collected || money.refunded !== payment.refunded || money.reversed !== payment.reversed;
  return moved ? { verdict: "applied", next } : { verdict: "same" };
}

/** How far apart two answers must be that take money away, and how long to wait before the second question. */
export const DOUBT_MS = 30_000;
const DOUBT_HANDLE = "doubt_since";

/**
 * "Failed" or "canceled" after "paid" may be an answer that lags behind late money as well as money that is gone: it counts only when the
 * gateway says so again in a later answer (midtrans.md §10: read again before a downgrade). A chargeback has a word of its own and counts at once.
 * In the same way "paid" after it was taken back may lag behind the reversal as well as be money that came after it.
 */
function isDoubtful(payment: PaymentRow, evidence: PaymentEvidence, status: PaymentStatus, asked_at: number): boolean {
  const gone = status === "reversed" && payment.status !== "reversed" && (evidence.status === "failed" || evidence.status === "canceled");
  const back = status !== "reversed" && payment.status === "reversed";
  if (!gone && !back) return false;
  const since = payment.handles[DOUBT_HANDLE];
  return since === undefined || asked_at - Number(since) < DOUBT_MS;
}

export function isInDoubt(payment: PaymentRow): boolean {
  return payment.handles[DOUBT_HANDLE] !== undefined;
}

/** Remembers a doubt, or that it is over. */
export function handlesAfterDoubt(payment: PaymentRow, doubt: boolean, asked_at: number): Record<string, string> {
  const { [DOUBT_HANDLE]: since, ...handles } = payment.handles;
  return doubt ? { ...handles, [DOUBT_HANDLE]: since ?? String(asked_at) } : handles;
}

/** What went back before the rest was taken back is still gone when the rest comes again. */
function afterReversal(payment: PaymentRow, status: PaymentStatus): PaymentStatus {
  if (status !== "paid" || payment.refunded === 0n) return status;
  return payment.refunded >= payment.collected ? "refunded" : "partially_refunded";
}

function withoutAmountFlags(payment: PaymentRow): PaymentRow {
  return { ...payment, flags: payment.flags.filter((flag) => flag !== "underpaid" && flag !== "overpaid") };
}

function moneyAfter(payment: PaymentRow, evidence: PaymentEvidence, status: PaymentStatus, byHand: bigint): Omit<NextPayment, "status" | "flags"> {
  if (!COLLECTED_STATUSES.includes(status)) return { collected: 0n, refunded: 0n, reversed: 0n, buyer_fee: 0n };
  const collected = evidence.amount ?? (payment.collected > 0n ? payment.collected : payment.amount);
  const buyer_fee = evidence.buyer_fee ?? payment.buyer_fee;
  // A lagging answer may know less of refunds than we do: what went back never shrinks.
  const told = (evidence.refunded ?? 0n) + byHand;
  let refunded = told > payment.refunded ? told : payment.refunded;
  if (status === "refunded") refunded = collected;
  if (refunded > collected) refunded = collected;
  const reversed = status === "reversed" ? (evidence.reversed ?? collected - refunded) : 0n;
  return { collected, refunded, reversed, buyer_fee };
}

function flagsAfter(
  payment: PaymentRow,
  status: PaymentStatus,
  collected: bigint,
  context: { heldElsewhere: bigint; order_amount: bigint },
): PaymentFlag[] {
  const flags = new Set(payment.flags);
  if (!COLLECTED_STATUSES.includes(status)) return [...flags].filter((flag) => flag !== "unconfirmed");
  if (CLOSED_STATUSES.includes(payment.status)) flags.add("late");
  if (collected < payment.amount) flags.add("underpaid");
  if (collected > payment.amount) flags.add("overpaid");
  if (status !== "reversed" && context.heldElsewhere >= context.order_amount) flags.add("duplicate");
  // Every change answers what had not been confirmed.
  flags.delete("unconfirmed");
  return [...flags];
}

/** Details that an answer brings beside state and money: how to pay, the gateway's id, other handles. */
export function detailsAfter(
  payment: PaymentRow,
  answer: PaymentAnswer,
  elsewhere = false,
): { provider_id: string | null; handles: Record<string, string>; actions: PaymentRow["actions"]; expires_at: number } {
  const actions = answer.actions && answer.actions.length > 0 ? [...answer.actions] : payment.actions;
  // Found by a question, which does not say how to pay: nobody could be shown it.
  const mute = payment.status === "submitted" && payment.wanted === "open" && answer.evidence.status === "pending" && actions.length === 0;
  const handles = { ...payment.handles, ...answer.handles, ...(answer.unusable || mute ? { unusable: "true" } : {}) };
  return {
    provider_id: elsewhere ? payment.provider_id : (answer.evidence.provider_id ?? payment.provider_id),
    handles,
    actions,
    expires_at: elsewhere ? payment.expires_at : (answer.evidence.expires_at ?? payment.expires_at),
  };
}
