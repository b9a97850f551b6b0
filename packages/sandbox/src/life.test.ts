import { describe, expect, test } from "vitest";
import { openBench } from "./testing/merchant.ts";

describe("a transaction's life", () => {
  test("expires by the business clock, and says so by itself", async () => {
    const { sandbox, gopay, call, receiver } = await openBench();
    await gopay("A");
    sandbox.advance(14 * 60_000);
    await sandbox.idle();
    expect(receiver.statuses()).toEqual(["pending"]);
    sandbox.advance(61_000);
    await sandbox.idle();
    expect(receiver.statuses()).toEqual(["pending", "expire"]);
    expect((await call("GET", "/v2/A/status")).body).toMatchObject({ status_code: "407", transaction_status: "expire" });
  });

  test("lives as long as custom_expiry says, counted from order_time", async () => {
    const { sandbox, call } = await openBench();
    const charge = async (id: string, expiry: string) =>
      (
        await call(
          "POST",
          "/v2/charge",
          `{"payment_type":"gopay","transaction_details":{"order_id":"${id}","gross_amount":1},"custom_expiry":${expiry}}`,
        )
      ).body;
    expect(await charge("A", '{"order_time":"2026-07-17 09:50:00 +0700","expiry_duration":30,"unit":"minute"}')).toMatchObject({
      expiry_time: "2026-07-17 10:20:00",
    });
    expect(await charge("B", '{"expiry_duration":30}')).toMatchObject({ expiry_time: "2026-07-17 10:30:00" });
    expect(await charge("C", '{"expiry_duration":30,"unit":"day"}')).toMatchObject({ expiry_time: "2026-07-24 10:00:00" });
    expect(await charge("D", '{"order_time":"2026-07-17 09:00:00 +0700","expiry_duration":30,"unit":"minute"}')).toMatchObject({
      status_code: "400",
    });
    sandbox.advance(20 * 60_000);
    expect((await call("GET", "/v2/A/status")).body.transaction_status).toBe("expire");
  });

  test("an order id is free again after cancel and expire; the newest transaction answers, the old one by its own id", async () => {
    const { gopay, call } = await openBench();
    const first = await gopay("A");
    await call("POST", "/v2/A/cancel");
    const second = await gopay("A");
    expect(second.status_code).toBe("201");
    expect((await call("GET", "/v2/A/status")).body).toMatchObject({ transaction_id: second.transaction_id, transaction_status: "pending" });
    expect((await call("GET", `/v2/${first.transaction_id as string}/status`)).body).toMatchObject({ order_id: "A", transaction_status: "cancel" });
    await call("POST", "/v2/A/expire");
    expect((await gopay("A")).status_code).toBe("201");
  });

  test("a wallet that refuses leaves the transaction pending until it expires", async () => {
    const { gopay, control, call, sandbox, receiver } = await openBench();
    await gopay("A");
    expect((await control("/midtrans/A/deny")).body.transaction_status).toBe("pending");
    sandbox.advance(16 * 60_000);
    await sandbox.idle();
    expect((await call("GET", "/v2/A/status")).body.transaction_status).toBe("expire");
    expect(receiver.statuses()).toEqual(["pending", "expire"]);
  });

  test("money that comes late settles an expired and a canceled transaction", async () => {
    const { gopay, control, call, sandbox } = await openBench();
    for (const closing of ["expire", "cancel"]) {
      await gopay(closing);
      await call("POST", `/v2/${closing}/${closing}`);
      expect((await control(`/midtrans/${closing}/pay`)).body.transaction_status).toBe("settlement");
      expect((await call("GET", `/v2/${closing}/status`)).body).toMatchObject({ status_code: "200", transaction_status: "settlement" });
    }
    expect(sandbox.ledger().map(({ collected }) => collected)).toEqual([44_000, 44_000]);
  });

  test("nothing is paid twice, and what is paid is not closed", async () => {
    const { gopay, pay, control, call, sandbox } = await openBench();
    await gopay("A");
    await pay("A");
    for (const action of ["pay", "deny", "expire", "cancel"]) expect((await control(`/midtrans/A/${action}`)).status).toBe(409);
    expect((await call("POST", "/v2/A/expire")).body.status_code).toBe("412");
    expect(sandbox.ledger()[0]).toMatchObject({ status: "settlement", collected: 44_000 });
  });

  test("a settlement can be taken back by the bank or charged back, and the ledger says how much", async () => {
    const { gopay, pay, control, sandbox, receiver } = await openBench();
    for (const id of ["A", "B", "C"]) {
      await gopay(id);
      await pay(id);
    }
    await control("/midtrans/A/reverse");
    await control("/midtrans/B/chargeback");
    await control("/midtrans/C/chargeback", { amount: 4_000 });
    await sandbox.idle();
    expect(sandbox.ledger().map(({ status, collected, reversed }) => [status, collected, reversed])).toEqual([
      ["deny", 44_000, 44_000],
      ["chargeback", 44_000, 44_000],
      ["partial_chargeback", 44_000, 4_000],
    ]);
    expect(receiver.statuses().slice(-3)).toEqual(["deny", "chargeback", "partial_chargeback"]);
  });

  test("a payer who pays another amount is told as it was", async () => {
    const { gopay, control, call, sandbox } = await openBench();
    await gopay("A");
    await control("/midtrans/A/pay", { amount: 40_000 });
    expect((await call("GET", "/v2/A/status")).body.gross_amount).toBe("40000.00");
    expect(sandbox.ledger()[0]).toMatchObject({ gross_amount: 40_000, collected: 40_000 });
    expect((await control("/midtrans/A/pay", { amount: -1 })).status).toBe(400);
  });
});

