import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { FaultName } from "./faults.ts";
import { FAULTS } from "./faults.ts";
import { openBench } from "./testing/merchant.ts";

const KEY = "SB-Mid-server-lunas-sandbox";
const on_notification = (fault: FaultName, more: object = {}) => ({ provider: "midtrans", fault, on: "notification" as const, times: 1, ...more });
const on_api = (fault: FaultName, more: object = {}) => ({ provider: "midtrans", fault, on: "api" as const, times: 1, ...more });

function signatureFits(body: Record<string, unknown>): boolean {
  const text = `${body.order_id as string}${body.status_code as string}${body.gross_amount as string}${KEY}`;
  return createHash("sha512").update(text).digest("hex") === body.signature_key;
}

describe("faults of notifications", () => {
  test("duplicate: the same bytes twice", async () => {
    const { sandbox, receiver, gopay } = await openBench();
    sandbox.setFaults([on_notification("duplicate")]);
    await gopay("A");
    await gopay("B");
    expect(receiver.received.map(({ body }) => body.order_id)).toEqual(["A", "A", "B"]);
    expect(receiver.received[0]!.text).toBe(receiver.received[1]!.text);
  });

  test("delay: comes after `ms` of business time", async () => {
    const { sandbox, receiver, gopay } = await openBench();
    sandbox.setFaults([on_notification("delay", { ms: 60_000 })]);
    await gopay("A");
    sandbox.advance(59_999);
    await sandbox.idle();
    expect(receiver.received).toHaveLength(0);
    sandbox.advance(1);
    await sandbox.idle();
    expect(receiver.statuses()).toEqual(["pending"]);
  });

  test("reorder: comes after a later one, or alone when its time is over", async () => {
    const { sandbox, receiver, gopay, pay } = await openBench();
    sandbox.setFaults([on_notification("reorder")]);
    await gopay("A");
    expect(receiver.received).toHaveLength(0);
    await pay("A");
    expect(receiver.statuses()).toEqual(["settlement", "pending"]);
    sandbox.setFaults([on_notification("reorder", { ms: 1_000 })]);
    await gopay("B");
    sandbox.advance(1_000);
    await sandbox.idle();
    expect(receiver.received).toHaveLength(3);
  });

  test("drop: never comes, though the provider believes that it did", async () => {
    const { sandbox, receiver, gopay } = await openBench();
    sandbox.setFaults([on_notification("drop")]);
    await gopay("A");
    sandbox.advance(14 * 60_000);
    await sandbox.idle();
    expect(receiver.received).toHaveLength(0);
    expect(sandbox.log().at(-1)).toMatchObject({ kind: "notification", outcome: "dropped", faults: ["drop"], order_id: "A" });
  });

  test("forge-signature: the signature does not fit, and the retry is genuine", async () => {
    const { sandbox, receiver, gopay } = await openBench();
    sandbox.setFaults([on_notification("forge-signature")]);
    receiver.answer(({ body }) => ({ status: signatureFits(body) ? 200 : 401 }));
    await gopay("A");
    expect(signatureFits(receiver.received[0]!.body)).toBe(false);
    expect(String(receiver.received[0]!.body.signature_key)).toMatch(/^[0-9a-f]{128}$/);
    sandbox.advance(3 * 60_000);
    await sandbox.idle();
    expect(receiver.received.map(({ body }) => signatureFits(body))).toEqual([false, true]);
  });

  test("forge-status: money that is not there is said to be there, with a signature that fits", async () => {
    const { sandbox, receiver, gopay, pay, call } = await openBench();
    sandbox.setFaults([on_notification("forge-status", { times: 2 })]);
    await gopay("A");
    expect(receiver.received[0]!.body).toMatchObject({ transaction_status: "settlement", status_code: "200" });
    expect((await call("GET", "/v2/A/status")).body.transaction_status).toBe("pending");
    await pay("A");
    expect(receiver.received[1]!.body).toMatchObject({ transaction_status: "refund", status_code: "200" });
    expect(receiver.received.every(({ body }) => signatureFits(body))).toBe(true);
  });

  test("wrong-amount: another amount, well signed", async () => {
    const { sandbox, receiver, gopay } = await openBench();
    sandbox.setFaults([on_notification("wrong-amount")]);
    await gopay("A");
    expect(receiver.received[0]!.body.gross_amount).toBe("1.00");
    expect(signatureFits(receiver.received[0]!.body)).toBe(true);
  });

  test("foreign-merchant: another merchant's id, well signed", async () => {
    const { sandbox, receiver, gopay } = await openBench();
    sandbox.setFaults([on_notification("foreign-merchant")]);
    await gopay("A");
    expect(receiver.received[0]!.body.merchant_id).toBe("G999999999");
    expect(signatureFits(receiver.received[0]!.body)).toBe(true);
  });

  test("garbage: half a body; reset: nothing arrives; timeout-after-success: it arrives and is tried again all the same", async () => {
    const { sandbox, receiver, gopay } = await openBench();
    sandbox.setFaults([
      on_notification("garbage", { match: " A " }),
      on_notification("reset", { match: " B " }),
      on_notification("timeout-after-success", { match: " C " }),
    ]);
    await gopay("A");
    expect(() => JSON.parse(receiver.received[0]!.text) as unknown).toThrow(SyntaxError);
    await gopay("B");
    expect(receiver.received).toHaveLength(1);
    await gopay("C");
    sandbox.advance(3 * 60_000);
    await sandbox.idle();
    const arrived = receiver.received.slice(1).map(({ text }) => /"order_id":"(\w)"/.exec(text)![1]!);
    expect(arrived.sort()).toEqual(["B", "C", "C"]);
  });

  test("slow: held on its way for real time", async () => {
    const { sandbox, receiver, call } = await openBench();
    sandbox.setFaults([on_notification("slow", { ms: 60_000 })]);
    await call("POST", "/v2/charge", '{"payment_type":"gopay","transaction_details":{"order_id":"A","gross_amount":1}}');
    await sandbox.held();
    expect(receiver.received).toHaveLength(0);
    sandbox.release();
    await sandbox.idle();
    expect(receiver.received).toHaveLength(1);
  });
});

