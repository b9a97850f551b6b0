import { DAY_MS, money } from "@lunas/domain";
import { describe, expect, test } from "vitest";
import { notFound, NOW, pending, refundIntent, scripted, SERVER_KEY, TRANSACTION_ID, type Scripted } from "./testing.ts";

const KEY = "INV-2001-refund-1";
const again = { ...refundIntent, submitted_at: NOW };
const DIRECT = `POST /v2/${TRANSACTION_ID}/refund/online/direct`;
const QUEUED = `POST /v2/${TRANSACTION_ID}/refund`;
const STATUS = `GET /v2/${TRANSACTION_ID}/status`;

const settled = { ...pending, status_code: "200", transaction_status: "settlement" };
const refunded = {
  ...settled,
  status_message: "Success, refund request is approved by the bank",
  transaction_status: "partial_refund",
  refund_chargeback_id: 4711,
  refund_chargeback_uuid: "c0ffee",
  refund_amount: "5000.00",
  refund_key: KEY,
};
const element = {
  refund_chargeback_id: 4711,
  refund_chargeback_uuid: "c0ffee",
  refund_amount: "5000.00",
  created_at: "2026-07-17 10:30:00",
  refund_key: KEY,
};
const listed = (extra: object = {}) => ({
  body: {
    ...settled,
    transaction_status: "partial_refund",
    refund_amount: "5000.00",
    refunds: [{ refund_amount: "100.00" }, { ...element, ...extra }],
  },
});
const without = {
  body: { ...settled, transaction_status: "partial_refund", refund_amount: "100.00", refunds: [{ refund_amount: "100.00", refund_key: "foreign" }] },
};
const refusal = (status_code: string, status_message: string): Scripted => ({ body: { status_code, status_message } });
const REFUSED_STATE = refusal("412", "Merchant cannot modify the status of the transaction");

describe("a refund", () => {
  test("of GoPay goes through the direct call under our key, and is confirmed by its 200 (§6)", async () => {
    const script = scripted([{ body: refunded }]);
    const outcome = await script.gateway.refund(refundIntent);
    expect(script.asked()).toEqual([DIRECT]);
    expect(script.bodyOf(0)).toEqual({ refund_key: KEY, amount: 5000, reason: "Salah ukuran" });
    expect(script.calls[0]!.headers["idempotency-key"]).toBe("refund-rfd_0123456789abcdefghjkmn");
    expect(outcome).toMatchObject({
      certainty: "did",
      value: { refund: { key: KEY, provider_id: "c0ffee", amount: 500_000n, status: "confirmed" }, payment: { status: "partially_refunded" } },
    });
    expect(JSON.stringify(outcome.exchanges)).not.toContain(SERVER_KEY);
  });

  test("of QRIS is accepted first and confirmed by the bank later", async () => {
    const qris = { ...refundIntent, payment: { ...refundIntent.payment, method: "qris" } };
    const script = scripted([{ body: { ...refunded, payment_type: "qris", transaction_status: "refund" } }]);
    expect(await script.gateway.refund(qris)).toMatchObject({
      certainty: "did",
      value: { refund: { status: "accepted" }, payment: { status: "refunded" } },
    });
    expect(script.asked()).toEqual([QUEUED]);
  });

  test("says its amount always, also when it is all: without it the buyer's fee would go back too", async () => {
    const script = scripted([{ body: { ...refunded, transaction_status: "refund" } }]);
    await script.gateway.refund({ ...refundIntent, amount: money(2_500_000n, "IDR"), full: true, reason: "x".repeat(300) });
    expect(script.bodyOf(0)).toEqual({ refund_key: KEY, amount: 25000, reason: "x".repeat(255) });
  });

  test("takes the whole of what was refunded from status answers only", async () => {
    const outcome = await scripted([{ body: refunded }]).gateway.refund(refundIntent);
    if (outcome.certainty !== "did") throw new Error(outcome.certainty);
    expect(outcome.value.payment?.refunded).toBeUndefined();
  });

  test.each(["bca_va", "bni_va", "bri_va", "permata_va"])("of %s has no call at the provider", async (method) => {
    const va = { ...refundIntent, payment: { ...refundIntent.payment, method } };
    expect(await scripted([]).gateway.refund(va)).toMatchObject({ certainty: "did_not", refusal: { code: "unsupported" } });
  });

  test("of a method without a refund call is asked about all the same: the dashboard may have made it", async () => {
    const va = { ...again, payment: { ...refundIntent.payment, method: "bca_va" } };
    expect(await scripted([listed()]).gateway.getRefund(va)).toMatchObject({ certainty: "did", value: { refund: { key: KEY } } });
  });

  test("with a fraction of a rupiah is refused without a call", async () => {
    expect(await scripted([]).gateway.refund({ ...refundIntent, amount: money(150n, "IDR") })).toMatchObject({
      certainty: "did_not",
      refusal: { code: "amount" },
    });
    expect(await scripted([]).gateway.refund({ ...refundIntent, amount: money(0n, "IDR") })).toMatchObject({
      certainty: "did_not",
      refusal: { code: "amount" },
    });
  });

  test.each([
    ["credit_card", QUEUED],
    ["gopay", DIRECT],
    ["shopeepay", DIRECT],
    ["akulaku", QUEUED],
  ])("of a hosted page follows the method that was chosen: %s", async (payment_type, path) => {
    const page = { ...refundIntent, payment: { ...refundIntent.payment, method: "snap" } };
    const script = scripted([{ body: { ...settled, payment_type } }, { body: { ...refunded, payment_type } }]);
    expect(await script.gateway.refund(page)).toMatchObject({ certainty: "did" });
    // By the id of the transaction that was paid: the newest of the page may be another one.
    expect(script.asked()).toEqual([`GET /v2/${TRANSACTION_ID}/status`, path]);
  });

  test("of a hosted page that was paid by bank transfer has no call at the provider", async () => {
    const page = { ...refundIntent, payment: { ...refundIntent.payment, method: "snap" } };
    expect(await scripted([{ body: { ...settled, payment_type: "echannel" } }]).gateway.refund(page)).toMatchObject({
      certainty: "did_not",
      refusal: { code: "unsupported" },
    });
  });
});

