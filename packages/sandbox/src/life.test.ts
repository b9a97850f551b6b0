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
