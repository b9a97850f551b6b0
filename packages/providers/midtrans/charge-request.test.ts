import fc from "fast-check";
import { money } from "@lunas/domain";
import { describe, expect, test } from "vitest";
import { chargeRequest, customerDetails, cut, itemDetails, snapRequest, wholeRupiah } from "./charge-request.ts";
import { METHODS } from "./methods.ts";
import { intent, MINUTE, NOW } from "./testing.ts";

const gopay = METHODS["gopay"]!;
const snap = METHODS["snap"]!;

function refusalOf(built: ReturnType<typeof chargeRequest> | ReturnType<typeof snapRequest>): unknown {
  return built.ok ? "no refusal" : [built.refusal.code, built.refusal.fields?.[0]?.field];
}

describe("the lines of a charge", () => {
  const item = (name: string, price: bigint, quantity = 1) => ({ name, quantity, price: money(price * 100n, "IDR") });

  test("are the shop's where they sum to the amount", () => {
    expect(itemDetails(intent, 25_000)).toEqual({ ok: true, request: [{ id: "KOPI-1", name: "Kopi susu", price: 12_500, quantity: 2 }] });
  });

  test("get one more where they do not, positive or negative", () => {
    const lines = (amount: number) => itemDetails({ ...intent, items: [item("A", 10_000n)] }, amount);
    expect(lines(13_000)).toMatchObject({ request: [{ price: 10_000 }, { id: "adjustment", price: 3_000, quantity: 1, name: "Other charges" }] });
    expect(lines(9_000)).toMatchObject({ request: [{ price: 10_000 }, { id: "adjustment", price: -1_000, quantity: 1, name: "Discount" }] });
  });

  test("are one with the whole amount where the shop listed none", () => {
    expect(itemDetails({ ...intent, items: [] }, 25_000)).toEqual({ ok: true, request: [{ price: 25_000, quantity: 1, name: "Order order-7" }] });
  });

  test("always sum to the amount, with names of 1 to 50 characters, or are refused with the field that is in the way", () => {
    const items = fc.array(
      fc.record({
        name: fc.string({ unit: "binary", maxLength: 80 }),
        quantity: fc.oneof({ weight: 9, arbitrary: fc.integer({ min: 1, max: 10_000 }) }, fc.integer({ min: -1, max: 0 })),
        price: fc
          .oneof({ weight: 9, arbitrary: fc.bigInt(-100_000n, 100_000n).map((rupiah) => rupiah * 100n) }, fc.bigInt(-(10n ** 13n), 10n ** 14n))
          .map((minor) => money(minor, "IDR")),
        sku: fc.string({ maxLength: 70 }),
      }),
      { maxLength: 6 },
    );
    fc.assert(
      fc.property(items, fc.integer({ min: 1, max: 99_999_999_999 }), (list, amount) => {
        const built = itemDetails({ ...intent, items: list }, amount);
        if (!built.ok) {
          expect(built.refusal.fields?.[0]?.field).toMatch(/^(amount|items\[\d\]\.(price|quantity))$/);
          return;
        }
        expect(built.request.reduce((sum, line) => sum + BigInt(line.price) * BigInt(line.quantity), 0n)).toBe(BigInt(amount));
        for (const line of built.request) {
          expect(line.name.length).toBeGreaterThan(0);
          expect(line.name.length).toBeLessThanOrEqual(50);
          expect(line.id?.length ?? 0).toBeLessThanOrEqual(50);
          expect(Number.isSafeInteger(line.price)).toBe(true);
        }
      }),
    );
  });

  test("are refused where no line of the provider could make up the difference", () => {
    const huge = itemDetails({ ...intent, items: [item("A", 99_000_000_000n, 3)] }, 25_000);
    expect(huge).toMatchObject({ ok: false, refusal: { code: "amount", fields: [{ field: "amount" }] } });
  });

  test("a name is never cut through the middle of a character", () => {
    expect(cut("\u{1F600}".repeat(30), 50)).toBe("\u{1F600}".repeat(25));
    expect(cut(`a${"\u{1F600}".repeat(30)}`, 50)).toBe(`a${"\u{1F600}".repeat(24)}`);
    expect(cut("Kopi", 50)).toBe("Kopi");
  });
});