describe("a refund that the provider refuses", () => {
  test("with 202 was denied by the bank: an answer about the refund, and nothing about the payment", async () => {
    const denied = { body: { ...settled, status_code: "202", status_message: "Refund denied by the bank", refund_amount: "0.00" } };
    const outcome = await scripted([denied]).gateway.refund(refundIntent);
    expect(outcome).toMatchObject({ certainty: "did", value: { refund: { key: KEY, status: "refused", reason: "Refund denied by the bank" } } });
    if (outcome.certainty === "did") expect(outcome.value.payment).toBeUndefined();
  });

  test.each([
    ["412", "state", REFUSED_STATE],
    ["414", "amount", refusal("414", "Refund request is rejected due to invalid amount")],
  ])("with %s did nothing, once the list has been looked through", async (_code, code, answer) => {
    const script = scripted([answer, without]);
    expect(await script.gateway.refund(refundIntent)).toMatchObject({ certainty: "did_not", refusal: { code } });
    expect(script.asked()).toEqual([DIRECT, STATUS]);
  });

  test("with 412 after a full refund that took effect is that refund, not a failure", async () => {
    const all = {
      body: {
        ...settled,
        transaction_status: "refund",
        refunds: [{ ...element, refund_amount: "25000.00", bank_confirmed_at: "2026-07-17 10:31:00" }],
      },
    };
    expect(await scripted([REFUSED_STATE, all]).gateway.refund(again)).toMatchObject({
      certainty: "did",
      value: { refund: { key: KEY, status: "confirmed" } },
    });
  });

  test("with 406 was taken before: it asks, and finds its key among the refunds", async () => {
    const duplicate = refusal("406", "Duplicate refund ID");
    const script = scripted([duplicate, listed()]);
    expect(await script.gateway.refund(again)).toMatchObject({
      certainty: "did",
      value: { refund: { key: KEY, status: "accepted" }, payment: { refunded: 500_000n } },
    });
    expect(script.asked()).toEqual([DIRECT, STATUS]);
    expect(await scripted([duplicate, without]).gateway.refund(again)).toMatchObject({ certainty: "unknown" });
    expect(await scripted([duplicate, { fault: "timeout" }]).gateway.refund(again)).toMatchObject({ certainty: "unknown" });
  });

  test("with 401 or 429 on a first call surely did nothing; on a repeated one it looks for an earlier success", async () => {
    const limited = { http: 429, headers: { "retry-after": "3" } };
    expect(await scripted([limited]).gateway.refund(refundIntent)).toMatchObject({
      certainty: "did_not",
      refusal: { code: "rate_limited", retry_after_s: 3 },
    });
    expect(await scripted([limited, listed()]).gateway.refund(again)).toMatchObject({ certainty: "did", value: { refund: { key: KEY } } });
    expect(await scripted([limited, without]).gateway.refund(again)).toMatchObject({ certainty: "did_not", refusal: { code: "rate_limited" } });
    expect(await scripted([limited, { http: 429 }]).gateway.refund(again)).toMatchObject({ certainty: "unknown" });
  });

  test.each<readonly [string, Scripted]>([
    ["a timeout", { fault: "timeout" }],
    ["HTTP 500", { http: 500 }],
    ["a concurrent duplicate's empty 202", { http: 202, body: "" }],
    ["a body that says 502", refusal("502", "Bank connection problem")],
    ["HTML", { body: "<html>" }],
    ["success about another key", { body: { ...refunded, refund_key: "another" } }],
    ["success about another order", { body: { ...refunded, order_id: "INV-9" } }],
    ["success without a transaction", refusal("200", "Success, refund request is approved")],
  ])("%s is unknown", async (_name, answer) => {
    expect(await scripted([answer]).gateway.refund(refundIntent)).toMatchObject({ certainty: "unknown" });
  });
});

