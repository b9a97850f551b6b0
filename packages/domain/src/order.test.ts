import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { deriveOrder, type OrderFacts, type OrderPaymentStatus, type PaymentFacts } from "./order.ts";
import { PAYMENT_STATUSES, type PaymentStatus } from "./payment.ts";

const pay = (status: PaymentStatus, collected = 0n, refunded = 0n, reversed = 0n): PaymentFacts => ({ status, collected, refunded, reversed });
const paid = pay("paid", 100n);

/** What happened, how the order was closed, its payments from the oldest, and what is said of an order of 100. */
type Row = [what: string, closed: OrderFacts["closed"], payments: PaymentFacts[], status: OrderPaymentStatus];

const TABLE: Row[] = [
  ["nothing was tried", undefined, [], "unpaid"],
  ["nothing was tried in time", "expired", [], "expired"],
  ["the shop canceled it before anything was tried", "canceled", [], "canceled"],
  ["a payment is being opened", undefined, [pay("created")], "pending"],
  ["the gateway was called", undefined, [pay("submitted")], "pending"],
  ["a payment is open", undefined, [pay("pending")], "pending"],
  ["the amount is reserved", undefined, [pay("authorized")], "pending"],
  ["the only payment was refused", undefined, [pay("failed")], "failed"],
  ["the only payment expired", undefined, [pay("expired")], "expired"],
  ["the only payment was canceled: the buyer may choose again", undefined, [pay("canceled")], "unpaid"],
  ["the last of several tells", undefined, [pay("canceled"), pay("expired"), pay("failed")], "failed"],
  ["a later one is open", undefined, [pay("failed"), pay("pending")], "pending"],
  ["an older one is still open", undefined, [pay("pending"), pay("failed")], "pending"],
  ["closed by time after a refused payment", "expired", [pay("failed")], "expired"],
  ["it is paid", undefined, [paid], "paid"],
  ["it is paid by the second try", undefined, [pay("canceled"), paid], "paid"],
  ["it is paid by the first although the second is open", undefined, [paid, pay("pending")], "paid"],
  ["late money: closed, and paid all the same", "expired", [paid], "paid"],
  ["too little came", undefined, [pay("paid", 99n)], "underpaid"],
  ["too much came", undefined, [pay("paid", 101n)], "paid"],
  ["two halves came", undefined, [pay("paid", 50n), pay("paid", 50n)], "paid"],
  ["a part went back", undefined, [pay("partially_refunded", 100n, 1n)], "partially_refunded"],
  ["all went back", undefined, [pay("refunded", 100n, 100n)], "refunded"],
  ["a duplicate was paid back: the shop still holds all", undefined, [paid, pay("refunded", 100n, 100n)], "paid"],
  ["an overpayment was paid back", undefined, [pay("partially_refunded", 120n, 20n)], "paid"],
  ["the bank took all back", undefined, [pay("reversed", 100n, 0n, 100n)], "reversed"],
  ["the bank took a part back", undefined, [pay("reversed", 100n, 0n, 40n)], "underpaid"],
  ["most was paid back and the bank took the rest", undefined, [pay("reversed", 100n, 70n, 30n)], "refunded"],
  ["a little was paid back and the bank took the rest", undefined, [pay("reversed", 100n, 30n, 70n)], "reversed"],
  ["taken back, and paid again", undefined, [pay("reversed", 100n, 0n, 100n), paid], "paid"],
];

describe("an order of 100 is told from its payments", () => {
  test.each(TABLE)("%s", (_what, closed, payments, status) => {
    expect(deriveOrder({ amount: 100n, closed }, payments).payment_status).toBe(status);
  });
});

const facts = fc
  .record({ status: fc.constantFrom(...PAYMENT_STATUSES), collected: fc.bigInt(0n, 300n), share: fc.bigInt(0n, 100n), taken: fc.boolean() })
  .map(({ status, collected, share, taken }) =>
    pay(status, collected, taken ? 0n : (collected * share) / 100n, taken ? (collected * share) / 100n : 0n),
  );
const closed = fc.constantFrom(undefined, "expired" as const, "canceled" as const);

describe("whatever the payments are", () => {
  test("an order is paid exactly when the shop still holds its amount", () => {
    fc.assert(
      fc.property(fc.array(facts, { maxLength: 5 }), closed, (payments, how) => {
        const order = deriveOrder({ amount: 100n, closed: how }, payments);
        const kept = order.amount_paid - order.amount_refunded - order.amount_reversed;
        expect(order.payment_status === "paid").toBe(kept >= 100n);
      }),
    );
  });

  test("its sums do not depend on their order, and nothing that was not collected counts", () => {
    fc.assert(
      fc.property(fc.array(facts, { maxLength: 5 }), closed, (payments, how) => {
        const { payment_status: _one, ...sums } = deriveOrder({ amount: 100n, closed: how }, payments);
        const { payment_status: _two, ...other } = deriveOrder({ amount: 100n, closed: how }, payments.toReversed());
        expect(other).toEqual(sums);
        const collected = payments.filter(({ status }) => ["paid", "partially_refunded", "refunded", "reversed"].includes(status));
        expect(sums.amount_paid).toBe(collected.reduce((sum, payment) => sum + payment.collected, 0n));
      }),
    );
  });
});
