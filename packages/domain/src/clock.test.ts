import { expect, test } from "vitest";
import { ManualClock, OffsetClock, rfc3339, systemClock } from "./clock.ts";
import { seededRandom, systemRandom } from "./random.ts";

test("a shifted clock runs with its base", () => {
  const base = new ManualClock(1_000);
  const clock = new OffsetClock(base);
  clock.setOffset(500);
  base.advance(1);
  expect(clock.now()).toBe(1_501);
  expect(clock.offset_ms).toBe(500);
});

test("a manual clock moves only when told", () => {
  const clock = new ManualClock(1_000);
  expect([clock.now(), clock.now()]).toEqual([1_000, 1_000]);
  clock.advance(5);
  expect(clock.now()).toBe(1_005);
  clock.set(7);
  expect(clock.now()).toBe(7);
});

test("the system's clock tells the system's time", () => {
  const before = Date.now();
  expect(systemClock.now()).toBeGreaterThanOrEqual(before);
});

test("times on our wire are RFC 3339 in UTC", () => {
  expect(rfc3339(Date.UTC(2026, 6, 17, 3, 4, 5, 6))).toBe("2026-07-17T03:04:05.006Z");
});

test("a seed gives one history, another seed another", () => {
  const draw = (seed: number): number[] => {
    const random = seededRandom(seed);
    return [random.float(), ...random.bytes(4), random.float()];
  };
  expect(draw(7)).toEqual(draw(7));
  expect(draw(7)).not.toEqual(draw(8));
});

test.each([
  ["seeded", seededRandom(3)],
  ["system", systemRandom],
] as const)("the %s source draws from [0, 1) and gives as many bytes as asked for", (_name, random) => {
  const draws = Array.from({ length: 2_000 }, () => random.float());
  expect(draws.filter((value) => value < 0 || value >= 1)).toEqual([]);
  expect(Math.abs(draws.reduce((sum, value) => sum + value, 0) / draws.length - 0.5)).toBeLessThan(0.05);
  expect(random.bytes(33)).toHaveLength(33);
});