describe("faults of the API", () => {
  const body = '{"payment_type":"gopay","transaction_details":{"order_id":"A","gross_amount":44000}}';

  test("http-5xx: a page of HTML, and nothing was done", async () => {
    const { sandbox, call } = await openBench();
    sandbox.setFaults([on_api("http-5xx")]);
    expect(await call("POST", "/v2/charge", body)).toMatchObject({ status: 503, body: { text: expect.stringContaining("<html>") } });
    expect(sandbox.ledger()).toHaveLength(0);
    expect((await call("POST", "/v2/charge", body)).status).toBe(200);
  });

  test("reset: the connection is cut, and nothing was done", async () => {
    const { sandbox, call } = await openBench();
    sandbox.setFaults([on_api("reset")]);
    await expect(call("POST", "/v2/charge", body)).rejects.toThrow("fetch failed");
    expect(sandbox.ledger()).toHaveLength(0);
  });

  test("garbage: HTTP 200 that nobody can read, and it was done", async () => {
    const { sandbox, call } = await openBench();
    sandbox.setFaults([on_api("garbage")]);
    expect(await call("POST", "/v2/charge", body)).toMatchObject({ status: 200, body: { text: expect.stringContaining("<!doctype html>") } });
    expect(sandbox.ledger()).toHaveLength(1);
  });

  test("timeout-after-success: it was done, no answer comes, and the idempotency key finds it again", async () => {
    const { sandbox, call } = await openBench();
    const key = { "idempotency-key": "charge-pay_1" };
    sandbox.setFaults([on_api("timeout-after-success", { ms: 60_000 })]);
    const first = call("POST", "/v2/charge", body, key);
    await sandbox.held();
    expect(sandbox.ledger()).toHaveLength(1);
    sandbox.release();
    await expect(first).rejects.toThrow("fetch failed");
    expect((await call("POST", "/v2/charge", body, key)).body).toMatchObject({ status_code: "201", order_id: "A", actions: expect.any(Array) });
    expect(sandbox.ledger()).toHaveLength(1);
  });

  test("slow: nothing is done before the network lets it through", async () => {
    const { sandbox, call } = await openBench();
    sandbox.setFaults([on_api("slow", { ms: 60_000 })]);
    const first = call("POST", "/v2/charge", body);
    await sandbox.held();
    expect(sandbox.ledger()).toHaveLength(0);
    sandbox.release();
    expect((await first).status).toBe(200);
  });

  test("lagging-status: the state before the last change, for so many questions or for so long after it", async () => {
    const { sandbox, call, gopay, pay } = await openBench();
    await gopay("A");
    sandbox.setFaults([on_api("lagging-status", { times: 2 })]);
    const status = async () => (await call("GET", "/v2/A/status")).body.transaction_status;
    expect(await status()).toBe("pending");
    await pay("A");
    expect([await status(), await status(), await status()]).toEqual(["pending", "pending", "settlement"]);
    sandbox.setFaults([on_api("lagging-status", { times: null, ms: 30_000 })]);
    expect(await status()).toBe("pending");
    sandbox.advance(30_000);
    expect(await status()).toBe("settlement");
  });

  test("lagging-status tells a refund that the bank has just confirmed as it was before: accepted", async () => {
    const { sandbox, call, control, gopay, pay } = await openBench({ switches: { midtrans: { refund_confirm_delay_s: -1 } } });
    await gopay("A");
    await pay("A");
    const told = async () => {
      const { transaction_status, refunds } = (await call("GET", "/v2/A/status")).body as { transaction_status: string; refunds?: object[] };
      return [transaction_status, (refunds ?? []).map((refund) => ("bank_confirmed_at" in refund ? "confirmed" : "accepted"))];
    };
    await call("POST", "/v2/A/refund", '{"refund_key":"r-1","amount":1000}');
    sandbox.advance(60_000);
    await control("/midtrans/A/refund-confirm");
    sandbox.setFaults([on_api("lagging-status", { times: null, ms: 30_000 })]);
    expect(await told()).toEqual(["partial_refund", ["accepted"]]);
    sandbox.advance(30_000);
    expect(await told()).toEqual(["partial_refund", ["confirmed"]]);
    // A direct refund is accepted and confirmed by one act: before it there was none.
    await call("POST", "/v2/A/refund/online/direct", '{"refund_key":"r-2","amount":1000}');
    expect(await told()).toEqual(["partial_refund", ["confirmed"]]);
    sandbox.advance(30_000);
    expect(await told()).toEqual(["partial_refund", ["confirmed", "confirmed"]]);
  });

  test("pages for payers are never struck", async () => {
    const { sandbox } = await openBench();
    sandbox.setFaults([on_api("http-5xx", { times: null })]);
    expect((await fetch(`${sandbox.url}/midtrans/simulator`)).status).toBe(200);
  });
});

