import type { OpenIntent, PaymentSubject } from "@lunas/domain";
import { describe, expect, test } from "vitest";
import { intent, MINUTE, notFound, NOW, pending, scripted, subject, TRANSACTION_ID, type Scripted } from "./testing.ts";

const TOKEN = "7f1c2f6e-52c1-4b5a-9a0a-3f6f1f7f5d21";
/** The example of midtrans.md §3. */
const created = { token: TOKEN, redirect_url: `https://app.sandbox.midtrans.com/snap/v3/redirection/${TOKEN}` };

const page: OpenIntent = { ...intent, method: "snap", return_url: "https://shop.example/orders/7", callback_url: "https://shop.example/done" };
const again: OpenIntent = { ...page, submitted_at: NOW };
const shown: PaymentSubject = { ...subject, method: "snap", handles: { snap_token: TOKEN } };
const chosen: PaymentSubject = { ...shown, provider_id: TRANSACTION_ID };

const CREATE = "POST /snap/v1/transactions";
const CANCEL_TOKEN = `POST /snap/v1/transactions/${TOKEN}/cancel`;
const STATUS = "GET /v2/INV-2001/status";
const STATUS_BY_ID = `GET /v2/${TRANSACTION_ID}/status`;

const NOT_FOUND = { body: notFound };
const CANCELED = { body: { canceled_at: "2026-07-17 10:05:00" } };
const errors = (http: number, ...error_messages: string[]): Scripted => ({ http, body: { error_messages } });
const IN_PROGRESS = errors(400, "Transaction is on progress");

test("a page that was never made, or whose token nobody has, is not told as waiting for the buyer", async () => {
  expect(await scripted([NOT_FOUND]).gateway.get({ ...shown, handles: {} })).toMatchObject({ certainty: "did_not", refusal: { code: "not_found" } });
  expect(await scripted([NOT_FOUND]).gateway.get(shown)).toMatchObject({ certainty: "did", value: { evidence: { status: "pending" } } });
});

describe("a hosted page", () => {
  test("is created with all that a charge carries, and shown by its token and its address (§3)", async () => {
    const script = scripted([{ http: 201, body: created }]);
    const outcome = await script.gateway.open(page);
    expect(script.asked()).toEqual([CREATE]);
    expect(script.bodyOf(0)).toEqual({
      transaction_details: { order_id: "INV-2001", gross_amount: 25000 },
      item_details: [{ id: "KOPI-1", name: "Kopi susu", price: 12500, quantity: 2 }],
      customer_details: { first_name: "Budi", last_name: "Santoso", email: "budi@example.com", phone: "+628123456789" },
      custom_field1: "order-7",
      expiry: { start_time: "2026-07-17 10:00:00 +0700", duration: 15, unit: "minutes" },
      page_expiry: { duration: 15, unit: "minutes" },
      callbacks: { finish: "https://shop.example/orders/7" },
      gopay: { enable_callback: true, callback_url: "https://shop.example/done" },
    });
    expect(outcome).toMatchObject({
      certainty: "did",
      value: {
        evidence: { status: "pending", provider_status: "unchosen", reference: "INV-2001", currency: "IDR" },
        actions: [
          { type: "snap_token", token: TOKEN },
          { type: "redirect", url: created.redirect_url },
        ],
        handles: {
          snap_token: TOKEN,
          client_key: "SB-Mid-client-EmulatorKey0000000001",
          script_url: "http://127.0.0.1:8090/midtrans/snap/snap.js",
        },
      },
    });
    // There is no transaction yet, so there is no id of one either.
    if (outcome.certainty === "did") expect(outcome.value.evidence.provider_id).toBeUndefined();
  });

  test("is taken from any 2xx (quirk 15)", async () => {
    expect(await scripted([{ http: 200, body: created }]).gateway.open(page)).toMatchObject({ certainty: "did" });
  });

  test.each<readonly [string, Scripted, string]>([
    ["400", errors(400, "transaction_details.order_id is required", "transaction_details.gross_amount is required"), "invalid"],
    ["401", errors(401, "Access denied due to unauthorized transaction, please check client or server key"), "unauthorized"],
    ["the sandbox's word for an empty key", errors(400, "Merchant is required"), "unauthorized"],
    ["429", { http: 429 }, "rate_limited"],
  ])("is refused by %s", async (_name, answer, code) => {
    expect(await scripted([answer]).gateway.open(page)).toMatchObject({ certainty: "did_not", refusal: { code } });
  });

  test("a refusal names our fields where it is about them", async () => {
    expect(
      await scripted([errors(400, "transaction_details.gross_amount is not equal to the sum of item_details")]).gateway.open(page),
    ).toMatchObject({
      refusal: { fields: [{ field: "amount", message: "is not equal to the sum of item_details" }] },
    });
  });

  test.each<readonly [string, Scripted]>([
    ["a timeout", { fault: "timeout" }],
    ["HTTP 500 with its own body", { http: 500, body: { error_messages: ["We're sorry"], locale: "en" } }],
    ["HTML", { http: 200, body: "<html>" }],
    ["HTML with 404", { http: 404, body: "<html>" }],
    ["success without a token", { http: 201, body: { redirect_url: created.redirect_url } }],
    ["a redirect_url that is no web address", { http: 201, body: { ...created, redirect_url: "javascript:alert(1)" } }],
  ])("is unknown after %s", async (_name, answer) => {
    expect(await scripted([answer]).gateway.open(page)).toMatchObject({ certainty: "unknown" });
  });

  test("whose order_id was paid before asks what stands there", async () => {
    const taken = errors(400, "transaction_details.order_id has been paid and utilized, please use another order ID");
    const script = scripted([taken, { body: { ...pending, status_code: "200", transaction_status: "settlement" } }]);
    expect(await script.gateway.open(page)).toMatchObject({ certainty: "did", value: { evidence: { status: "paid", provider_id: TRANSACTION_ID } } });
    expect(script.asked()).toEqual([CREATE, STATUS]);
    expect(await scripted([taken, NOT_FOUND]).gateway.open(page)).toMatchObject({ certainty: "unknown" });
  });
});

