import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decide } from "./machine.ts";
import { type Act, acts, advance, LEGAL, OURS, play, problems, type Rules, type Truth } from "./payment-history.model.ts";
import { paymentMachine, type PaymentInput, type PaymentStatus } from "./payment.ts";

/*
 * The property of the payment machine: for every history of the provider, and every permutation, repetition or loss of its
 * notifications and of our questions, after the last question our state equals the provider's, and each transition is told once.
 */

const RUNS = { numRuns: 5_000 };

function holds(rules: Rules): fc.RunDetails<[Act[]]> {
  return fc.check(
    fc.property(acts, (script) => problems(play(script, rules)).length === 0),
    // Some mistakes show only at the end of a rare history.
    { numRuns: 50_000 },
  );
}

describe("for every history of the provider and every disorder of its messages", () => {
  test("after the last question our state is the provider's, and each transition was told once", () => {
    fc.assert(
      fc.property(acts, (script) => {
        expect(problems(play(script, OURS))).toEqual([]);
      }),
      RUNS,
    );
  });

  test("the schedules reach every status, so that the property speaks of them all", () => {
    const reached = new Set(
      fc.sample(acts, { numRuns: 5_000, seed: 1 }).flatMap((script) => play(script, OURS).hub.told.map(({ status }) => status)),
    );
    expect([...reached].toSorted()).toEqual(paymentMachine.states.filter((state) => state !== "created").toSorted());
  });

  test("the provider's model walks every edge of its table", () => {
    const edges = Object.entries(LEGAL).flatMap(([from, to]) => to.map((word) => `${from} -> ${word}`));
    const walked = new Set<string>();
    for (const script of fc.sample(acts, { numRuns: 20_000, seed: 1 })) {
      let truth: Truth = { word: "none", refunded: 0, reversed: 0 };
      for (const act of script) {
        if (act.act !== "provider") continue;
        const next = advance(truth, act.choice);
        if (next !== truth) walked.add(`${truth.word} -> ${next.word}`);
        truth = next;
      }
    }
    expect(edges.filter((edge) => !walked.has(edge))).toEqual([]);
  });
});

describe("the property finds a machine or a hub that is wrong", () => {
  const { table } = paymentMachine;
  const broken: [string, Rules][] = [
    ["late money is ignored", { ...OURS, machine: { ...paymentMachine, table: { ...table, expired: { ...table.expired, paid: "stale" } } } }],
    [
      "a settlement that was taken back is ignored",
      { ...OURS, machine: { ...paymentMachine, table: { ...table, paid: { ...table.paid, failed: "stale" } } } },
    ],
    [
      "money that comes after it was taken back is ignored",
      {
        ...OURS,
        machine: {
          ...paymentMachine,
          table: { ...table, reversed: { ...table.reversed, paid: "stale", partially_refunded: "stale", refunded: "stale" } },
        },
      },
    ],
    [
      "a second attempt after a refused one is ignored",
      { ...OURS, machine: { ...paymentMachine, table: { ...table, failed: { ...table.failed, pending: "stale" } } } },
    ],
    ["answers count although something changed since their question", { ...OURS, compare_and_set: false }],
    ["notifications are believed instead of asked about", { ...OURS, believe_claims: true }],
  ];
  test.each(broken)("%s", (_what, rules) => {
    expect(holds(rules).failed).toBe(true);
  });
});

describe("the histories that matter most, by name", () => {
  const observe = (...inputs: PaymentInput[]): PaymentStatus[] => {
    let status: PaymentStatus = paymentMachine.initial;
    return inputs.map((input) => {
      const decision = decide(paymentMachine, status, input);
      if (typeof decision === "object") status = decision.to;
      return status;
    });
  };

  test.each<[string, PaymentInput[], PaymentStatus]>([
    ["a late `pending` does not undo a paid payment", ["submit", "pending", "paid", "pending"], "paid"],
    ["paid although it had expired", ["submit", "pending", "expired", "paid"], "paid"],
    ["paid although it had been canceled", ["submit", "pending", "canceled", "paid"], "paid"],
    ["denied, tried again on the same page, paid", ["submit", "failed", "pending", "paid"], "paid"],
    ["settled and then denied by the bank: taken back", ["submit", "pending", "paid", "failed"], "reversed"],
    ["settled, taken back, and paid after all", ["submit", "pending", "paid", "failed", "paid"], "paid"],
    ["captured and then voided: taken back", ["submit", "paid", "canceled"], "reversed"],
    ["denied without ever having been paid: failed", ["submit", "pending", "failed"], "failed"],
    ["`expire` after paid is an answer that lags", ["submit", "paid", "expired"], "paid"],
    ["refunded in parts and then whole", ["submit", "paid", "partially_refunded", "partially_refunded", "refunded"], "refunded"],
    ["a chargeback after a refund", ["submit", "paid", "refunded", "reversed"], "reversed"],
    ["only the end was seen", ["submit", "refunded"], "refunded"],
  ])("%s", (_what, inputs, end) => {
    expect(observe(...inputs).at(-1)).toBe(end);
  });
});
