import { describe, expect, test } from "vitest";
import type { OrderStatus, PaymentStatus } from "./contract.ts";
import { type Model, START } from "./model.ts";
import { NOW, sampleOrder, samplePayment, sampleState } from "./sample.test-data.ts";
import { type View, viewOf } from "./view.ts";

const DAY_MS = 86_400_000;
const model = (change: Partial<Model>): Model => ({ ...START, ...change });

const PAYMENT_VIEWS: Record<PaymentStatus, View> = {
  created: "preparing",
  submitted: "preparing",
  pending: "pay",
  authorized: "authorized",
  paid: "paid",
  partially_refunded: "partially_refunded",
  refunded: "refunded",
  failed: "failed",
  expired: "expired",
  canceled: "canceled",
  reversed: "reversed",
};

test.each(Object.entries(PAYMENT_VIEWS))("a payment that is %s is shown as %s", (status, view) => {
  const state = sampleState({ payment: samplePayment({ status: status as PaymentStatus }) });
  expect(viewOf(model({ state }), NOW)).toBe(view);
});

describe("money that came", () => {
  test.each(["paid", "underpaid", "partially_refunded", "refunded", "reversed"] as const)(
    "decides over all else when the order is %s",
    (payment_status) => {
      for (const payment of [null, samplePayment(), samplePayment({ status: "failed" })]) {
        const state = sampleState({ order: sampleOrder({ payment_status }), payment });
        expect(viewOf(model({ state, choosing: { over: "pay_1" }, opening: "qris" }), NOW)).toBe(payment_status);
      }
    },
  );

  test("but too little is not shown as paid", () => {
    const state = sampleState({ payment: samplePayment({ status: "paid", flags: ["underpaid"] }) });
    expect(viewOf(model({ state }), NOW)).toBe("underpaid");
  });

  test("after the time was over is shown as paid", () => {
    const state = sampleState({
      order: sampleOrder({ payment_status: "expired" }),
      payment: samplePayment({ status: "paid", flags: ["late"] }),
      methods: [],
    });
    expect(viewOf(model({ state }), NOW + 2 * DAY_MS)).toBe("paid");
  });
});

describe("an order without a payment", () => {
  test("offers the methods while its time lasts", () => {
    expect(viewOf(model({ state: sampleState() }), NOW)).toBe("choose");
    expect(viewOf(model({ state: sampleState() }), NOW + DAY_MS)).toBe("expired");
    expect(viewOf(model({ state: sampleState({ order: sampleOrder({ expires_at: null }) }) }), NOW + 900 * DAY_MS)).toBe("choose");
  });

  test.each<[OrderStatus, View]>([
    ["expired", "expired"],
    ["canceled", "canceled"],
  ])("offers none when the hub has closed it as %s", (payment_status, view) => {
    expect(viewOf(model({ state: sampleState({ order: sampleOrder({ payment_status }), methods: [] }) }), NOW)).toBe(view);
  });
});

describe("choosing again", () => {
  const over = (status: PaymentStatus): Model => model({ state: sampleState({ payment: samplePayment({ status }) }), choosing: { over: "pay_1" } });

  test("shows the methods over a payment that is open, failed, expired or canceled", () => {
    for (const status of ["pending", "submitted", "failed", "expired", "canceled"] as const) expect(viewOf(over(status), NOW)).toBe("choose");
  });

  test("ends when the order's time is over", () => {
    expect(viewOf(over("failed"), NOW + DAY_MS)).toBe("failed");
  });

  test("stays on the methods while one is being opened, whatever the stream says of it meanwhile", () => {
    const state = sampleState({ payment: samplePayment({ status: "submitted" }) });
    expect(viewOf(model({ state, opening: "gopay" }), NOW)).toBe("choose");
  });
});

test("before the first answer it is loading, and a link nobody knows is missing", () => {
  expect(viewOf(START, NOW)).toBe("loading");
  expect(viewOf(model({ missing: true }), NOW)).toBe("missing");
});
