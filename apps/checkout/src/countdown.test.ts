import { describe, expect, test } from "vitest";
import { clockOffset, formatRemaining, isUrgent, remaining, warningBetween } from "./countdown.ts";

const at = (text: string): number => Date.parse(text);

test("the time left is the server's, however wrong the device's clock is", () => {
  const device_now = at("2031-01-01T00:00:00Z");
  const offset = clockOffset("2026-11-21T10:00:00.000Z", device_now);
  expect(remaining("2026-11-21T10:15:00.000Z", device_now + offset)).toBe(15 * 60_000);
  expect(remaining("2026-11-21T10:15:00.000Z", device_now + 60_000 + offset)).toBe(14 * 60_000);
});

test("after the deadline nothing is left, never less than nothing", () => {
  expect(remaining("2026-11-21T10:00:00Z", at("2026-11-21T10:00:00Z"))).toBe(0);
  expect(remaining("2026-11-21T10:00:00Z", at("2026-11-21T11:00:00Z"))).toBe(0);
});

test("without a readable deadline there is no countdown", () => {
  expect(remaining(null, 0)).toBeUndefined();
  expect(remaining("soon", 0)).toBeUndefined();
});

test.each([
  [15 * 60_000, "15:00"],
  [899_001, "15:00"],
  [899_000, "14:59"],
  [59_000, "00:59"],
  [1, "00:01"],
  [0, "00:00"],
  [3_600_000, "01:00:00"],
  [86_399_000, "23:59:59"],
  [6 * 86_400_000 + 4 * 3_600_000 + 5_000, "6d 04:00:05"],
])("%d ms is shown as %s", (left, text) => {
  expect(formatRemaining(left, "d")).toBe(text);
});

describe("a screen reader is warned", () => {
  test("once at five minutes and once at one, and not in between", () => {
    const told: (number | undefined)[] = [];
    for (let left = 360_000; left > 1_000; left -= 1_000) told.push(warningBetween(left, left - 1_000));
    expect(told.filter((s) => s !== undefined)).toEqual([300, 60]);
  });

  test("of the nearer one where a sleeping tab skipped both", () => {
    expect(warningBetween(600_000, 30_000)).toBe(60);
  });

  test("not when the time is over, nor when it was moved on", () => {
    expect(warningBetween(61_000, 0)).toBeUndefined();
    expect(warningBetween(50_000, 900_000)).toBeUndefined();
  });
});

test("the last two minutes are urgent", () => {
  expect(isUrgent(120_000)).toBe(true);
  expect(isUrgent(120_001)).toBe(false);
});
