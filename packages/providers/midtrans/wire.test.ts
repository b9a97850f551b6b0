import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { coreBodySchema, formatWib, parseWib, snapCreatedSchema, snapErrorSchema, transactionSchema } from "./wire.ts";

/** Every sample body of midtrans.md, typed in with the page's own spelling. */
const TRANSACTIONS: readonly (readonly [string, string])[] = [
  [
    "the GoPay charge of §5.1",
    `{"status_code":"201","status_message":"GO-PAY transaction is created","transaction_id":"5b0b0c0e-3f1a-4a53-9f43-9f2f5f3f7a01",
 "order_id":"INV-2001","merchant_id":"G000000001","gross_amount":"25000.00","currency":"IDR","payment_type":"gopay",
 "transaction_time":"2026-07-17 10:00:00","transaction_status":"pending","fraud_status":"accept",
 "actions":[
  {"name":"generate-qr-code","method":"GET","url":"{api}/v2/gopay/5b0b0c0e-3f1a-4a53-9f43-9f2f5f3f7a01/qr-code"},
  {"name":"deeplink-redirect","method":"GET",
   "url":"{simulator}/gopay/ui/checkout?referenceid=Ab12Cd34Ef&callback_url=shop%3A%2F%2Fdone%3Forder_id%3DINV-2001"},
  {"name":"get-status","method":"GET","url":"{api}/v2/5b0b0c0e-3f1a-4a53-9f43-9f2f5f3f7a01/status"},
  {"name":"cancel","method":"POST","url":"{api}/v2/5b0b0c0e-3f1a-4a53-9f43-9f2f5f3f7a01/cancel","fields":[]}],
 "channel_response_code":"200","channel_response_message":"Success","expiry_time":"2026-07-17 10:15:00"}`,
  ],
  [
    "the notification of §11.2",
    `{"transaction_time":"2026-07-17 10:00:00","transaction_status":"settlement","transaction_id":"5b0b0c0e-3f1a-4a53-9f43-9f2f5f3f7a01",
 "status_message":"midtrans payment notification","status_code":"200","signature_key":"<128 hex>","settlement_time":"2026-07-17 10:01:12",
 "payment_type":"gopay","order_id":"INV-2001","merchant_id":"G000000001","gross_amount":"25000.00","fraud_status":"accept",
 "currency":"IDR","expiry_time":"2026-07-17 10:15:00"}`,
  ],
];

test.each(TRANSACTIONS)("%s is a transaction", (_name, text) => {
  const read = transactionSchema.parse(JSON.parse(text));
  expect([read.order_id, read.transaction_id, read.gross_amount]).toEqual(["INV-2001", "5b0b0c0e-3f1a-4a53-9f43-9f2f5f3f7a01", "25000.00"]);
});

test("the Core error of §2 has its code and its messages", () => {
  const text = `{"status_code":"400","status_message":"One or more parameters in the payload is invalid.",
 "validation_messages":["transaction_details.gross_amount must be between 0.01 - 99999999999.00"],
 "id":"0d0e6c11-9c49-4f7b-8c57-2f1b5c0e7a10"}`;
  const read = coreBodySchema.parse(JSON.parse(text));
  expect(read.status_code).toBe("400");
  expect(read.validation_messages).toEqual(["transaction_details.gross_amount must be between 0.01 - 99999999999.00"]);
});

test("the Snap error of §2 has its messages", () => {
  const text = '{"error_messages":["transaction_details.order_id is required","transaction_details.gross_amount is required"]}';
  expect(snapErrorSchema.parse(JSON.parse(text)).error_messages).toHaveLength(2);
});

test("the Snap answer of §3 has its token", () => {
  const text = `{"token":"7f1c2f6e-52c1-4b5a-9a0a-3f6f1f7f5d21",
 "redirect_url":"https://app.sandbox.midtrans.com/snap/v3/redirection/7f1c2f6e-52c1-4b5a-9a0a-3f6f1f7f5d21"}`;
  expect(snapCreatedSchema.parse(JSON.parse(text)).token).toBe("7f1c2f6e-52c1-4b5a-9a0a-3f6f1f7f5d21");
});

test("the error result of §4 has an array for its message", () => {
  expect(coreBodySchema.parse(JSON.parse('{"status_code":"406","status_message":["transaction has been processed"]}')).status_code).toBe("406");
});

describe("times at GMT+7 without an offset", () => {
  test("are read as seven hours earlier in UTC (the recording of §5)", () => {
    expect(parseWib("2026-07-17 02:48:20")).toBe(Date.UTC(2026, 6, 16, 19, 48, 20));
    expect(formatWib(Date.UTC(2026, 6, 16, 19, 48, 20))).toBe("2026-07-17 02:48:20");
  });

  test("come back as they were", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: Date.UTC(2000, 0, 1) / 1000, max: Date.UTC(2100, 0, 1) / 1000 }),
        (seconds) => parseWib(formatWib(seconds * 1000)) === seconds * 1000,
      ),
    );
  });

  test.each(["", "2026-07-17", "2026-07-17T10:00:00Z", "2026-06-31 10:00:00", "2026-07-17 24:00:00", "2026-07-17 10:61:00", "17-07-2026 10:00:00"])(
    "%j is no time",
    (text) => expect(parseWib(text)).toBeUndefined(),
  );
});
