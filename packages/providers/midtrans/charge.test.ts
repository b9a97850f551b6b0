import { money, type OpenIntent } from "@lunas/domain";
import { describe, expect, test } from "vitest";
import { gopayCharged, intent, MINUTE, NOW, pending, scripted, SERVER_KEY, TRANSACTION_ID, type Scripted } from "./testing.ts";

const QR = { type: "qr", image_url: `https://api.sandbox.midtrans.com/v2/gopay/${TRANSACTION_ID}/qr-code` };
const CHARGE = "POST /v2/charge";

function va(method: string, extra: object): { intent: OpenIntent; charged: object } {
  const { fraud_status: _none, ...rest } = pending;
  return { intent: { ...intent, method }, charged: { ...rest, payment_type: "bank_transfer", ...extra } };
}

describe("a charge", () => {
  test("for GoPay sends what the page asks for, once, and shows QR and deeplink (§5.1)", async () => {
    const script = scripted([{ body: gopayCharged }]);
    const outcome = await script.gateway.open({ ...intent, callback_url: "https://shop.example/done" });
    expect(script.asked()).toEqual([CHARGE]);
    expect(script.bodyOf(0)).toEqual({
      payment_type: "gopay",
      transaction_details: { order_id: "INV-2001", gross_amount: 25000 },
      item_details: [{ id: "KOPI-1", name: "Kopi susu", price: 12500, quantity: 2 }],
      customer_details: { first_name: "Budi", last_name: "Santoso", email: "budi@example.com", phone: "+628123456789" },
      custom_field1: "order-7",
      custom_expiry: { order_time: "2026-07-17 10:00:00 +0700", expiry_duration: 15, unit: "minute" },
      gopay: { enable_callback: true, callback_url: "https://shop.example/done" },
    });
    expect(outcome).toMatchObject({
      certainty: "did",
      value: {
        evidence: {
          status: "pending",
          provider_status: "pending",
          provider_id: TRANSACTION_ID,
          reference: "INV-2001",
          merchant_id: "G000000001",
          currency: "IDR",
          amount: 2_500_000n,
          method: "gopay",
          expires_at: NOW + 15 * MINUTE,
        },
        actions: [QR, { type: "deeplink", url: gopayCharged.actions[1].url }],
      },
    });
    if (outcome.certainty === "did") expect(outcome.value.unusable).toBeUndefined();
  });

  test("without a callback_url asks for no callback", async () => {
    const script = scripted([{ body: gopayCharged }]);
    await script.gateway.open(intent);
    expect(script.bodyOf(0)).toMatchObject({ gopay: { enable_callback: false } });
  });

  test("carries the server key as user name, no password, and an Idempotency-Key of at most 36 characters (§1, §12)", async () => {
    const script = scripted([{ body: gopayCharged }]);
    const outcome = await script.gateway.open(intent);
    const headers = script.calls[0]!.headers;
    expect(headers["authorization"]).toBe(`Basic ${Buffer.from(`${SERVER_KEY}:`).toString("base64")}`);
    expect(headers["idempotency-key"]).toBe("charge-pay_0123456789abcdefghjkmn");
    expect(headers["idempotency-key"]!.length).toBeLessThanOrEqual(36);
    expect([headers["accept"], headers["content-type"]]).toEqual(["application/json", "application/json"]);
    expect(script.calls[0]!.max_bytes).toBe(64 * 1024);
    const kept = JSON.stringify(outcome.exchanges);
    expect(outcome.exchanges).toMatchObject([
      { method: "POST", url: "http://127.0.0.1:8090/midtrans/v2/charge", status: 200, asked_at: NOW, elapsed_ms: 7 },
    ]);
    expect(kept).not.toContain(SERVER_KEY);
    expect(kept).not.toContain(headers["authorization"]!.slice(6));
  });

  test("for QRIS shows the image and the string", async () => {
    const image_url = `https://api.sandbox.midtrans.com/v2/qris/${TRANSACTION_ID}/qr-code`;
    const charged = {
      ...pending,
      payment_type: "qris",
      acquirer: "gopay",
      qr_string: "0002010102126304ABCD",
      actions: [{ name: "generate-qr-code", method: "GET", url: image_url }],
    };
    const script = scripted([{ body: charged }]);
    const outcome = await script.gateway.open({ ...intent, method: "qris" });
    expect(script.bodyOf(0)).toMatchObject({ payment_type: "qris", qris: { acquirer: "gopay" } });
    expect(outcome).toMatchObject({ certainty: "did", value: { actions: [{ type: "qr", image_url, qr_string: "0002010102126304ABCD" }] } });
  });

  test.each([
    ["bca_va", { va_numbers: [{ bank: "bca", va_number: "12345678901" }] }, "bca", "12345678901"],
    ["bni_va", { va_numbers: [{ bank: "bni", va_number: "9888000000001" }] }, "bni", "9888000000001"],
    ["bri_va", { va_numbers: [{ bank: "bri", va_number: "123450000000001" }] }, "bri", "123450000000001"],
    ["permata_va", { permata_va_number: "8778000000000001" }, "permata", "8778000000000001"],
  ])("for %s shows the number of that bank (quirk 18)", async (method, extra, bank, number) => {
    const { intent: asked, charged } = va(method, extra);
    const script = scripted([{ body: charged }]);
    const outcome = await script.gateway.open(asked);
    expect(script.bodyOf(0)).toMatchObject({ payment_type: "bank_transfer", bank_transfer: { bank } });
    expect(outcome).toMatchObject({ certainty: "did", value: { actions: [{ type: "va_number", bank, number }] } });
  });

  test("that the bank denied at once is a failed payment, and one that money arrived for is paid", async () => {
    const denied = await scripted([{ body: { ...pending, status_code: "202", transaction_status: "deny", fraud_status: "deny" } }]).gateway.open(
      intent,
    );
    expect(denied).toMatchObject({ certainty: "did", value: { evidence: { status: "failed", provider_status: "deny" } } });
    const paid = await scripted([{ body: { ...pending, status_code: "200", transaction_status: "settlement" } }]).gateway.open(intent);
    expect(paid).toMatchObject({ certainty: "did", value: { evidence: { status: "paid" } } });
    if (paid.certainty === "did") expect(paid.value.unusable).toBeUndefined();
  });

  test.each([
    ["no QR to show", { ...gopayCharged, actions: [] }],
    ["an action that runs in the browser", { ...gopayCharged, actions: [{ name: "deeplink-redirect", method: "GET", url: "javascript:alert(1)" }] }],
    ["a QR image that is a file", { ...gopayCharged, actions: [{ name: "generate-qr-code", method: "GET", url: "file:///etc/passwd" }] }],
    ["another amount", { ...gopayCharged, gross_amount: "2500.00" }],
  ])("that was answered with %s is open but unusable", async (_name, body) => {
    expect(await scripted([{ body }]).gateway.open(intent)).toMatchObject({ certainty: "did", value: { unusable: true } });
  });

  test("that the provider cannot take is refused without a call", async () => {
    const script = scripted([]);
    const outcome = await script.gateway.open({ ...intent, amount: money(2_500_050n, "IDR") });
    expect(outcome).toMatchObject({ certainty: "did_not", refusal: { code: "amount", fields: [{ field: "amount" }] }, exchanges: [] });
    expect(await script.gateway.open({ ...intent, method: "credit_card" })).toMatchObject({ certainty: "did_not", refusal: { code: "unsupported" } });
    expect(await script.gateway.open({ ...intent, method: "__proto__" })).toMatchObject({ certainty: "did_not", refusal: { code: "unsupported" } });
  });
});

