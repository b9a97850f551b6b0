import { describe, expect, test } from "vitest";
import { openBench } from "./testing/merchant.ts";

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

  test("keeps no refund that the bank denied: the same key refunds once the bank agrees", async () => {
    const { call, gopay, pay, control, sandbox } = await openBench({ switches: { midtrans: { direct_refund_denied: true } } });
    await gopay("A");
    await pay("A");
    const refund = async () => (await call("POST", "/v2/A/refund/online/direct", '{"refund_key":"r-1","amount":1000}', key)).body;
    expect((await refund()).status_code).toBe("202");
    await control("/midtrans/switches", { direct_refund_denied: false }, "PUT");
    const made = await refund();
    expect(made.status_code).toBe("200");
    expect(await refund()).toEqual(made);
    expect(sandbox.ledger()[0]).toMatchObject({ refunded: 1_000, refunds: [{ key: "r-1" }] });
  });

  test("keeps the 407 of an expire: that is its success", async () => {
    const { call, gopay } = await openBench();
    await gopay("A");
    const expire = async () => (await call("POST", "/v2/A/expire", "{}", key)).body;
    const first = await expire();
    expect(first.status_code).toBe("407");
    expect(await expire()).toEqual(first);
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
