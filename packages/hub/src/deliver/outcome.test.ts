import { DAY_MS, DELIVERY_GAPS_MS, type HttpFault, seededRandom } from "@lunas/domain";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { classify, gapAfter, RESPONSE_KEPT_MAX, retryAfter } from "./outcome.ts";
import { answer, fault } from "./testing/stage.ts";

const NOW = Date.UTC(2026, 6, 17, 3, 0, 0);
const NO_WISH = { slow_down_ms: 0, retry_after_ms: 0 };

describe("what an attempt came to", () => {
  test("2xx and nothing else is delivered, 410 is the end, all else is tried again", () => {
    for (let status = 200; status <= 599; status += 1) {
      const expected = status < 300 ? "delivered" : status === 410 ? "gone" : "retry";
      expect([status, classify(answer(status), NOW).verdict]).toEqual([status, expected]);
      expect(classify(answer(status), NOW).fault).toBe(expected === "delivered" ? null : "http");
    }
  });

  test("a call without an answer is tried again, and says whose fault it was: only internal is ours", () => {
    const told: Record<HttpFault, string> = {
      dns: "dns",
      connect: "connect",
      tls: "tls",
      timeout: "timeout",
      reset: "connect",
      too_large: "http",
      blocked: "blocked",
      internal: "internal",
    };
    for (const [kind, expected] of Object.entries(told)) {
      expect(classify(fault(kind as HttpFault), NOW)).toMatchObject({ verdict: "retry", status: null, fault: expected });
    }
  });

  test("the answer is kept as text of at most 16 KiB, without what a database cannot hold", () => {
    const bytes = fc.uint8Array({ maxLength: 40_000 });
    fc.assert(
      fc.property(bytes, fc.constantFrom(200, 500), (body, status) => {
        const { response_body } = classify({ ok: true, status, headers: {}, body, elapsed_ms: 1 }, NOW);
        expect(response_body!.includes("\0")).toBe(false);
        expect(response_body!.isWellFormed()).toBe(true);
        expect(Buffer.byteLength(response_body!)).toBeLessThanOrEqual(RESPONSE_KEPT_MAX);
      }),
    );
  });

  test("a character that the limit cuts in two is left out, not made a question mark", () => {
    const { response_body } = classify(answer(200, {}, `${"a".repeat(RESPONSE_KEPT_MAX - 1)}é`), NOW);
    expect(response_body).toBe("a".repeat(RESPONSE_KEPT_MAX - 1));
  });
});

describe("Retry-After", () => {
  for (const [value, expected] of [
    [undefined, 0],
    ["0", 0],
    ["120", 120_000],
    [" 120 ", 120_000],
    ["86400", DAY_MS],
    ["86401", DAY_MS],
    ["99999999999999999999", DAY_MS],
    ["Fri, 17 Jul 2026 03:02:00 GMT", 120_000],
    ["Friday, 17-Jul-26 03:02:00 GMT", 120_000],
    ["Fri, 17 Jul 2026 02:00:00 GMT", 0],
    ["Fri, 17 Jul 2099 02:00:00 GMT", DAY_MS],
    ["-5", 0],
    ["1.5", 0],
    ["soon", 0],
    ["", 0],
    ["120, 240", 0],
    ["Friday", 0],
  ] as const) {
    test(`${JSON.stringify(value)} is ${expected} ms`, () => expect(retryAfter(value, NOW)).toBe(expected));
  }

  test("whatever it says, the wait lies between nothing and a day", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.date({ noInvalidDate: true }).map(String), fc.integer().map(String)), (value) => {
        const wait = retryAfter(value, NOW);
        expect(wait >= 0 && wait <= DAY_MS).toBe(true);
      }),
    );
  });
});

describe("the gap after an attempt", () => {
  test("is never shorter than the schedule's less its jitter, what was asked for, and the pause that a failure demands", () => {
    const any = fc.record({ slow_down_ms: fc.constantFrom(0, 60_000), retry_after_ms: fc.integer({ min: 0, max: DAY_MS }) });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), any, fc.integer(), (step, seen, seed) => {
        const gap = gapAfter(step, seen, seededRandom(seed));
        const base = DELIVERY_GAPS_MS[step];
        if (base === undefined) {
          expect(gap).toBeUndefined();
          return;
        }
        expect(gap).toBeGreaterThanOrEqual(Math.max(0.8 * base, seen.slow_down_ms, seen.retry_after_ms));
        expect(gap).toBeLessThanOrEqual(Math.max(1.2 * base, seen.slow_down_ms, seen.retry_after_ms));
      }),
    );
  });

  test("after the twelfth there is none", () => {
    expect(gapAfter(11, NO_WISH, seededRandom(1))).toBeTypeOf("number");
    expect(gapAfter(12, { slow_down_ms: 60_000, retry_after_ms: DAY_MS }, seededRandom(1))).toBeUndefined();
  });
});
