import { HOUR_MS } from "@lunas/domain";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Health, healthAfter, shouldPause } from "./health.ts";

const NOW = 1_790_000_000_000;
const FRESH: Health = { failures_in_row: 0, first_failure_at: null, last_success_at: null };

describe("an endpoint's health", () => {
  test("is the same whether its attempts are counted one by one or in groups", () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 150 }), fc.nat({ max: 150 }), (attempts, cut) => {
        const whole = healthAfter(FRESH, attempts, NOW);
        const first = healthAfter(FRESH, attempts.slice(0, cut), NOW);
        expect(healthAfter(first.next, attempts.slice(cut), NOW).next).toEqual(whole.next);
      }),
    );
  });

  test("counts the failures since the last success", () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 150 }), (attempts) => {
        const { next } = healthAfter(FRESH, attempts, NOW);
        expect(next.failures_in_row).toBe(attempts.length - 1 - attempts.lastIndexOf(true));
        expect(next.first_failure_at === null).toBe(next.failures_in_row === 0);
      }),
    );
  });

  test("a success after failures is a recovery, also when both come in one group", () => {
    expect(healthAfter(FRESH, [true, true], NOW).recovered).toBe(false);
    expect(healthAfter(FRESH, [false, true], NOW).recovered).toBe(true);
    expect(healthAfter({ ...FRESH, failures_in_row: 3, first_failure_at: NOW - 1 }, [true], NOW).recovered).toBe(true);
    expect(healthAfter({ ...FRESH, failures_in_row: 3, first_failure_at: NOW - 1 }, [false], NOW).recovered).toBe(false);
  });

  test("a healthy endpoint is written once a minute, a failing one each time", () => {
    const healthy: Health = { ...FRESH, last_success_at: NOW };
    expect(healthAfter(healthy, [true, true], NOW + 59_999).changed).toBe(false);
    expect(healthAfter(healthy, [true, true], NOW + 60_000).changed).toBe(true);
    expect(healthAfter(healthy, [false], NOW).changed).toBe(true);
  });

  test("alerts when 50, 70, 90 and 100 are reached, also in the middle of a group, and not when a success has followed", () => {
    const at = (failures_in_row: number, attempts: boolean[]) =>
      healthAfter({ ...FRESH, failures_in_row, first_failure_at: NOW }, attempts, NOW).alert;
    expect([49, 69, 89, 99].map((count) => at(count, [false]))).toEqual([50, 70, 90, 100]);
    expect([48, 50, 51, 100].map((count) => at(count, [false]))).toEqual([undefined, undefined, undefined, undefined]);
    expect(
      at(
        45,
        Array.from({ length: 10 }, () => false),
      ),
    ).toBe(50);
    expect(at(49, [false, true])).toBeUndefined();
  });

  test("pauses at a hundred in a row, or after 72 hours of nothing but failures", () => {
    expect(shouldPause({ ...FRESH, failures_in_row: 99, first_failure_at: NOW }, NOW)).toBe(false);
    expect(shouldPause({ ...FRESH, failures_in_row: 100, first_failure_at: NOW }, NOW)).toBe(true);
    expect(shouldPause({ ...FRESH, failures_in_row: 2, first_failure_at: NOW - 72 * HOUR_MS + 1 }, NOW)).toBe(false);
    expect(shouldPause({ ...FRESH, failures_in_row: 2, first_failure_at: NOW - 72 * HOUR_MS }, NOW)).toBe(true);
    expect(shouldPause(FRESH, NOW)).toBe(false);
  });
});
