import { describe, expect, test } from "vitest";
import { deliveryMachine } from "./delivery.ts";
import { InvariantError } from "./invariant.ts";
import { decide, walkMachine, type Machine } from "./machine.ts";
import { paymentMachine } from "./payment.ts";
import { refundMachine } from "./refund.ts";

describe("every machine is sound: each pair decided, each state reached", () => {
  test("payment", () => expect(walkMachine(paymentMachine)).toEqual([]));
  test("refund", () => expect(walkMachine(refundMachine)).toEqual([]));
  test("delivery", () => expect(walkMachine(deliveryMachine)).toEqual([]));
});

describe("decide", () => {
  test("names the next state, or says that nothing changes", () => {
    expect(decide(paymentMachine, "pending", "paid")).toEqual({ to: "paid" });
    expect(decide(paymentMachine, "pending", "pending")).toBe("same");
    expect(decide(paymentMachine, "paid", "pending")).toBe("stale");
  });

  test("refuses an input that the table does not know", () => {
    expect(() => decide(paymentMachine, "paid", "sideways" as "paid")).toThrow(InvariantError);
  });
});

describe("the walk finds planted faults", () => {
  type Door = Machine<"open" | "shut" | "locked", "push" | "turn">;
  const sound: Door = {
    name: "door",
    initial: "open",
    states: ["open", "shut", "locked"],
    inputs: ["push", "turn"],
    settled: ["locked"],
    table: { open: { push: "shut", turn: "stale" }, shut: { push: "open", turn: "locked" }, locked: { push: "same", turn: "shut" } },
  };

  test("none in a sound machine", () => expect(walkMachine(sound)).toEqual([]));

  test("a pair without a decision", () => {
    const broken = { ...sound, table: { ...sound.table, shut: { push: "open" } } } as unknown as Door;
    expect(walkMachine(broken)).toContain("door: shut on turn is not decided");
  });

  test("a state without a row", () => {
    const broken = { ...sound, table: { open: sound.table.open, shut: sound.table.shut } } as unknown as Door;
    expect(walkMachine(broken)).toEqual(["door: locked on push is not decided", "door: locked on turn is not decided"]);
  });

  test("a step to an unknown state", () => {
    const broken = { ...sound, table: { ...sound.table, shut: { push: "ajar", turn: "locked" } } } as unknown as Door;
    expect(walkMachine(broken)).toEqual(["door: shut on push goes to the unknown state ajar"]);
  });

  test("a step to itself", () => {
    const broken: Door = { ...sound, table: { ...sound.table, open: { push: "shut", turn: "open" } } };
    expect(walkMachine(broken)).toEqual(['door: open on turn goes to itself; say "same"']);
  });

  test("a state that nothing leads to", () => {
    const broken: Door = { ...sound, table: { ...sound.table, shut: { push: "open", turn: "same" } } };
    expect(walkMachine(broken)).toEqual(["door: locked is never reached"]);
  });

  test("an input that the machine does not have", () => {
    const broken = { ...sound, table: { ...sound.table, open: { push: "shut", turn: "stale", kick: "shut" } } } as unknown as Door;
    expect(walkMachine(broken)).toEqual(["door: open decides the unknown input kick"]);
  });

  test("a settled state that does not exist", () => {
    const broken = { ...sound, settled: ["gone"] } as unknown as Door;
    expect(walkMachine(broken)).toEqual(["door: settled state gone is unknown"]);
  });
});