describe("continuing a page", () => {
  test("asks first; without a transaction it is created again, which revokes the one before", async () => {
    const script = scripted([NOT_FOUND, { http: 201, body: created }]);
    expect(await script.gateway.open(again)).toMatchObject({ certainty: "did", value: { handles: { snap_token: TOKEN } } });
    expect(script.asked()).toEqual([STATUS, CREATE]);
  });

  test("a transaction that is found without its token cannot be shown", async () => {
    expect(await scripted([{ body: pending }]).gateway.open(again)).toMatchObject({ certainty: "did", value: { unusable: true } });
    const with_token = await scripted([{ body: pending }]).gateway.open({ ...again, handles: { snap_token: TOKEN } });
    expect(with_token).toMatchObject({ value: { actions: [{ type: "snap_token", token: TOKEN }] } });
  });

  test("after its expiry creates nothing", async () => {
    const script = scripted([NOT_FOUND]);
    script.business.advance(15 * MINUTE);
    expect(await script.gateway.open(again)).toMatchObject({ certainty: "did_not", refusal: { code: "state" } });
  });

  test.each<readonly [string, Scripted]>([
    ["no answer", { fault: "timeout" }],
    ["429", { http: 429 }],
  ])("%s to the question leaves it unknown", async (_name, answer) => {
    expect(await scripted([answer]).gateway.open(again)).toMatchObject({ certainty: "unknown" });
  });
});

