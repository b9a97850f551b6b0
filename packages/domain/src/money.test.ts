import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  AMOUNT_MAX_MINOR,
  amountNumber,
  CURRENCY_DECIMALS,
  formatAmount,
  isCurrency,
  money,
  parseAmount,
  wholeUnits,
  type Currency,
} from "./money.ts";

const currency = fc.constantFrom(...(Object.keys(CURRENCY_DECIMALS) as Currency[]));
const minor = fc.bigInt({ min: -AMOUNT_MAX_MINOR, max: AMOUNT_MAX_MINOR });

function minorOf(input: number | string, of: Currency = "IDR"): bigint | string {
  const result = parseAmount(input, of);
  return result.ok ? result.money.minor : result.message;
}

describe("an amount is read as it stands on the wire", () => {
  test.each<[number | string, Currency, bigint]>([
    [44000, "IDR", 4_400_000n],
    ["44000", "IDR", 4_400_000n],
    ["44000.00", "IDR", 4_400_000n],
    ["44000.5", "IDR", 4_400_050n],
    [0.01, "IDR", 1n],
    [" 7 ", "IDR", 700n],
    ["-12.30", "USD", -1_230n],
    [500, "JPY", 500n],
    ["500.000", "JPY", 500n],
    [0, "IDR", 0n],
    [-0, "IDR", 0n],
    ["9000000000000", "IDR", AMOUNT_MAX_MINOR],
  ])("%s %s", (input, of, expected) => expect(minorOf(input, of)).toBe(expected));

  test.each<[number | string, Currency]>([
    [0.1 + 0.2, "IDR"],
    ["44000.001", "IDR"],
    ["0.5", "JPY"],
  ])("%s %s has too many decimals: an error, never a rounding", (input, of) => expect(minorOf(input, of)).toContain("decimals"));

  test.each<number | string>([
    "",
    "Rp 44.000",
    "44,000",
    "1e3",
    "+5",
    "--5",
    "5.",
    ".5",
    "0x10",
    "٤٤",
    "1 000",
    Number.NaN,
    Number.POSITIVE_INFINITY,
    1e21,
    1e-7,
  ])("%s is not an amount", (input) => expect(minorOf(input)).toContain("must be a number or a decimal string"));

  test.each<number | string>(["9000000000000.01", 9_000_000_000_001, "-9000000000000.01"])("%s is more than the largest amount", (input) =>
    expect(minorOf(input)).toContain("larger than the largest amount"),
  );
});

describe("an amount survives", () => {
  test("being written as a string and read again", () => {
    fc.assert(
      fc.property(minor, currency, (value, of) => {
        expect(minorOf(formatAmount(money(value, of)), of)).toBe(value);
      }),
    );
  });

  test("being written as a JSON number and read again", () => {
    fc.assert(
      fc.property(minor, currency, (value, of) => {
        expect(minorOf(JSON.parse(JSON.stringify(amountNumber(money(value, of)))) as number, of)).toBe(value);
      }),
    );
  });

  test("any text: it is read exactly or refused, and never throws", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^-?\d{0,16}(\.\d{0,4})?$/)), currency, (text, of) => {
        const result = parseAmount(text, of);
        if (result.ok) expect(Number(formatAmount(result.money)) - Number(text)).toBe(0);
        else expect(result.message).not.toBe("");
      }),
    );
  });
});

test("an amount is written with all decimals of its currency", () => {
  expect(formatAmount(money(4_400_000n, "IDR"))).toBe("44000.00");
  expect(formatAmount(money(5n, "USD"))).toBe("0.05");
  expect(formatAmount(money(-5n, "USD"))).toBe("-0.05");
  expect(formatAmount(money(500n, "JPY"))).toBe("500");
});

test("whole units are given only where nothing is lost", () => {
  expect(wholeUnits(money(4_400_000n, "IDR"))).toBe(44_000);
  expect(wholeUnits(money(4_400_050n, "IDR"))).toBeUndefined();
  expect(wholeUnits(money(500n, "JPY"))).toBe(500);
});

test("a currency is one of ours, and not a word that every object knows", () => {
  expect(isCurrency("IDR")).toBe(true);
  expect(["idr", "EUR", "toString", "__proto__"].filter((word) => isCurrency(word))).toEqual([]);
});