describe("what comes of a charge", () => {
  test.each<readonly [string, Scripted]>([
    ["a timeout", { fault: "timeout" }],
    ["a dropped connection", { fault: "reset" }],
    ["an answer that is too large", { fault: "too_large" }],
    ["HTTP 500", { http: 500, body: { status_code: "500", status_message: "Sorry, unexpected" } }],
    ["HTTP 502 in HTML", { http: 502, body: "<html>Bad gateway</html>" }],
    ["HTTP 500 that says 400 inside", { http: 500, body: { status_code: "400" } }],
    ["a body that says 503", { body: { status_code: "503", status_message: "Partner problem" } }],
    ["a body that says 505", { body: { status_code: "505", status_message: "Unable to create va_number" } }],
    ["HTML with HTTP 200", { body: "<html></html>" }],
    ["HTML with HTTP 404", { http: 404, body: "<html>Not found</html>" }],
    ["HTML with HTTP 401", { http: 401, body: "<html>proxy</html>" }],
    ["an empty body", { body: "" }],
    ["HTTP 202 for a concurrent duplicate (§12)", { http: 202, body: "{}" }],
    ["HTTP 202 with no body", { http: 202, body: "" }],
    ["JSON null", { body: "null" }],
    ["a list", { body: "[]" }],
    ["a code as a number", { body: { ...gopayCharged, status_code: 201 } }],
    ["no code", { body: { ...gopayCharged, status_code: undefined } }],
    ["an unknown code", { body: { status_code: "299", status_message: "?" } }],
    ["success without a transaction", { body: { status_code: "201", status_message: "created" } }],
    ["success under HTTP 400", { http: 400, body: gopayCharged }],
    ["a redirect", { http: 302, body: "" }],
    ["another order", { body: { ...gopayCharged, order_id: "INV-9" } }],
    ["another currency", { body: { ...gopayCharged, currency: "USD" } }],
    ["an unknown word", { body: { ...gopayCharged, transaction_status: "sparkling" } }],
    ["an unreadable amount", { body: { ...gopayCharged, gross_amount: "a lot" } }],
  ])("%s is unknown, never a failure", async (_name, answer) => {
    const outcome = await scripted([answer]).gateway.open(intent);
    expect(outcome).toMatchObject({ certainty: "unknown", exchanges: [{}] });
    if (outcome.certainty === "unknown") expect(outcome.reason.length).toBeGreaterThan(5);
  });

  test.each<readonly [string, Scripted, object]>([
    [
      "a real HTTP 400",
      {
        http: 400,
        body: {
          status_code: "400",
          status_message: "One or more parameters in the payload is invalid.",
          validation_messages: ["transaction_details.gross_amount must be between 0.01 - 99999999999.00"],
          id: "0d0e6c11-9c49-4f7b-8c57-2f1b5c0e7a10",
        },
      },
      { code: "invalid", fields: [{ field: "amount", message: "must be between 0.01 - 99999999999.00" }] },
    ],
    [
      "HTTP 401 with its code",
      { http: 401, body: { status_code: "401", status_message: "Transaction cannot be authorized with the current client/server key." } },
      { code: "unauthorized" },
    ],
    ["401 inside HTTP 200", { body: { status_code: "401", status_message: "Access denied" } }, { code: "unauthorized" }],
    ["a bare JSON 401", { http: 401, body: { message: "no" } }, { code: "unauthorized" }],
    ["402", { body: { status_code: "402", status_message: "Payment channel is not activated." } }, { code: "unsupported" }],
    ["410", { body: { status_code: "410", status_message: "Merchant account has been deactivated." } }, { code: "declined" }],
    ["202 without a transaction", { body: { status_code: "202", status_message: "Denied" } }, { code: "declined" }],
    ["413", { body: { status_code: "413", status_message: "Malformed body" } }, { code: "invalid" }],
    ["429 with a wait", { http: 429, body: "slow down", headers: { "retry-after": "30" } }, { code: "rate_limited", retry_after_s: 30 }],
    ["429 with a date", { http: 429, headers: { "retry-after": "Fri, 17 Jul 2026 03:01:00 GMT" } }, { code: "rate_limited", retry_after_s: 60 }],
    ["429 in the body", { body: { status_code: "429", status_message: "Too many" } }, { code: "rate_limited" }],
  ])("%s is a refusal that surely did nothing", async (_name, answer, refusal) => {
    const script = scripted([answer]);
    expect(await script.gateway.open(intent)).toMatchObject({ certainty: "did_not", refusal });
    expect(script.asked()).toEqual([CHARGE]);
  });

  test("402 speaks of the method and not of the key, which is good", async () => {
    const outcome = await scripted([{ body: { status_code: "402", status_message: "Payment channel is not activated." } }]).gateway.open(intent);
    expect(outcome).toMatchObject({
      certainty: "did_not",
      refusal: {
        code: "unsupported",
        message: "Midtrans has not activated this payment method for the account | Payment channel is not activated.",
      },
    });
  });

  test("a refusal keeps the provider's words for the operator", async () => {
    const outcome = await scripted([
      { http: 400, body: { status_code: "400", status_message: ["a", "b"], validation_messages: ["c d"] } },
    ]).gateway.open(intent);
    expect(outcome).toMatchObject({ refusal: { message: "a, b | c d" } });
  });

  test("a key that the answer echoes is not kept", async () => {
    const outcome = await scripted([{ http: 400, body: `you sent ${SERVER_KEY}` }]).gateway.open(intent);
    expect(outcome.exchanges[0]!.response_body).toBe("you sent [redacted]");
  });
});
