import type { CoreApi as Core, MidtransError } from "midtrans-client";
import midtrans from "midtrans-client";
import { describe, expect, test } from "vitest";
import type { SandboxOptions } from "./start.ts";
import type { Bench } from "./testing/merchant.ts";
import { openBench, SERVER_KEY } from "./testing/merchant.ts";

/** The official Node client, unchanged but for its base URLs (midtrans.md §14). */
async function clients(
  serverKey = SERVER_KEY,
  options: SandboxOptions = {},
): Promise<Bench & { core: Core; snap: InstanceType<typeof midtrans.Snap> }> {
  const bench = await openBench(options);
  const keys = { isProduction: false, serverKey, clientKey: "SB-Mid-client-lunas-sandbox" };
  const core = new midtrans.CoreApi(keys);
  const snap = new midtrans.Snap(keys);
  // Statics of a class: set for both before each use, since every test has a sandbox of its own.
  core.apiConfig.constructor.CORE_SANDBOX_BASE_URL = `${bench.sandbox.url}/midtrans`;
  core.apiConfig.constructor.SNAP_SANDBOX_BASE_URL = `${bench.sandbox.url}/midtrans/snap/v1`;
  return { ...bench, core, snap };
}

const order = (order_id: string, gross_amount = 200_000) => ({ transaction_details: { order_id, gross_amount } });

async function refusal(promise: Promise<unknown>): Promise<MidtransError> {
  return promise.then(
    () => expect.fail("the call should have been refused"),
    (error: unknown) => error as MidtransError,
  );
}

describe("midtrans-client against the emulator", () => {
  test.each([
    [
      "gopay",
      { payment_type: "gopay" },
      {
        payment_type: "gopay",
        channel_response_code: "200",
        actions: expect.arrayContaining([expect.objectContaining({ name: "deeplink-redirect" })]),
      },
    ],
    [
      "qris",
      { payment_type: "qris", qris: { acquirer: "gopay" } },
      { payment_type: "qris", acquirer: "gopay", qr_string: expect.stringMatching(/^000201.*6304[0-9A-F]{4}$/) },
    ],
    [
      "bca",
      { payment_type: "bank_transfer", bank_transfer: { bank: "bca" } },
      { va_numbers: [{ bank: "bca", va_number: expect.stringMatching(/^\d{11}$/) }] },
    ],
    [
      "bni",
      { payment_type: "bank_transfer", bank_transfer: { bank: "bni" } },
      { va_numbers: [{ bank: "bni", va_number: expect.stringMatching(/^\d{16}$/) }] },
    ],
    [
      "bri",
      { payment_type: "bank_transfer", bank_transfer: { bank: "bri" } },
      { va_numbers: [{ bank: "bri", va_number: expect.stringMatching(/^\d{18}$/) }] },
    ],
    [
      "cimb",
      { payment_type: "bank_transfer", bank_transfer: { bank: "cimb" } },
      { va_numbers: [{ bank: "cimb", va_number: expect.stringMatching(/^\d{16}$/) }] },
    ],
    ["permata", { payment_type: "bank_transfer", bank_transfer: { bank: "permata" } }, { permata_va_number: expect.stringMatching(/^8778\d{12}$/) }],
    [
      "permata by its alias",
      { payment_type: "permata" },
      { payment_type: "bank_transfer", permata_va_number: expect.stringMatching(/^8778\d{12}$/) },
    ],
    ["a transfer without a bank", { payment_type: "bank_transfer" }, { permata_va_number: expect.any(String) }],
  ])("charges %s", async (_name, method, expected) => {
    const { core } = await clients();
    const body = await core.charge({ ...method, ...order("INV-1") });
    expect(body).toMatchObject({
      status_code: "201",
      order_id: "INV-1",
      gross_amount: "200000.00",
      currency: "IDR",
      transaction_status: "pending",
      fraud_status: "accept",
      ...expected,
    });
    expect(body).not.toHaveProperty("signature_key");
  });

  test("status, cancel and expire resolve, the 407 of an expire too", async () => {
    const { core } = await clients();
    await core.charge({ payment_type: "gopay", ...order("A") });
    await core.charge({ payment_type: "gopay", ...order("B") });
    expect(await core.transaction.status("A")).toMatchObject({
      status_code: "201",
      status_message: "Success, transaction is found",
      transaction_status: "pending",
    });
    expect(await core.transaction.cancel("A")).toMatchObject({
      status_code: "200",
      status_message: "Success, transaction is canceled",
      transaction_status: "cancel",
    });
    expect(await core.transaction.expire("B")).toMatchObject({
      status_code: "407",
      status_message: "Success, transaction has expired",
      transaction_status: "expire",
    });
    expect(await core.transaction.status("B")).toMatchObject({ status_code: "407", transaction_status: "expire" });
  });

  test("refunds in part and in full", async () => {
    const { core, pay } = await clients();
    await core.charge({ payment_type: "gopay", ...order("A") });
    await pay("A");
    const first = await core.transaction.refund("A", { refund_key: "a-1", amount: 5_000, reason: "one too many" });
    expect(first).toMatchObject({
      status_code: "200",
      transaction_status: "partial_refund",
      refund_amount: "5000.00",
      refund_key: "a-1",
      refund_chargeback_id: expect.any(Number),
    });
    const rest = await core.transaction.refundDirect("A", { refund_key: "a-2" });
    expect(rest).toMatchObject({
      status_code: "200",
      status_message: "Success, refund request is approved by the bank",
      transaction_status: "refund",
      refund_amount: "195000.00",
    });
    expect(await core.transaction.status("A")).toMatchObject({
      status_code: "200",
      refund_amount: "200000.00",
      refunds: [{ refund_key: "a-1" }, { refund_key: "a-2", refund_method: "online" }],
    });
  });

  test("creates Snap transactions, and the same order id again", async () => {
    const { snap } = await clients();
    const uuid_v4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
    const first = await snap.createTransaction({
      ...order("node-midtransclient-test 12:30"),
      enabled_payments: ["gopay", "mandiri_clickpay", "kioson"],
    });
    expect(first.token).toMatch(uuid_v4);
    expect(first.redirect_url).toContain(`/snap/v3/redirection/${first.token}`);
    expect(await snap.createTransactionToken(order("node-midtransclient-test 12:30"))).not.toBe(first.token);
    expect(await snap.createTransactionRedirectUrl(order("another"))).toMatch(/^http/);
  });

  test("reads a notification and asks for its transaction", async () => {
    const { core, gopay, pay, receiver } = await clients();
    const { transaction_id } = await gopay("A", 44_000);
    await pay("A");
    const notification = receiver.received[1]!.body;
    expect(await core.transaction.notification(notification)).toMatchObject({
      transaction_id,
      order_id: "A",
      transaction_status: "settlement",
      status_code: "200",
    });
  });

  test("asks for other notification addresses by its common headers", async () => {
    const { core, receiver, sandbox } = await clients();
    core.httpClient.http_client.defaults.headers.common["X-Override-Notification"] = `${receiver.url}/other`;
    core.httpClient.http_client.defaults.headers.common["X-Append-Notification"] = `${receiver.url}/more`;
    await core.charge({ payment_type: "gopay", ...order("A") });
    await sandbox.idle();
    expect(receiver.received.map(({ path }) => path).sort()).toEqual(["/more", "/other"]);
  });
});

