import { describe, expect, test } from "vitest";
import { notFound, NOW, MINUTE, pending, scripted, SERVER_KEY, subject, TRANSACTION_ID, type Scripted } from "./testing.ts";
import { sign } from "./signature.ts";

const known = { ...subject, provider_id: TRANSACTION_ID };
const settled = { ...pending, status_code: "200", transaction_status: "settlement", settlement_time: "2026-07-17 10:01:12" };

function get(body: object, over: Parameters<typeof scripted>[1] = {}) {
  return scripted([{ body }], over).gateway.get(subject);
}

describe("asking", () => {
  test("goes by transaction_id where it is known, by the encoded reference otherwise (quirks 12 and 20)", async () => {
    const by_id = scripted([{ body: settled }]);
    await by_id.gateway.get(known);
    expect(by_id.asked()).toEqual([`GET /v2/${TRANSACTION_ID}/status`]);
    const by_reference = scripted([{ body: { ...settled, order_id: "A/1 b?c" } }]);
    expect(await by_reference.gateway.get({ ...subject, reference: "A/1 b?c" })).toMatchObject({ certainty: "did" });
    expect(by_reference.asked()).toEqual(["GET /v2/A%2F1%20b%3Fc/status"]);
  });

  test("tells what is paid, when, and how much, at GMT+7 (quirk 16)", async () => {
    expect(await get(settled)).toMatchObject({
      certainty: "did",
      value: { evidence: { status: "paid", amount: 2_500_000n, paid_at: Date.UTC(2026, 6, 17, 3, 1, 12), expires_at: NOW + 15 * MINUTE } },
    });
  });

  test.each([
    ["pending", "201", "accept", "pending"],
    ["authorize", "200", "accept", "authorized"],
    ["capture", "200", "accept", "paid"],
    ["capture", "201", "challenge", "authorized"],
    ["settlement", "200", undefined, "paid"],
    ["deny", "202", "deny", "failed"],
    ["cancel", "200", "accept", "canceled"],
    ["expire", "407", "accept", "expired"],
    ["failure", "202", undefined, "failed"],
    ["failure", "500", undefined, "failed"],
    ["refund", "200", "accept", "refunded"],
    ["partial_refund", "200", "accept", "partially_refunded"],
    ["chargeback", "200", "accept", "reversed"],
    ["partial_chargeback", "200", "accept", "paid"],
  ])("a status of %s with code %s and fraud %s is %s (§10)", async (transaction_status, status_code, fraud_status, status) => {
    expect(await get({ ...pending, transaction_status, status_code, fraud_status })).toMatchObject({
      certainty: "did",
      value: { evidence: { status, provider_status: transaction_status } },
    });
  });

  test("a partial chargeback does not say how much it took: it is told as a notice and takes no amount away", async () => {
    const body = { ...pending, status_code: "200", transaction_status: "partial_chargeback" };
    const outcome = await get(body);
    expect(outcome).toMatchObject({ value: { evidence: { status: "paid", amount: 2_500_000n, notice: "partial_chargeback" } } });
    expect(outcome).not.toHaveProperty("value.evidence.reversed");
  });

  test("the other transactions of an order_id are asked about too, and one of another order is none of them", async () => {
    const settled = { ...pending, status_code: "200", transaction_status: "settlement" };
    const answers = [
      { body: pending },
      { body: { ...settled, transaction_id: "t-2" } },
      { body: { ...settled, order_id: "INV-9" } },
      { fault: "timeout" },
    ];
    const script = scripted(answers as Scripted[]);
    const transactions = ["t-2", "t-of-another-order", "t-unclear", TRANSACTION_ID];
    const outcome = await script.gateway.get({ ...subject, provider_id: TRANSACTION_ID, transactions });
    expect(outcome).toMatchObject({
      certainty: "did",
      value: {
        evidence: { status: "pending", provider_id: TRANSACTION_ID },
        others: [{ provider_id: "t-2", evidence: { status: "paid" } }, { provider_id: "t-of-another-order" }],
      },
    });
    expect(script.asked()).toEqual([TRANSACTION_ID, "t-2", "t-of-another-order", "t-unclear"].map((id) => `GET /v2/${id}/status`));
  });

  test("of many transactions of an order_id only so many are asked about at once", async () => {
    const script = scripted(Array.from({ length: 20 }, () => ({ body: notFound })));
    await script.gateway.get({ ...subject, transactions: Array.from({ length: 20 }, (_, index) => `t-${index}`) });
    expect(script.calls.length).toBe(9);
  });

  test("a 404 of the provider is a sure no; 404 of any web server is not", async () => {
    expect(await get(notFound)).toMatchObject({ certainty: "did_not", refusal: { code: "not_found" } });
    expect(await scripted([{ http: 404, body: notFound }]).gateway.get(subject)).toMatchObject({
      certainty: "did_not",
      refusal: { code: "not_found" },
    });
    expect(await get({ status_code: "404", status_message: "The requested resource is not found" })).toMatchObject({
      refusal: { code: "not_found" },
    });
    for (const body of ["<html>404</html>", "", JSON.stringify({ message: "no Route matched with those values" })]) {
      expect(await scripted([{ http: 404, body }]).gateway.get(subject)).toMatchObject({ certainty: "unknown" });
    }
  });

  test.each<readonly [string, Scripted, string]>([
    ["401", { http: 401, body: { status_code: "401", status_message: "no" } }, "unauthorized"],
    ["403", { http: 403, body: { message: "Forbidden" } }, "unauthorized"],
    ["429", { http: 429, headers: { "retry-after": "9999999" } }, "rate_limited"],
  ])("%s never becomes a status", async (_name, answer, code) => {
    expect(await scripted([answer]).gateway.get(subject)).toMatchObject({ certainty: "did_not", refusal: { code } });
  });

  test.each<readonly [string, object]>([
    ["another order_id", { order_id: "INV-2" }],
    ["another currency", { currency: "SGD" }],
    ["a wrong signature_key", { signature_key: "0".repeat(128) }],
    ["no transaction_id", { transaction_id: undefined }],
    ["an amount as a number", { gross_amount: 25000 }],
    ["a word without a meaning", { transaction_status: "paid" }],
    ["a word beside a foreign code", { status_code: "202" }],
    ["doubt about fraud", { fraud_status: "challenge" }],
    ["412", { status_code: "412", transaction_status: undefined }],
  ])("an answer with %s is not believed: unknown", async (_name, fields) => {
    const outcome = await get({ ...settled, ...fields });
    expect(outcome).toMatchObject({ certainty: "unknown" });
  });

  test("an answer about another transaction than the one asked for is not believed", async () => {
    expect(await scripted([{ body: { ...settled, transaction_id: "another" } }]).gateway.get(known)).toMatchObject({ certainty: "unknown" });
  });

  test("an answer of another merchant is not believed where ours is configured", async () => {
    expect(await get(settled, { merchant_id: "G000000002" })).toMatchObject({ certainty: "unknown" });
    expect(await get(settled, { merchant_id: "G000000001" })).toMatchObject({ certainty: "did" });
  });

  test("a right signature_key is no hindrance, computed over the answer's own code (V6's case)", async () => {
    const signature_key = sign({ order_id: "INV-2001", status_code: "407", gross_amount: "25000.00" }, SERVER_KEY);
    expect(await get({ ...pending, status_code: "407", transaction_status: "expire", signature_key })).toMatchObject({
      value: { evidence: { status: "expired" } },
    });
  });

  test("an amount that is not ours is evidence: the hub flags it", async () => {
    expect(await get({ ...settled, gross_amount: "2500.00" })).toMatchObject({ certainty: "did", value: { evidence: { amount: 250_000n } } });
  });

  test("nulls and unknown attributes are as if absent (§2, quirk 17)", async () => {
    expect(
      await get({ ...settled, fraud_status: null, metadata: null, refunds: null, va_numbers: null, payment_amounts: [], brand_new: { x: 1 } }),
    ).toMatchObject({
      certainty: "did",
      value: { evidence: { status: "paid" } },
    });
  });
});