describe("asking about a page", () => {
  test("404 means that no method is chosen yet (quirk 7), before its time and after", async () => {
    const script = scripted([NOT_FOUND, NOT_FOUND]);
    expect(await script.gateway.get(shown)).toMatchObject({
      certainty: "did",
      value: { evidence: { status: "pending", provider_status: "unchosen" } },
    });
    script.business.advance(16 * MINUTE);
    expect(await script.gateway.get(shown)).toMatchObject({
      certainty: "did",
      value: { evidence: { status: "pending", provider_status: "unchosen" } },
    });
    expect(script.asked()).toEqual([STATUS, STATUS]);
  });

  test("once a method is chosen its transaction answers", async () => {
    const body = { ...pending, payment_type: "bank_transfer", va_numbers: [{ bank: "bca", va_number: "1" }] };
    expect(await scripted([{ body }]).gateway.get(shown)).toMatchObject({
      value: { evidence: { status: "pending", provider_id: TRANSACTION_ID, method: "bank_transfer" } },
    });
  });

  test("a second try under the same reference is found, and the first one is told beside it, money or none", async () => {
    const second = { ...pending, transaction_id: "second" };
    const denied = { ...pending, status_code: "202", transaction_status: "deny", fraud_status: "deny" };
    const settled = { ...pending, status_code: "200", transaction_status: "settlement" };
    const retried = scripted([{ body: second }, { body: denied }]);
    expect(await retried.gateway.get(chosen)).toMatchObject({
      value: { evidence: { status: "pending", provider_id: "second" }, others: [{ provider_id: TRANSACTION_ID, evidence: { status: "failed" } }] },
    });
    expect(retried.asked()).toEqual([STATUS, STATUS_BY_ID]);
    expect(await scripted([{ body: second }, { body: settled }]).gateway.get(chosen)).toMatchObject({
      value: { evidence: { provider_id: "second" }, others: [{ provider_id: TRANSACTION_ID, evidence: { status: "paid" } }] },
    });
    const both_paid = scripted([{ body: { ...settled, transaction_id: "second" } }, { body: settled }]);
    expect(await both_paid.gateway.get(chosen)).toMatchObject({
      value: { evidence: { status: "paid", provider_id: "second" }, others: [{ provider_id: TRANSACTION_ID, evidence: { status: "paid" } }] },
    });
    // Nothing is said of a payment whose own transaction does not answer, but money that was seen is.
    expect(await scripted([{ body: second }, { fault: "timeout" }]).gateway.get(chosen)).toMatchObject({ certainty: "unknown" });
    const unclear = scripted([{ body: { ...settled, transaction_id: "second" } }, { fault: "timeout" }]);
    expect(await unclear.gateway.get(chosen)).toMatchObject({ certainty: "did", value: { evidence: { status: "paid", provider_id: "second" } } });
  });

  test("every transaction that was ever seen on it is asked about, and one that has money is not closed over", async () => {
    const third = { ...pending, transaction_id: "third" };
    const denied = { ...pending, status_code: "202", transaction_status: "deny", fraud_status: "deny" };
    const settled = { ...pending, status_code: "200", transaction_status: "settlement", transaction_id: "first" };
    const page_of_three = { ...chosen, transactions: ["first"] };
    expect(await scripted([{ body: third }, { body: denied }, { body: settled }]).gateway.get(page_of_three)).toMatchObject({
      value: {
        evidence: { status: "pending", provider_id: "third" },
        others: [{ evidence: { status: "failed" } }, { provider_id: "first", evidence: { status: "paid" } }],
      },
    });
    const closing = scripted([IN_PROGRESS, { body: third }, { body: denied }, { body: settled }]);
    expect(await closing.gateway.cancel(page_of_three)).toMatchObject({ certainty: "did_not", refusal: { code: "state" } });
  });

  test("a transaction that was known and is gone is not told as unchosen", async () => {
    expect(await scripted([NOT_FOUND, NOT_FOUND]).gateway.get(chosen)).toMatchObject({ certainty: "did_not", refusal: { code: "not_found" } });
  });
});