describe("whole rupiah", () => {
  test.each([
    ["a fraction", { ...intent, amount: money(2_500_050n, "IDR") }, "amount"],
    ["a fraction in an item", { ...intent, items: [{ name: "A", quantity: 1, price: money(150n, "IDR") }] }, "items[0].price"],
    ["another currency", { ...intent, amount: money(2_500n, "USD") }, "amount"],
    ["nothing", { ...intent, amount: money(0n, "IDR") }, "amount"],
    ["less than nothing", { ...intent, amount: money(-100n, "IDR") }, "amount"],
    ["more than the provider takes", { ...intent, amount: money(10_000_000_000_000n, "IDR") }, "amount"],
  ])("%s is refused with the field that has it", (_name, wrong, field) => {
    expect(refusalOf(chargeRequest(wrong, gopay, NOW))).toEqual(["amount", field]);
    expect(refusalOf(snapRequest(wrong, snap, NOW))).toEqual(["amount", field]);
  });

  test("the largest amount of the page is taken", () => {
    expect(wholeRupiah(money(9_999_999_999_900n, "IDR"), "amount")).toEqual({ ok: true, request: 99_999_999_999 });
  });
});

describe("the customer", () => {
  test("is a first name and the rest, without what is not known", () => {
    expect(customerDetails({ name: "Budi Eko Santoso", email: "b@example.com" })).toEqual({
      first_name: "Budi",
      last_name: "Eko Santoso",
      email: "b@example.com",
    });
    expect(customerDetails({ name: " Budi " })).toEqual({ first_name: "Budi" });
    expect(customerDetails({})).toBeUndefined();
  });

  test("has a name cut to the bank's limit, and no half of a number", () => {
    expect(customerDetails({ name: "x".repeat(40), phone: "0".repeat(31) }, 30)).toEqual({ first_name: "x".repeat(30) });
    expect(customerDetails({ email: `${"x".repeat(255)}@example.com` })).toBeUndefined();
  });
});

describe("expiry", () => {
  const expiry = (over: Partial<typeof intent>, now = NOW) => {
    const built = chargeRequest({ ...intent, ...over }, gopay, now);
    return built.ok ? built.request.custom_expiry : refusalOf(built);
  };

  test("is counted from the order's time at GMT+7, in minutes where it is whole ones", () => {
    expect(expiry({})).toEqual({ order_time: "2026-07-17 10:00:00 +0700", expiry_duration: 15, unit: "minute" });
    expect(expiry({ expires_at: NOW + 95_000 })).toEqual({ order_time: "2026-07-17 10:00:00 +0700", expiry_duration: 95, unit: "second" });
  });

  test("of a repeated charge is that of the first", () => {
    expect(expiry({ submitted_at: NOW }, NOW + 4 * MINUTE)).toEqual(expiry({}));
  });

  test("is no longer than the method's, and a time too short is refused", () => {
    expect(expiry({ expires_at: NOW + 30 * 24 * 60 * MINUTE })).toMatchObject({ expiry_duration: 7 * 24 * 60, unit: "minute" });
    expect(expiry({ expires_at: NOW + 19_000 })).toEqual(["state", "expires_at"]);
  });

  test("of a Snap page is whole minutes that end at the payment's own end, and closes the page too", () => {
    const built = snapRequest({ ...intent, expires_at: NOW + 90_000 }, snap, NOW);
    expect(built).toMatchObject({
      request: { expiry: { start_time: "2026-07-17 09:59:30 +0700", duration: 2, unit: "minutes" }, page_expiry: { duration: 5, unit: "minutes" } },
    });
    const days = snapRequest({ ...intent, expires_at: NOW + 30 * 24 * 60 * MINUTE }, snap, NOW);
    expect(days).toMatchObject({ request: { expiry: { duration: 10_080 }, page_expiry: { duration: 10_080 } } });
    expect(refusalOf(snapRequest({ ...intent, expires_at: NOW + 59_000 }, snap, NOW))).toEqual(["state", "expires_at"]);
  });
});

test("a return address longer than Snap takes is refused, not cut", () => {
  const return_url = `https://shop.example/${"x".repeat(255)}`;
  expect(refusalOf(snapRequest({ ...intent, return_url }, snap, NOW))).toEqual(["invalid", "return_url"]);
});