describe("refunds", () => {
  test("two notifications each: accepted, then confirmed by the bank, with the sum of all", async () => {
    const { gopay, pay, call, control, sandbox, receiver } = await openBench({ switches: { midtrans: { refund_confirm_delay_s: -1 } } });
    await gopay("A");
    await pay("A");
    await call("POST", "/v2/A/refund", '{"refund_key":"r-1","amount":4000,"reason":"broken"}');
    await call("POST", "/v2/A/refund", '{"refund_key":"r-2","amount":1000}');
    sandbox.advance(3_600_000);
    await sandbox.idle();
    expect(receiver.received.slice(2).map(({ body }) => body.refund_amount)).toEqual(["4000.00", "5000.00"]);
    expect(receiver.received.at(-1)!.body).toMatchObject({
      transaction_status: "partial_refund",
      status_code: "200",
      refunds: [
        {
          refund_key: "r-1",
          refund_amount: "4000.00",
          reason: "broken",
          refund_method: "offline",
          created_at: "2026-07-17 10:00:00",
          refund_chargeback_id: expect.any(Number),
        },
        { refund_key: "r-2", refund_amount: "1000.00" },
      ],
    });
    expect(JSON.stringify(receiver.received.at(-1)!.body)).not.toContain("bank_confirmed_at");
    await control("/midtrans/A/refund-confirm");
    await sandbox.idle();
    expect(receiver.received).toHaveLength(6);
    expect(receiver.received.at(-1)!.body.refunds).toMatchObject([
      { bank_confirmed_at: "2026-07-17 11:00:00" },
      { bank_confirmed_at: "2026-07-17 11:00:00" },
    ]);
  });

  test("the bank confirms by itself after the delay that is switched on", async () => {
    const { gopay, pay, call, sandbox, receiver } = await openBench();
    await gopay("A");
    await pay("A");
    await call("POST", "/v2/A/refund", '{"refund_key":"r-1"}');
    await sandbox.idle();
    expect(receiver.received.at(-1)!.body).toMatchObject({ transaction_status: "refund", refund_amount: "44000.00" });
    sandbox.advance(11_000);
    await sandbox.idle();
    expect(receiver.received.at(-1)!.body.refunds).toMatchObject([{ bank_confirmed_at: "2026-07-17 10:00:11" }]);
    expect(sandbox.ledger()[0]).toMatchObject({
      status: "refund",
      refunded: 44_000,
      refunds: [{ key: "r-1", amount: 44_000, confirmed: true, origin: "api" }],
    });
  });

  test("refusals: a key used twice 406, too much 414, unsettled 412, a bank transfer 412, and money moves in none of them", async () => {
    const { gopay, pay, call, control, sandbox } = await openBench();
    await gopay("A");
    const refund = async (id: string, body: string) => (await call("POST", `/v2/${id}/refund`, body)).body;
    expect(await refund("A", '{"refund_key":"k"}')).toEqual({
      status_code: "412",
      status_message: "Merchant cannot modify the status of the transaction",
    });
    await pay("A");
    expect(await refund("A", '{"refund_key":"k","amount":44001}')).toMatchObject({
      status_code: "414",
      status_message: "Refund request is rejected due to invalid amount",
    });
    expect(await refund("A", '{"refund_key":"k","amount":4000}')).toMatchObject({ status_code: "200" });
    expect(await refund("A", '{"refund_key":"k","amount":4000}')).toMatchObject({ status_code: "406", status_message: "Duplicate refund ID" });
    await call(
      "POST",
      "/v2/charge",
      '{"payment_type":"bank_transfer","bank_transfer":{"bank":"bca"},"transaction_details":{"order_id":"V","gross_amount":9}}',
    );
    await control("/midtrans/V/pay");
    expect(await refund("V", '{"refund_key":"v"}')).toMatchObject({ status_code: "412" });
    sandbox.advance(46 * 86_400_000);
    expect(await refund("A", '{"refund_key":"late","amount":1}')).toMatchObject({ status_code: "412" });
    expect(sandbox.ledger().map(({ refunded }) => refunded)).toEqual([4_000, 0]);
  });

  test("a direct refund that the bank denies is 202, and the transaction stays settled", async () => {
    const { gopay, pay, call, sandbox } = await openBench({ switches: { midtrans: { direct_refund_denied: true } } });
    await gopay("A");
    await pay("A");
    const { body } = await call("POST", "/v2/A/refund/online/direct", '{"refund_key":"k","amount":1000}');
    expect(body).toMatchObject({
      status_code: "202",
      status_message: "Refund denied by the bank",
      transaction_status: "settlement",
      refund_amount: "0.00",
    });
    expect(sandbox.ledger()[0]).toMatchObject({ status: "settlement", refunded: 0 });
  });

  test("a direct refund is confirmed at once", async () => {
    const { gopay, pay, call, sandbox, receiver } = await openBench();
    await gopay("A");
    await pay("A");
    await call("POST", "/v2/A/refund/online/direct", '{"refund_key":"k","amount":1000}');
    await sandbox.idle();
    const refunds = receiver.received.slice(2).map(({ body }) => (body.refunds as { bank_confirmed_at?: string }[])[0]!.bank_confirmed_at);
    expect(refunds).toEqual([undefined, "2026-07-17 10:00:00"]);
  });

  test("one made in the dashboard carries a key that the merchant never sent", async () => {
    const { gopay, pay, control, call } = await openBench();
    await gopay("A");
    await pay("A");
    expect((await control("/midtrans/A/refund", { amount: 1_500, reason: "goodwill" })).body.transaction_status).toBe("partial_refund");
    expect((await call("GET", "/v2/A/status")).body.refunds).toMatchObject([
      { refund_key: expect.stringMatching(/^dashboard-/), refund_amount: "1500.00", reason: "goodwill" },
    ]);
    expect((await control("/midtrans/A/refund", { amount: 50_000 })).status).toBe(409);
  });
});