describe("a fee that the buyer pays on top (quirk 2)", () => {
  const info = (fields: object) => ({
    metadata: {
      extra_info: { gross_amount_info: { original_amount: "25000.00", gross_amount: "25178.00", customer_imposed_payment_fee: "178.00", ...fields } },
    },
  });

  test("is taken off: what is ours is the original amount", async () => {
    const evidence = { amount: 2_500_000n, buyer_fee: 17_800n };
    expect(await get({ ...settled, gross_amount: "25178.00", ...info({}) })).toMatchObject({ value: { evidence } });
  });

  test("does not keep a refund of all that is ours from being full", async () => {
    const partly = { ...settled, transaction_status: "partial_refund", gross_amount: "25178.00", ...info({}) };
    expect(await get({ ...partly, refund_amount: "25000.00" })).toMatchObject({ value: { evidence: { status: "refunded", refunded: 2_500_000n } } });
    expect(await get({ ...partly, refund_amount: "24999.00" })).toMatchObject({ value: { evidence: { status: "partially_refunded" } } });
  });

  test.each([
    ["does not belong to the amount beside it", { gross_amount: "99.00" }],
    ["is larger than what was paid", { original_amount: "30000.00" }],
    ["is nothing", { original_amount: "0.00" }],
    ["is no amount", { original_amount: "many" }],
  ])("is not believed where the original %s", async (_name, fields) => {
    const outcome = await get({ ...settled, gross_amount: "25178.00", ...info(fields) });
    expect(outcome).toMatchObject({ value: { evidence: { amount: 2_517_800n } } });
    if (outcome.certainty === "did") expect(outcome.value.evidence.buyer_fee).toBeUndefined();
  });
});

