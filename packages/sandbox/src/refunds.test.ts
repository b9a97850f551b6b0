import { describe, expect, test } from "vitest";
import { openBench } from "./testing/merchant.ts";

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

  test("QRIS is refunded for 7 days, with the acquirer's own wallet for 45 (midtrans.md §6)", async () => {
    const { call, control, pay, sandbox } = await openBench();
    const qris = async (id: string) => {
      await call("POST", "/v2/charge", `{"payment_type":"qris","transaction_details":{"order_id":"${id}","gross_amount":9}}`);
      await pay(id);
    };
    const refund = async (id: string, refund_key: string) =>
      (await call("POST", `/v2/${id}/refund`, JSON.stringify({ refund_key, amount: 1 }))).body.status_code;
    await qris("other");
    await control("/midtrans/switches", { qris_on_us: true }, "PUT");
    await qris("own");
    // What was paid stays what it was, however the switch is turned afterwards.
    await control("/midtrans/switches", { qris_on_us: false }, "PUT");
    sandbox.advance(7 * 86_400_000);
    expect(await refund("other", "a")).toBe("200");
    sandbox.advance(1);
    expect(await refund("other", "b")).toBe("412");
    sandbox.advance(38 * 86_400_000 - 1);
    expect(await refund("own", "c")).toBe("200");
    sandbox.advance(1);
    expect(await refund("own", "d")).toBe("412");
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
