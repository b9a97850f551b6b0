import { COLLECTED_STATUSES, type Decision, decide, type Hint, paymentMachine, type PaymentObservation, type PaymentStatus } from "@lunas/domain";
import type { PaymentRow, RefundRow } from "./rows.ts";

/**
 * What a verified notification says of a transaction: never applied, only a reason to ask until an answer says as much. Of refunds it says
 * all that there have been so far, because two refunds in parts have the same status. Amounts in minor units.
 */
export interface Claim {
  readonly observation: PaymentObservation;
  readonly refunded: bigint;
  readonly confirmed: bigint;
  readonly notice?: string;
}

const NUMBERS = /^(refunded|confirmed)=(\d{1,18})$/;

/** A claim as text, its observation first: `partially_refunded refunded=1500000 confirmed=1000000`. */
export function writeClaim({ observation, refunded, confirmed, notice }: Hint | Claim): string | null {
  if (observation === undefined) return null;
  const parts = [refunded ? `refunded=${refunded}` : "", confirmed ? `confirmed=${confirmed}` : "", notice ? `notice=${notice}` : ""];
  return [observation, ...parts].filter((part) => part !== "").join(" ");
}

/** Reads what `writeClaim` wrote, also by an older program, which wrote the observation alone. */
export function readClaim(text: string | null | undefined): Claim | undefined {
  const [observation, ...parts] = (text ?? "").split(" ");
  if (!isObservation(observation)) return undefined;
  let claim: Claim = { observation, refunded: 0n, confirmed: 0n };
  for (const part of parts) {
    const number = NUMBERS.exec(part);
    if (number) claim = { ...claim, [number[1]!]: BigInt(number[2]!) };
    else if (part.startsWith("notice=")) claim = { ...claim, notice: part.slice("notice=".length) };
  }
  return claim;
}

/** The observation of a written claim: what people and the API are shown. */
export function claimWord(text: string | null): string | null {
  return text === null ? null : text.split(" ", 1)[0]!;
}

function isObservation(word: string | undefined): word is PaymentObservation {
  return word !== undefined && word !== "submit" && (paymentMachine.inputs as readonly string[]).includes(word);
}

/** What we know of a transaction by answers. Without `money` only its status counts. */
export interface Known {
  readonly status: PaymentStatus;
  readonly money?: { readonly collected: bigint; readonly refunded: bigint; readonly confirmed: bigint; readonly notice: string | undefined };
}

/** Under this name a payment's handles keep which notice a person was told of. */
export const NOTICE_HANDLE = "notice";

/** What we know of the transaction that a payment stands for. Refunds closed by hand are none that its gateway knows of. */
export function knownOf(payment: PaymentRow, refunds: readonly RefundRow[]): Known {
  const succeeded = refunds.filter((refund) => refund.payment_id === payment.id && refund.status === "succeeded");
  const sum = (some: readonly RefundRow[]): bigint => some.reduce((total, refund) => total + refund.amount, 0n);
  const byHand = sum(succeeded.filter((refund) => refund.proof !== null && refund.provider_id === null));
  const { status, collected } = payment;
  const refunded = payment.refunded - byHand;
  return { status, money: { collected, refunded, confirmed: sum(succeeded) - byHand, notice: payment.handles[NOTICE_HANDLE] } };
}

/** Whether a claim says more than what we know: then the gateway is asked again. */
export function claimIsOpen(known: Known, claim: Claim | undefined): boolean {
  if (claim === undefined) return false;
  const decision: Decision<PaymentStatus> = decide(paymentMachine, known.status, claim.observation);
  if (decision !== "same" && decision !== "stale") return true;
  if (!known.money || !COLLECTED_STATUSES.includes(known.status)) return false;
  const { collected, refunded, confirmed, notice } = known.money;
  // With a fee that the buyer paid on top more may go back than was ours.
  const told = claim.refunded > collected ? collected : claim.refunded;
  return told > refunded || claim.confirmed > confirmed || (claim.notice !== undefined && claim.notice !== notice);
}

/** How far along a transaction's life a claim is; among claims as far the later one stands. */
const FAR: Partial<Record<PaymentObservation, number>> = { pending: 0, authorized: 1, partially_refunded: 3, refunded: 4, reversed: 5 };

/** One claim for two of the same transaction, the second of which came later: both must be confirmed by answers. */
export function further(earlier: Claim | undefined, later: Claim): Claim {
  if (!earlier) return later;
  const far = (claim: Claim): number => FAR[claim.observation] ?? 2;
  const max = (a: bigint, b: bigint): bigint => (a > b ? a : b);
  const notice = later.notice ?? earlier.notice;
  return {
    observation: far(earlier) > far(later) ? earlier.observation : later.observation,
    refunded: max(earlier.refunded, later.refunded),
    confirmed: max(earlier.confirmed, later.confirmed),
    ...(notice === undefined ? {} : { notice }),
  };
}
