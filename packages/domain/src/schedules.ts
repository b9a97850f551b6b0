import type { Random } from "./random.ts";

export const SECOND_MS = 1_000;
export const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;
export const DAY_MS = 86_400_000;

/** Gap before each attempt of a delivery. The last of twelve is some 75.7 hours after the first. */
export const DELIVERY_GAPS_MS: readonly number[] = [
  0,
  5 * SECOND_MS,
  30 * SECOND_MS,
  2 * MINUTE_MS,
  10 * MINUTE_MS,
  30 * MINUTE_MS,
  2 * HOUR_MS,
  5 * HOUR_MS,
  10 * HOUR_MS,
  14 * HOUR_MS,
  20 * HOUR_MS,
  24 * HOUR_MS,
];

const JITTER_FROM_MS = 30 * SECOND_MS;
const JITTER_SHARE = 0.2;

/** ±20 % from 30 s on. Shorter gaps stay as they are, so that an early retry never comes before its time. */
export function jitter(gap_ms: number, random: Random): number {
  if (gap_ms < JITTER_FROM_MS) return gap_ms;
  return Math.round(gap_ms * (1 - JITTER_SHARE + 2 * JITTER_SHARE * random.float()));
}

/** Gap after attempt number `attempt` (the first is 1), or undefined after the last. */
export function deliveryGap(attempt: number, random: Random): number | undefined {
  const gap = DELIVERY_GAPS_MS[attempt];
  return gap === undefined ? undefined : jitter(gap, random);
}

/** Questions about an open payment: offsets from its opening, then from its expiry (the one at 0 decides). */
export const PAYMENT_POLLS: Readonly<Record<"wallet" | "va", { readonly open_ms: readonly number[]; readonly after_expiry_ms: readonly number[] }>> =
  {
    wallet: { open_ms: [1, 3, 7, 15].map((m) => m * MINUTE_MS), after_expiry_ms: [0, 2 * MINUTE_MS, 10 * MINUTE_MS, 60 * MINUTE_MS, 24 * HOUR_MS] },
    va: {
      open_ms: [15 * MINUTE_MS, 1 * HOUR_MS, 3 * HOUR_MS, 6 * HOUR_MS, 12 * HOUR_MS],
      after_expiry_ms: [0, 10 * MINUTE_MS, 1 * HOUR_MS, 24 * HOUR_MS, 72 * HOUR_MS],
    },
  };

/** After a payment was paid: once more after the reversal window, and a day later. Offsets from the payment. */
export const AFTER_PAID_POLLS_MS: readonly number[] = [6 * MINUTE_MS, 24 * HOUR_MS];

/** When a verified notification says more than the answer does: ask again after these gaps, then flag `unconfirmed`. */
export const UNCONFIRMED_GAPS_MS: readonly number[] = [5 * SECOND_MS, 30 * SECOND_MS, 2 * MINUTE_MS, 10 * MINUTE_MS];

/** Questions about a refund or payout without a final answer, then a person: gap after the previous one. */
export const REFUND_GAPS_MS: readonly number[] = [5 * MINUTE_MS, 1 * HOUR_MS, 6 * HOUR_MS, ...Array.from({ length: 7 }, () => DAY_MS)];

/**
 * The next question about an open or closed payment, or undefined when nothing more is planned.
 * @param now_ms business time; every due time given back lies after it.
 */
export function nextPaymentPoll(kind: "wallet" | "va", opened_ms: number, expires_ms: number, now_ms: number): number | undefined {
  const plan = PAYMENT_POLLS[kind];
  const times = [...plan.open_ms.map((ms) => opened_ms + ms).filter((at) => at < expires_ms), ...plan.after_expiry_ms.map((ms) => expires_ms + ms)];
  return times.find((at) => at > now_ms);
}

/** The next question about a payment that is paid. */
export function nextPaidPoll(paid_ms: number, now_ms: number): number | undefined {
  return AFTER_PAID_POLLS_MS.map((ms) => paid_ms + ms).find((at) => at > now_ms);
}