describe("sending a refund again", () => {
  test("within seven days is the same call with the same key", async () => {
    const script = scripted([{ fault: "timeout" }, { body: refunded }]);
    await script.gateway.refund(refundIntent);
    script.business.advance(7 * DAY_MS - 1);
    expect(await script.gateway.refund(again)).toMatchObject({ certainty: "did" });
    expect(script.calls[1]!.body).toBe(script.calls[0]!.body);
  });

  test("after seven days only asks, and leaves what is not found to a person", async () => {
    const script = scripted([without, listed(), { fault: "reset" }]);
    script.business.advance(7 * DAY_MS);
    // Not that it was refused: that would say that nothing went out, and the shop would refund once more.
    expect(await script.gateway.refund(again)).toMatchObject({ certainty: "did_not", refusal: { code: "not_found" } });
    expect(await script.gateway.refund(again)).toMatchObject({ certainty: "did", value: { refund: { key: KEY } } });
    expect(await script.gateway.refund(again)).toMatchObject({ certainty: "unknown" });
    expect(script.asked()).toEqual([STATUS, STATUS, STATUS]);
  });
});

describe("asking about a refund", () => {
  test("finds it by its key, confirmed once the bank has confirmed it", async () => {
    expect(await scripted([listed()]).gateway.getRefund(again)).toMatchObject({
      certainty: "did",
      value: { refund: { status: "accepted", provider_id: "c0ffee" } },
    });
    expect(await scripted([listed({ bank_confirmed_at: "2026-07-17 10:31:00" })]).gateway.getRefund(again)).toMatchObject({
      value: { refund: { status: "confirmed" } },
    });
  });

  test("finds one that was made in the dashboard, without a key, by their id of it", async () => {
    const { refund_key: _key, ...keyless } = element;
    const dashboard = { body: { ...settled, transaction_status: "partial_refund", refund_amount: "5000.00", refunds: [keyless] } };
    const adopted = { ...again, key: "c0ffee", provider_id: "c0ffee" };
    expect(await scripted([dashboard]).gateway.getRefund(adopted)).toMatchObject({
      certainty: "did",
      value: { refund: { status: "accepted", provider_id: "c0ffee" } },
    });
    expect(await scripted([dashboard]).gateway.getRefund(again)).toMatchObject({ certainty: "did_not", refusal: { code: "not_found" } });
    expect(await scripted([dashboard]).gateway.getRefund({ ...adopted, provider_id: "other" })).toMatchObject({ certainty: "did_not" });
  });

  test("does not take another's for it, and says so when there is none", async () => {
    expect(await scripted([without]).gateway.getRefund(again)).toMatchObject({ certainty: "did_not", refusal: { code: "not_found" } });
    expect(await scripted([{ body: settled }]).gateway.getRefund(again)).toMatchObject({ certainty: "did_not", refusal: { code: "not_found" } });
    expect(await scripted([{ body: notFound }]).gateway.getRefund(again)).toMatchObject({ certainty: "did_not", refusal: { code: "not_found" } });
    expect(await scripted([{ fault: "timeout" }]).gateway.getRefund(again)).toMatchObject({ certainty: "unknown" });
  });
});
