import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ManualClock } from "./clock.ts";
import { ID_LENGTH, ID_PREFIXES, idMaker, isId, type IdKind } from "./ids.ts";
import { seededRandom, type Random } from "./random.ts";

const KINDS = Object.keys(ID_PREFIXES) as IdKind[];

describe("ids", () => {
  test("have 26 characters, their kind's prefix and the alphabet without i, l, o and u", () => {
    const newId = idMaker(new ManualClock(), seededRandom(1));
    for (const kind of KINDS) {
      const id = newId(kind);
      expect(id).toMatch(/^[a-z]{3}_[0-9a-hjkmnp-tv-z]{22}$/);
      expect(id).toHaveLength(26);
      expect(id.slice(0, 3)).toBe(ID_PREFIXES[kind]);
      expect(isId(id, kind)).toBe(true);
    }
    expect(ID_LENGTH).toBe(26);
  });

  test("have a prefix of their own", () => {
    expect(new Set(Object.values(ID_PREFIXES)).size).toBe(KINDS.length);
    expect(Object.values(ID_PREFIXES).filter((prefix) => !/^[a-z]{3}$/.test(prefix))).toEqual([]);
  });

  test("stay within an Idempotency-Key of 36 characters behind the name of an operation (midtrans.md §12)", () => {
    const newId = idMaker(new ManualClock(), seededRandom(1));
    for (const operation of ["charge", "cancel", "expire", "refund"]) expect(`${operation}-${newId("payment")}`.length).toBeLessThanOrEqual(36);
  });

  test("of one process are strictly increasing, even when the clock stands still or steps back", () => {
    fc.assert(
      fc.property(fc.integer(), fc.array(fc.integer({ min: -5_000, max: 5_000 }), { minLength: 2, maxLength: 200 }), (seed, steps) => {
        const clock = new ManualClock();
        const newId = idMaker(clock, seededRandom(seed));
        const ids = steps.map((step) => {
          clock.advance(step);
          return newId("event");
        });
        expect([...ids].sort()).toEqual(ids);
        expect(new Set(ids).size).toBe(ids.length);
      }),
    );
  });

  test("sort by the time of their making across processes", () => {
    const early = idMaker(new ManualClock(1_000), seededRandom(1))("order");
    const late = idMaker(new ManualClock(1_001), seededRandom(2))("order");
    expect(early < late).toBe(true);
  });

  test("stay increasing within a millisecond from the highest random start", () => {
    const highest: Random = { float: () => 0.999_999, bytes: (count) => new Uint8Array(count).fill(255) };
    const newId = idMaker(new ManualClock(), highest);
    const ids = Array.from({ length: 10_000 }, () => newId("job"));
    expect([...ids].sort()).toEqual(ids);
  });

  test("of two processes in the same millisecond differ", () => {
    const ids = Array.from({ length: 500 }, (_, seed) => idMaker(new ManualClock(), seededRandom(seed))("payment"));
    expect(new Set(ids).size).toBe(500);
  });

  test.each([
    "",
    "pay_",
    "ord_0123456789abcdefghjkmn",
    "pay_0123456789abcdefghjkm",
    "pay_0123456789abcdefghjkmnp",
    "pay_0123456789ABCDEFGHJKMN",
    "pay_0123456789abcdefghilou",
    "pay_0123456789abcdefghjkmn\n",
  ])("%j is not the id of a payment", (text) => expect(isId(text, "payment")).toBe(false));
});
