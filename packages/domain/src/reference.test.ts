import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { deriveReference, type ReferenceParts, type ReferenceRule } from "./reference.ts";

const MIDTRANS: ReferenceRule = { max_length: 50, extra_characters: "-_~." };
const LETTERS_ONLY: ReferenceRule = { max_length: 25, extra_characters: "" };

const parts = fc.record<ReferenceParts>({
  purpose: fc.constantFrom("payment", "refund", "payout", "purchase"),
  shop_id: fc.string({ minLength: 1, maxLength: 26 }),
  order_reference: fc.string({ unit: "grapheme", maxLength: 80 }),
  line: fc.nat(50),
  unit: fc.nat(50),
  attempt: fc.nat(50),
});
const rule = fc.record<ReferenceRule>({ max_length: fc.integer({ min: 12, max: 60 }), extra_characters: fc.constantFrom("", "-", "-_", "-_~.") });

const SAMPLE: ReferenceParts = { purpose: "payment", shop_id: "shp_1", order_reference: "INV/2026 07#17", line: 0, unit: 0, attempt: 1 };

describe("a reference for a provider", () => {
  test("is the same for the same parts, today and after an upgrade", () => {
    expect(deriveReference(SAMPLE, MIDTRANS)).toBe("INV20260717-pdcy2z5czbz8w7q1372p");
    expect(deriveReference(SAMPLE, LETTERS_ONLY)).toBe("pdcy2z5czbz8w7q1372p");
    fc.assert(
      fc.property(parts, rule, (p, r) => {
        expect(deriveReference({ ...p }, { ...r })).toBe(deriveReference(p, r));
      }),
    );
  });

  test("keeps to the provider's length and characters, whatever the shop's own reference is made of", () => {
    fc.assert(
      fc.property(parts, rule, (p, r) => {
        const reference = deriveReference(p, r);
        expect(reference.length).toBeGreaterThanOrEqual(12);
        expect(reference.length).toBeLessThanOrEqual(r.max_length);
        expect([...reference].filter((c) => !/[A-Za-z0-9]/.test(c) && !r.extra_characters.includes(c))).toEqual([]);
      }),
    );
  });

  test("differs when any part differs", () => {
    fc.assert(
      fc.property(parts, parts, rule, (a, b, r) => {
        const equal = (Object.keys(a) as (keyof ReferenceParts)[]).every((key) => a[key] === b[key]);
        expect(deriveReference(a, r) === deriveReference(b, r)).toBe(equal);
      }),
    );
    const others: ReferenceParts[] = [
      { ...SAMPLE, purpose: "refund" },
      { ...SAMPLE, shop_id: "shp_2" },
      { ...SAMPLE, order_reference: "INV/2026 0717" },
      { ...SAMPLE, line: 1 },
      { ...SAMPLE, unit: 1 },
      { ...SAMPLE, attempt: 2 },
      { ...SAMPLE, line: 1, unit: 1 },
      SAMPLE,
    ];
    expect(new Set(others.map((other) => deriveReference(other, LETTERS_ONLY))).size).toBe(others.length);
  });

  test("lets a person find the order by its head", () => {
    expect(deriveReference(SAMPLE, MIDTRANS)).toMatch(/^INV20260717-/);
  });

  test("has no head where the order's reference has no character that the provider takes", () => {
    expect(deriveReference({ ...SAMPLE, order_reference: "注文" }, MIDTRANS)).toMatch(/^[0-9a-hjkmnp-tv-z]{20}$/);
  });
});