describe("closing a page", () => {
  test("without a transaction cancels its token", async () => {
    for (const answer of [CANCELED, errors(400, "token already canceled")]) {
      const script = scripted([answer, answer]);
      expect(await script.gateway.cancel(shown)).toMatchObject({
        certainty: "did",
        value: { evidence: { status: "canceled", provider_status: "token_canceled" } },
      });
      expect(await script.gateway.expire(shown)).toMatchObject({
        certainty: "did",
        value: { evidence: { status: "expired", provider_status: "token_canceled" } },
      });
      expect(script.asked()).toEqual([CANCEL_TOKEN, CANCEL_TOKEN]);
    }
  });

  test("that is in progress asks, closes the transaction by its id, and then the token, so that the buyer cannot try again", async () => {
    const gone = { ...pending, status_code: "200", transaction_status: "cancel" };
    const script = scripted([IN_PROGRESS, { body: pending }, { body: gone }, CANCELED]);
    expect(await script.gateway.cancel(shown)).toMatchObject({
      certainty: "did",
      value: { evidence: { status: "canceled", provider_id: TRANSACTION_ID } },
    });
    expect(script.asked()).toEqual([CANCEL_TOKEN, STATUS, `POST /v2/${TRANSACTION_ID}/cancel`, CANCEL_TOKEN]);
    // One key would answer for every transaction of the page.
    expect(script.calls[2]!.headers["idempotency-key"]).toBeUndefined();
  });

  test("that is in progress without a transaction to be seen is unknown", async () => {
    expect(await scripted([IN_PROGRESS, NOT_FOUND]).gateway.cancel(shown)).toMatchObject({ certainty: "unknown" });
  });

  test("never cancels money that came in, not even a card that could be voided", async () => {
    for (const transaction_status of ["settlement", "capture"]) {
      const script = scripted([IN_PROGRESS, { body: { ...pending, status_code: "200", transaction_status } }]);
      expect(await script.gateway.cancel(shown)).toMatchObject({ certainty: "did_not", refusal: { code: "state" } });
      expect(script.asked()).toEqual([CANCEL_TOKEN, STATUS]);
    }
  });

  test("with a transaction that ended by itself tells how", async () => {
    const script = scripted([CANCELED, { body: { ...pending, status_code: "407", transaction_status: "expire" } }]);
    expect(await script.gateway.cancel(chosen)).toMatchObject({ certainty: "did", value: { evidence: { status: "expired" } } });
    expect(script.asked()).toEqual([CANCEL_TOKEN, STATUS]);
  });

  test("with a known transaction closes that one too, and is not told as closed while its token may be alive", async () => {
    const gone = { ...pending, status_code: "407", transaction_status: "expire" };
    const script = scripted([{ fault: "timeout" }, { body: pending }, { body: gone }]);
    expect(await script.gateway.expire(chosen)).toMatchObject({ certainty: "unknown" });
    expect(script.asked()).toEqual([CANCEL_TOKEN, STATUS, `POST /v2/${TRANSACTION_ID}/expire`]);
  });

  const denied = { ...pending, status_code: "202", transaction_status: "deny", fraud_status: "deny" };

  test.each<readonly [string, readonly Scripted[]]>([
    ["its token's cancel is lost", [{ fault: "timeout" }, { body: denied }]],
    ["its token's cancel is answered with HTTP 503", [{ http: 503 }, { body: denied }]],
    ["its token's cancel is refused", [errors(401, "Access denied"), { body: denied }]],
    ["its token is in progress and then no more to be reached", [IN_PROGRESS, { body: denied }, { fault: "reset" }]],
    ["its token is in progress again", [IN_PROGRESS, { body: denied }, IN_PROGRESS]],
  ])("on which an attempt was denied is not closed while %s: the buyer could try again on it", async (_name, answers) => {
    const script = scripted(answers);
    expect(await script.gateway.cancel(chosen)).toMatchObject({ certainty: "unknown" });
    expect(script.calls.length).toBe(answers.length);
  });

  test.each<readonly [string, readonly Scripted[]]>([
    ["its token is canceled", [CANCELED, { body: denied }]],
    ["its token was canceled before", [errors(400, "token already canceled"), { body: denied }]],
    ["its token is not found", [errors(404, "token not found"), { body: denied }]],
    ["its token was in progress and is canceled then", [IN_PROGRESS, { body: denied }, CANCELED]],
  ])("on which an attempt was denied is closed when %s", async (_name, answers) => {
    expect(await scripted(answers).gateway.cancel(chosen)).toMatchObject({ certainty: "did", value: { evidence: { status: "failed" } } });
  });

  test("on which an attempt was denied is closed by its time, whatever comes of its token", async () => {
    const script = scripted([{ fault: "timeout" }, { body: denied }]);
    script.business.advance(15 * MINUTE);
    expect(await script.gateway.cancel(chosen)).toMatchObject({ certainty: "did", value: { evidence: { status: "failed" } } });
  });

  test("whose token is not found is refused while it has time, and over when it has none", async () => {
    const answers = [errors(404, "token not found"), NOT_FOUND];
    const script = scripted([...answers, ...answers]);
    expect(await script.gateway.expire(shown)).toMatchObject({ certainty: "did_not", refusal: { code: "not_found" } });
    script.business.advance(15 * MINUTE);
    expect(await script.gateway.expire(shown)).toMatchObject({
      certainty: "did",
      value: { evidence: { status: "expired", provider_status: "token_not_found" } },
    });
  });

  test("whose token nobody has, and of which there is no transaction, is not known to the gateway", async () => {
    expect(await scripted([NOT_FOUND]).gateway.cancel({ ...shown, handles: {} })).toMatchObject({
      certainty: "did_not",
      refusal: { code: "not_found" },
    });
  });

  test.each<readonly [string, Scripted]>([
    ["a timeout", { fault: "timeout" }],
    ["HTTP 500", { http: 500, body: { error_messages: ["sorry"] } }],
    ["an answer without canceled_at", { body: {} }],
  ])("is unknown after %s", async (_name, answer) => {
    expect(await scripted([answer]).gateway.cancel(shown)).toMatchObject({ certainty: "unknown" });
  });

  test("with a wrong key surely did nothing", async () => {
    expect(await scripted([errors(401, "Access denied")]).gateway.cancel(shown)).toMatchObject({
      certainty: "did_not",
      refusal: { code: "unauthorized" },
    });
  });
});
