import { MINUTE_MS, SECOND_MS } from "@lunas/domain";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BREAKER, type Breaker, newBreaker, onFailure, onSuccess, permit } from "./breaker.ts";

const T0 = 1_790_000_000_000;

function after(outcomes: readonly boolean[], gap_ms = 1, breaker: Breaker = newBreaker()): Breaker {
  return outcomes.reduce((one, delivered, index) => (delivered ? onSuccess : onFailure)(one, T0 + index * gap_ms), breaker);
}

const failures = (count: number): boolean[] => Array.from({ length: count }, () => false);
const successes = (count: number): boolean[] => Array.from({ length: count }, () => true);

describe("a breaker", () => {
  test("is closed for nine failures and opens at the tenth, for thirty seconds", () => {
    expect(permit(after(failures(9)), T0 + 10)).toEqual({ go: true });
    const open = after(failures(10), 0);
    expect(permit(open, T0)).toEqual({ go: false, wait_ms: 30 * SECOND_MS });
    expect(permit(open, T0 + 30 * SECOND_MS - 1)).toEqual({ go: false, wait_ms: 1 });
    expect(permit(open, T0 + 30 * SECOND_MS)).toMatchObject({ go: "probe" });
  });

  test("opens at seventy of a hundred and not below", () => {
    expect(permit(after([...successes(3), ...failures(6)]), T0 + 20)).toEqual({ go: true });
    expect(permit(after([...successes(3), ...failures(7)]), T0 + 20).go).toBe(false);
    expect(permit(after([...successes(4), ...failures(7)]), T0 + 20)).toEqual({ go: true });
  });

  test("forgets what is older than five minutes", () => {
    const breaker = after(failures(9));
    expect(permit(onFailure(breaker, T0 + 5 * MINUTE_MS + 10), T0 + 5 * MINUTE_MS + 10)).toEqual({ go: true });
  });

  test("lets one probe through when its time is over, and nobody else until the probe has ended", () => {
    const open = after(failures(10), 0);
    const at = T0 + BREAKER.open_ms;
    const first = permit(open, at);
    expect(first.go).toBe("probe");
    const probing = first.go === "probe" ? first.begin : open;
    expect(permit(probing, at)).toMatchObject({ go: false });
    expect(permit(onFailure(probing, at), at + 1)).toEqual({ go: false, wait_ms: BREAKER.open_ms - 1 });
    expect(permit(onSuccess(probing, at), at)).toEqual({ go: true });
  });

  test("has forgotten the failures once it closes", () => {
    const closed = onSuccess(after(failures(10), 0), T0 + BREAKER.open_ms);
    expect(permit(onFailure(closed, T0 + BREAKER.open_ms), T0 + BREAKER.open_ms)).toEqual({ go: true });
  });

  test("never makes anybody wait longer than it opens for, wherever the clock jumps", () => {
    const jump = fc.integer({ min: -10 * 86_400_000, max: 10 * 86_400_000 });
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), jump), { maxLength: 60 }), jump, (history, last) => {
        const breaker = history.reduce((one, [delivered, at]) => (delivered ? onSuccess : onFailure)(one, T0 + at), newBreaker());
        const may = permit(breaker, T0 + last);
        expect(may.go !== false || (may.wait_ms > 0 && may.wait_ms <= BREAKER.open_ms)).toBe(true);
      }),
    );
  });
});
