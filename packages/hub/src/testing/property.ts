import fc from "fast-check";
import { test as vitest } from "vitest";

export { fc };

const RUNS = 25;
const PATIENCE_MS = 60_000;

/** A property as a test: the seed and the smallest counterexample are in the failure. */
export function test<T>(name: string, arbitrary: fc.Arbitrary<T>, holds: (value: T) => Promise<void>): void {
  vitest(name, { timeout: PATIENCE_MS }, () => fc.assert(fc.asyncProperty(arbitrary, holds), { numRuns: RUNS }));
}