describe("the errors that midtrans-client reports", () => {
  test("a charge that is not valid: 400, a number", async () => {
    const { core } = await clients();
    const error = await refusal(core.charge({ payment_type: "gopay" }));
    expect(error.httpStatusCode).toBe(400);
    expect(error.ApiResponse).toMatchObject({
      status_code: "400",
      validation_messages: expect.arrayContaining(["transaction_details.order_id is required"]),
    });
  });

  test("a charge of `null`: 500, unexpected", async () => {
    const { core } = await clients();
    const error = await refusal(core.charge(null));
    expect(error.message).toContain("500");
    expect(error.message).toContain("unexpected");
  });

  test("an unknown transaction: 404, a string from the body of an HTTP 200", async () => {
    const { core } = await clients();
    for (const call of ["status", "cancel", "expire", "approve", "deny", "refund"] as const) {
      const error = await refusal(core.transaction[call]("nobody-knows-it"));
      expect(error.httpStatusCode).toBe("404");
      expect(error.message).toContain("Transaction doesn't exist.");
    }
  });

  test("a live order id again: 406", async () => {
    const { core } = await clients();
    await core.charge({ payment_type: "gopay", ...order("A") });
    expect((await refusal(core.charge({ payment_type: "qris", ...order("A") }))).httpStatusCode).toBe("406");
  });

  test("what the state does not allow: 412", async () => {
    const { core, pay } = await clients();
    await core.charge({ payment_type: "gopay", ...order("A") });
    expect((await refusal(core.transaction.refund("A"))).message).toContain("Merchant cannot modify the status of the transaction");
    expect((await refusal(core.transaction.approve("A"))).httpStatusCode).toBe("412");
    await pay("A");
    expect((await refusal(core.transaction.cancel("A"))).httpStatusCode).toBe("412");
  });

  test("a wrong or empty key: 401 on Core and Snap", async () => {
    for (const key of ["SB-Mid-server-wrong", ""]) {
      const { core, snap } = await clients(key);
      expect((await refusal(core.charge({ payment_type: "gopay", ...order("A") }))).httpStatusCode).toBe(401);
      const error = await refusal(snap.createTransaction(order("A")));
      expect(error.httpStatusCode).toBe(401);
      expect(error.message).toContain("Access denied due to unauthorized transaction, please check client or server key");
    }
  });

  test("with any key accepted, an empty one is still refused", async () => {
    const other = await clients("SB-Mid-server-of-somebody", { acceptAnyKey: true });
    expect(await other.core.charge({ payment_type: "gopay", ...order("A") })).toMatchObject({
      status_code: "201",
      merchant_id: expect.not.stringMatching("G000000001"),
    });
    const empty = await clients("", { acceptAnyKey: true });
    expect((await refusal(empty.core.charge({ payment_type: "gopay", ...order("A") }))).httpStatusCode).toBe(401);
  });

  test("Snap without an order, and of `null`: 400 that says what is required", async () => {
    const { snap } = await clients();
    for (const parameter of [{}, null]) {
      const error = await refusal(snap.createTransaction(parameter));
      expect(error.httpStatusCode).toBe(400);
      expect(error.message).toContain("is required");
    }
  });

  test("Snap for an order that was paid: 400", async () => {
    const { core, snap, pay } = await clients();
    await core.charge({ payment_type: "gopay", ...order("A") });
    await pay("A");
    expect((await refusal(snap.createTransaction(order("A")))).message).toContain("order_id has been paid and utilized");
  });
});
