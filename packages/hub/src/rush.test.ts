import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { rushOf } from "./rush.ts";
import { makeSignals } from "./signals.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["performance"] }));
afterEach(() => void vi.useRealTimers());

const arrive = (signals: ReturnType<typeof makeSignals>, count: number): void => {
  for (let n = 0; n < count; n += 1) signals.emit({ kind: "inbox" });
};

test("many arrivals at once are a rush, and a moment later it is over", () => {
  const signals = makeSignals();
  const rush = rushOf({ signals });
  arrive(signals, 39);
  expect(rush.on).toBe(false);
  arrive(signals, 1);
  expect(rush.on).toBe(true);
  vi.advanceTimersByTime(240);
  expect(rush.on).toBe(true);
  vi.advanceTimersByTime(20);
  expect(rush.on).toBe(false);
});

test("the same arrivals over a longer time are none", () => {
  const signals = makeSignals();
  const rush = rushOf({ signals });
  for (let window = 0; window < 10; window += 1) {
    arrive(signals, 30);
    expect(rush.on).toBe(false);
    vi.advanceTimersByTime(20);
  }
});

test("the arrivals at one hub are no rush at another, and all who ask one hub see the same", () => {
  const [one, other] = [makeSignals(), makeSignals()];
  const [first, again, elsewhere] = [rushOf({ signals: one }), rushOf({ signals: one }), rushOf({ signals: other })];
  arrive(one, 40);
  expect([first.on, again.on, elsewhere.on]).toEqual([true, true, false]);
});
