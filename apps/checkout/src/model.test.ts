import { describe, expect, test } from "vitest";
import { type Happening, type Model, reduce, START } from "./model.ts";
import { NOW, samplePayment, sampleState } from "./sample.test-data.ts";
import type { State } from "./contract.ts";

const received = (state: State, now_ms = NOW): Happening => ({ type: "received", state, now_ms });
const opened = (state: State): Happening => ({ type: "opened", state, now_ms: NOW });
const after = (...all: Happening[]): Model => all.reduce(reduce, START);
const later = (s: number): string => new Date(NOW + s * 1000).toISOString();

const empty = sampleState();
const pending = sampleState({ payment: samplePayment() });

describe("what the hub says", () => {
  test("is taken with the offset of its clock", () => {
    const model = after(received(empty, NOW - 5_000));
    expect(model.state).toBe(empty);
    expect(model.offset_ms).toBe(5_000);
  });

  test("is not undone by an older answer that was overtaken on its way", () => {
    const paid = sampleState({ payment: samplePayment({ status: "paid" }), server_time: later(2) });
    const model = after(received(paid), received(sampleState({ payment: samplePayment(), server_time: later(1) })));
    expect(model.state).toBe(paid);
  });

  test("is taken again after the hub's clock was set back", () => {
    const model = after(received(sampleState({ server_time: later(86_400) })), received(pending));
    expect(model.state).toBe(pending);
  });

  test("ends a lost connection, which itself changes nothing known", () => {
    const lost = after(received(pending), { type: "unreachable" });
    expect(lost).toMatchObject({ reached: false, state: pending });
    expect(reduce(lost, received(pending)).reached).toBe(true);
    expect(reduce(lost, received(sampleState({ server_time: later(-1) }))).reached).toBe(true);
  });
});

describe("opening a payment", () => {
  test("leads to it", () => {
    expect(after(received(empty), { type: "opening", method: "gopay" }, opened(pending))).toMatchObject({
      state: pending,
      opening: undefined,
      choosing: undefined,
      refusal: undefined,
    });
  });

  test("when refused stays at the choice and keeps the reason until the next try", () => {
    const refused = after(received(empty), { type: "opening", method: "qris" }, { type: "refused", code: "gateway_refused", request_id: "req_1" });
    expect(refused.refusal).toEqual({ code: "gateway_refused", method: "qris", request_id: "req_1" });
    const failed = reduce(refused, received(sampleState({ payment: samplePayment({ status: "failed" }) })));
    expect(failed.choosing).toBeDefined();
    expect(failed.refusal).toBeDefined();
    expect(reduce(failed, { type: "opening", method: "gopay" }).refusal).toBeUndefined();
  });

  test("without an answer leads to the payment as soon as the hub shows it payable", () => {
    const lost = after(received(empty), { type: "opening", method: "gopay" }, { type: "refused", code: "unreachable", request_id: undefined });
    expect(reduce(lost, received(sampleState({ payment: samplePayment({ status: "submitted" }) })))).toMatchObject({
      refusal: { code: "unreachable" },
    });
    expect(reduce(lost, received(pending))).toMatchObject({ choosing: undefined, refusal: undefined });
  });
});

describe("choosing another method", () => {
  const choosing = after(received(pending), { type: "choose_again" });

  test("is not ended by news of the payment left behind", () => {
    expect(reduce(choosing, received(pending)).choosing).toEqual({ over: "pay_1" });
  });

  test("is ended by going back, and by a new payment from another tab", () => {
    expect(reduce(choosing, { type: "keep_payment" }).choosing).toBeUndefined();
    expect(reduce(choosing, received(sampleState({ payment: samplePayment({ id: "pay_2" }) }))).choosing).toBeUndefined();
  });
});

describe("checking", () => {
  test("tells that nothing came yet, or that it could not ask", () => {
    expect(after(received(pending), { type: "checking" }).check).toBe("running");
    expect(after(received(pending), { type: "checking" }, received(pending), { type: "checked", answered: true }).check).toBe("not_yet");
    expect(after(received(pending), { type: "checking" }, { type: "checked", answered: false }).check).toBe("failed");
  });

  test("is forgotten when the payment moves on", () => {
    const told = after(received(pending), { type: "checking" }, { type: "checked", answered: true });
    expect(reduce(told, received(pending)).check).toBe("not_yet");
    expect(reduce(told, received(sampleState({ payment: samplePayment({ id: "pay_2" }) }))).check).toBe("idle");
  });
});

test("a link that is unknown is shown as missing until the hub knows it again", () => {
  const missing = after({ type: "missing" });
  expect(missing.missing).toBe(true);
  expect(reduce(missing, received(empty)).missing).toBe(false);
});