test("every refund is listed, with its key where it has one, confirmed only by the bank (§6)", async () => {
  const refunds = [
    {
      refund_chargeback_id: 11,
      refund_chargeback_uuid: "u-11",
      refund_amount: "5000.00",
      created_at: "2026-07-17 11:00:00",
      reason: "Salah ukuran",
      refund_key: "k-1",
      refund_method: "online",
      bank_confirmed_at: "2026-07-17 11:05:00",
    },
    { refund_chargeback_id: 12, refund_amount: 1500 },
    { refund_chargeback_id: 13, refund_amount: "0.00", refund_key: "k-3" },
    { refund_chargeback_id: 14, refund_amount: "unreadable" },
  ];
  const outcome = await get({ ...settled, transaction_status: "partial_refund", refund_amount: "6500.00", refunds });
  expect(outcome).toMatchObject({ certainty: "did" });
  if (outcome.certainty !== "did") return;
  expect(outcome.value.evidence.refunded).toBe(650_000n);
  expect(outcome.value.evidence.refunds).toEqual([
    { key: "k-1", provider_id: "u-11", amount: 500_000n, status: "confirmed", reason: "Salah ukuran", created_at: Date.UTC(2026, 6, 17, 4, 0, 0) },
    { provider_id: "12", amount: 150_000n, status: "accepted" },
    { key: "k-3", provider_id: "13", amount: 0n, status: "refused" },
  ]);
});

describe.each(["cancel", "expire"] as const)("%s", (operation) => {
  const path = `POST /v2/${TRANSACTION_ID}/${operation}`;
  const status = `GET /v2/${TRANSACTION_ID}/status`;
  const state = { body: { status_code: "412", status_message: "Transaction status cannot be updated.", id: "x" } };

  test("goes by transaction_id, under a key of its own, with a body that parsers take", async () => {
    const done = operation === "cancel" ? { status_code: "200", transaction_status: "cancel" } : { status_code: "407", transaction_status: "expire" };
    const script = scripted([{ body: { ...pending, ...done } }]);
    expect(await script.gateway[operation](known)).toMatchObject({
      certainty: "did",
      value: { evidence: { status: operation === "cancel" ? "canceled" : "expired", provider_id: TRANSACTION_ID } },
    });
    expect(script.asked()).toEqual([path]);
    expect(script.calls[0]!.headers["idempotency-key"]).toBe(`${operation}-pay_0123456789abcdefghjkmn`);
    expect(script.calls[0]!.body).toBe("{}");
  });

  test("falls back to the reference while no transaction_id is known", async () => {
    const script = scripted([{ body: notFound }]);
    expect(await script.gateway[operation](subject)).toMatchObject({ certainty: "did_not", refusal: { code: "not_found" } });
    expect(script.asked()).toEqual([`POST /v2/INV-2001/${operation}`]);
  });

  test("of a real HTTP 407 is success too where the body says so", async () => {
    const script = scripted([{ http: 407, body: { ...pending, status_code: "407", transaction_status: "expire" } }]);
    expect(await script.gateway[operation](known)).toMatchObject({ certainty: "did", value: { evidence: { status: "expired" } } });
  });

  test("that is refused for the state asks: closed already is closed, paid is a refusal", async () => {
    const closed = scripted([state, { body: { ...pending, status_code: "407", transaction_status: "expire" } }]);
    expect(await closed.gateway[operation](known)).toMatchObject({ certainty: "did", value: { evidence: { status: "expired" } } });
    expect(closed.asked()).toEqual([path, status]);
    expect(await scripted([state, { body: settled }]).gateway[operation](known)).toMatchObject({
      certainty: "did_not",
      refusal: { code: "state" },
      exchanges: [{}, {}],
    });
    expect(await scripted([state, { fault: "reset" }]).gateway[operation](known)).toMatchObject({ certainty: "unknown" });
  });

  test.each<readonly [string, Scripted]>([
    ["a timeout", { fault: "timeout" }],
    ["HTTP 503", { http: 503, body: "" }],
    ["HTML", { body: "<html>" }],
    ["another order", { body: { ...pending, order_id: "INV-9", status_code: "200", transaction_status: "cancel" } }],
    ["another transaction", { body: { ...pending, transaction_id: "another", status_code: "200", transaction_status: "cancel" } }],
    ["success without a transaction", { body: { status_code: "200", status_message: "Success" } }],
  ])("answered by %s is unknown", async (_name, answer) => {
    expect(await scripted([answer]).gateway[operation](known)).toMatchObject({ certainty: "unknown" });
  });

  test("with a wrong key surely did nothing", async () => {
    expect(await scripted([{ http: 401, body: { status_code: "401" } }]).gateway[operation](known)).toMatchObject({
      certainty: "did_not",
      refusal: { code: "unauthorized" },
    });
  });
});

test("a transaction of which only the reference is known, and not the method, can be asked about", async () => {
  const script = scripted([{ body: settled }, { body: notFound }]);
  const nobodys = { ...subject, method: "unknown" };
  expect(await script.gateway.get(nobodys)).toMatchObject({ certainty: "did", value: { evidence: { status: "paid", amount: 2_500_000n } } });
  expect(await script.gateway.get(nobodys)).toMatchObject({ certainty: "did_not", refusal: { code: "not_found" } });
  expect(await scripted([]).gateway.cancel(nobodys)).toMatchObject({ certainty: "did_not", refusal: { code: "unsupported" } });
});