describe("the idempotency key", () => {
  const body = (id: string): string => `{"payment_type":"gopay","transaction_details":{"order_id":"${id}","gross_amount":44000}}`;
  const key = { "idempotency-key": "charge-pay_1" };

  test("repeats the first success for five minutes, whatever the body and the endpoint, and once more charges after them", async () => {
    const { call, sandbox } = await openBench();
    const first = await call("POST", "/v2/charge", body("A"), key);
    expect((await call("POST", "/v2/charge", body("A"), key)).body).toEqual(first.body);
    expect((await call("POST", "/v2/A/cancel", "{}", key)).body).toEqual(first.body);
    sandbox.advance(5 * 60_000 - 1);
    expect((await call("POST", "/v2/charge", body("B"), key)).body).toEqual(first.body);
    sandbox.advance(1);
    expect((await call("POST", "/v2/charge", body("B"), key)).body.order_id).toBe("B");
    expect(sandbox.ledger()).toHaveLength(2);
  });

  test("keeps no failure", async () => {
    const { call } = await openBench();
    expect((await call("POST", "/v2/charge", "{}", key)).status).toBe(400);
    expect((await call("POST", "/v2/charge", body("A"), key)).body.status_code).toBe("201");
  });

  test("a repetition while the first still runs is 202 and does nothing", async () => {
    const { call, sandbox } = await openBench();
    sandbox.setFaults([{ provider: "midtrans", fault: "slow", on: "api", times: 1, ms: 60_000 }]);
    const first = call("POST", "/v2/charge", body("A"), key);
    // The second is only sent once the first is known to be inside.
    await sandbox.held();
    const second = await call("POST", "/v2/charge", body("A"), key);
    expect([second.status, second.body]).toEqual([202, {}]);
    sandbox.release();
    expect((await first).body.status_code).toBe("201");
    expect(sandbox.ledger()).toHaveLength(1);
  });

  test("is ignored for Permata and when it is longer than 46 characters", async () => {
    const { call } = await openBench();
    const permata = '{"payment_type":"permata","transaction_details":{"order_id":"P","gross_amount":1}}';
    await call("POST", "/v2/charge", permata, key);
    expect((await call("POST", "/v2/charge", permata, key)).body.status_code).toBe("406");
    const long = { "idempotency-key": "k".repeat(47) };
    await call("POST", "/v2/charge", body("A"), long);
    expect((await call("POST", "/v2/charge", body("A"), long)).body.status_code).toBe("406");
  });
});