describe("how faults are set", () => {
  test("off at first; PUT replaces all, GET tells them and how often they struck, DELETE ends them", async () => {
    const { control, gopay } = await openBench();
    expect((await control("/faults", undefined, "GET")).body).toMatchObject({ armed: [] });
    expect(
      (
        await control(
          "/faults",
          [{ provider: "midtrans", fault: "duplicate", on: "notification", times: null, probability: 1, ms: 0, seed: 3 }],
          "PUT",
        )
      ).status,
    ).toBe(200);
    await gopay("A");
    expect((await control("/faults", undefined, "GET")).body).toMatchObject({
      armed: [{ fault: "duplicate", struck: 1 }],
      known: { duplicate: { on: ["notification"] } },
    });
    expect((await control("/faults", undefined, "DELETE")).body).toEqual({ armed: [] });
  });

  test("what makes no sense is refused with the reason, and nothing changes", async () => {
    const { control } = await openBench();
    await control("/faults", [{ provider: "midtrans", fault: "drop", on: "notification" }], "PUT");
    for (const bad of [
      [{ provider: "midtrans", fault: "duplicate", on: "api" }],
      [{ provider: "midtrans", fault: "gremlins", on: "api" }],
      {},
      [{ provider: "midtrans", fault: "drop", on: "notification", probability: 2 }],
    ]) {
      expect((await control("/faults", bad, "PUT")).status).toBe(400);
    }
    expect((await control("/faults", undefined, "GET")).body).toMatchObject({ armed: [{ fault: "drop" }] });
  });

  test("the same seed strikes the same notifications, another seed others", async () => {
    const struck = async (seed: number) => {
      const { sandbox, gopay, receiver } = await openBench();
      sandbox.setFaults([on_notification("drop", { times: null, probability: 0.5, seed })]);
      for (let index = 0; index < 16; index += 1) await gopay(`A-${index}`);
      return receiver.received.map(({ body }) => body.order_id).join(" ");
    };
    const first = await struck(11);
    expect(await struck(11)).toBe(first);
    expect(await struck(12)).not.toBe(first);
    expect(first.split(" ").length).toBeGreaterThan(2);
    expect(first.split(" ").length).toBeLessThan(14);
  });

  test("each fault of the table says where it applies and what it does", () => {
    for (const { on, help } of Object.values(FAULTS)) {
      expect(on.length).toBeGreaterThan(0);
      expect(help).toMatch(/\.$/);
    }
  });
});
