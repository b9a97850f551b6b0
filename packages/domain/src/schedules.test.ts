import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { seededRandom } from "./random.ts";
import {
  AFTER_PAID_POLLS_MS,
  DELIVERY_GAPS_MS,
  deliveryGap,
  jitter,
  nextPaidPoll,
  nextPaymentPoll,
  PAYMENT_POLLS,
  REFUND_GAPS_MS,
  UNCONFIRMED_GAPS_MS,
} from "./schedules.ts";

// The numbers of the design, typed in by hand and in plain seconds: the code's own constants prove nothing.
const DELIVERY_S = [0, 5, 30, 120, 600, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];
const seconds = (list: readonly number[]): number[] => list.map((ms) => ms / 1_000);

describe("deliveries", () => {
  test("are tried twelve times with the gaps of the design, the last one some 75.7 hours after the first", () => {
    expect(seconds(DELIVERY_GAPS_MS)).toEqual(DELIVERY_S);
    expect(DELIVERY_GAPS_MS.reduce((sum, gap) => sum + gap, 0) / 3_600_000).toBeCloseTo(75.71, 2);
  });

  test("wait 5 s after the first attempt and end after the twelfth", () => {
    const random = seededRandom(1);
    expect(deliveryGap(1, random)).toBe(5_000);
    expect(deliveryGap(11, random)).toBeGreaterThan(0);
    expect(deliveryGap(12, random)).toBeUndefined();
  });

  test("are spread by at most 20 % each way from 30 s on, and not at all below", () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 0, max: 100_000_000 }), (seed, gap_ms) => {
        const spread = jitter(gap_ms, seededRandom(seed));
        if (gap_ms < 30_000) expect(spread).toBe(gap_ms);
        expect(spread).toBeGreaterThanOrEqual(Math.floor(gap_ms * 0.8));
        expect(spread).toBeLessThanOrEqual(Math.ceil(gap_ms * 1.2));
      }),
    );
    expect(jitter(100_000, { float: () => 0, bytes: () => new Uint8Array() })).toBe(80_000);
    expect(jitter(100_000, { float: () => 0.999_999, bytes: () => new Uint8Array() })).toBe(120_000);
  });
});

describe("questions", () => {
  test("about a payment follow the design's times", () => {
    expect(seconds(PAYMENT_POLLS.wallet.open_ms)).toEqual([60, 180, 420, 900]);
    expect(seconds(PAYMENT_POLLS.wallet.after_expiry_ms)).toEqual([0, 120, 600, 3_600, 86_400]);
    expect(seconds(PAYMENT_POLLS.va.open_ms)).toEqual([900, 3_600, 10_800, 21_600, 43_200]);
    expect(seconds(PAYMENT_POLLS.va.after_expiry_ms)).toEqual([0, 600, 3_600, 86_400, 259_200]);
    expect(seconds(AFTER_PAID_POLLS_MS)).toEqual([360, 86_400]);
  });

  test("about what a verified notification claims come after 5 s, 30 s, 2 m and 10 m", () => {
    expect(seconds(UNCONFIRMED_GAPS_MS)).toEqual([5, 30, 120, 600]);
  });

  test("about a refund come after 5 min, 1 h, 6 h and then daily, seven times", () => {
    expect(seconds(REFUND_GAPS_MS)).toEqual([300, 3_600, 21_600, 86_400, 86_400, 86_400, 86_400, 86_400, 86_400, 86_400]);
  });

  test("about a wallet payment of 15 minutes: 1, 3, 7, 15 (its expiry), 17, 25, 75 min, and a day after", () => {
    const asked: number[] = [];
    for (let at = nextPaymentPoll("wallet", 0, 900_000, 0); at !== undefined; at = nextPaymentPoll("wallet", 0, 900_000, at)) asked.push(at / 60_000);
    expect(asked).toEqual([1, 3, 7, 15, 17, 25, 75, 1_455]);
  });

  test("always lie ahead, come in order, include the expiry, and end", () => {
    fc.assert(
      fc.property(fc.constantFrom("wallet" as const, "va" as const), fc.integer({ min: 20_000, max: 604_800_000 }), (kind, life_ms) => {
        const opened = 1_000_000;
        const asked: number[] = [];
        for (
          let at = nextPaymentPoll(kind, opened, opened + life_ms, opened);
          at !== undefined;
          at = nextPaymentPoll(kind, opened, opened + life_ms, at)
        )
          asked.push(at);
        expect([...new Set(asked)].sort((a, b) => a - b)).toEqual(asked);
        expect(asked).toContain(opened + life_ms);
        expect(asked.length).toBeGreaterThanOrEqual(5);
      }),
    );
  });

  test("about a paid payment come 6 min and a day later, and then no more", () => {
    expect(nextPaidPoll(0, 0)).toBe(360_000);
    expect(nextPaidPoll(0, 360_000)).toBe(86_400_000);
    expect(nextPaidPoll(0, 86_400_000)).toBeUndefined();
  });
});
