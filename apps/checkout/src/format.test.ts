import { describe, expect, test } from "vitest";
import { formatMoment, formatMoney, groupDigits } from "./format.ts";

describe("an amount", () => {
  test.each([
    [44000, "Rp 44.000"],
    [1, "Rp 1"],
    [0, "Rp 0"],
    [1234567890, "Rp 1.234.567.890"],
    [1500.5, "Rp 1.500,50"],
    [-2000, "-Rp 2.000"],
  ])("of rupiah %d is %s in both languages, with an ordinary space", (amount, text) => {
    expect(formatMoney(amount, "IDR", "id")).toBe(text);
    expect(formatMoney(amount, "IDR", "en")).toBe(text);
  });

  test("of another currency names it and keeps its decimals", () => {
    expect(formatMoney(12.5, "USD", "en")).toBe("USD 12.50");
    expect(formatMoney(12.5, "USD", "id")).toBe("USD 12,50");
    expect(formatMoney(500, "JPY", "en")).toBe("JPY 500");
  });
});

test("a number is grouped by four without losing or adding a digit", () => {
  expect(groupDigits("12345678901")).toEqual(["1234", "5678", "901"]);
  expect(groupDigits("8778000011112222").join("")).toBe("8778000011112222");
  expect(groupDigits("")).toEqual([]);
});

test("a moment carries its day and its zone", () => {
  const at = Date.parse("2026-11-22T08:30:00Z");
  expect(formatMoment(at, "id", "Asia/Jakarta")).toMatch(/^22 Nov 2026,? (pukul )?15\.30 WIB$/u);
  expect(formatMoment(at, "en", "Asia/Jakarta")).toMatch(/^22 Nov 2026, 15:30 (WIB|GMT\+7)$/u);
});
