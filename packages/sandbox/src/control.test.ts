import { providers } from "@lunas/providers";
import { describe, expect, test } from "vitest";
import { openBench } from "./testing/merchant.ts";
import { startSandbox } from "./start.ts";

describe("the control API", () => {
  test("acts by order id and by transaction id, and answers with the transaction", async () => {
    const { gopay, control } = await openBench();
    const first = await gopay("A/1 b");
    expect(await control(`/midtrans/${encodeURIComponent("A/1 b")}/pay`)).toMatchObject({
      status: 200,
      body: { order_id: "A/1 b", transaction_status: "settlement" },
    });
    expect((await control(`/midtrans/${first.transaction_id as string}/reverse`)).body).toMatchObject({ transaction_status: "deny" });
    expect((await control("/midtrans/none/pay")).status).toBe(404);
    expect((await control("/midtrans/none/sing")).body).toMatchObject({
      actions: ["pay", "deny", "expire", "cancel", "refund", "refund-confirm", "reverse", "chargeback"],
    });
    expect((await control("/nobody/x/pay")).status).toBe(404);
  });

  test("tells the business clock, waits for it to move, and moves it only forward", async () => {
    const { control, sandbox } = await openBench();
    const before = (await control("/clock", undefined, "GET")).body as { version: number; now: number };
    const waiting = control(`/clock?after=${before.version}&wait_s=30`, undefined, "GET");
    const moved = await control("/clock", { advance_s: 90 });
    expect(moved.body).toEqual({ version: before.version + 1, offset_ms: 90_000, now: before.now + 90_000 });
    expect((await waiting).body).toEqual(moved.body);
    expect((await control(`/clock?after=${before.version}&wait_s=30`, undefined, "GET")).body).toEqual(moved.body);
    for (const bad of [{ advance_s: -1 }, { advance_s: "9" }, {}, { advance_s: 1, more: 2 }]) expect((await control("/clock", bad)).status).toBe(400);
    expect(sandbox.clock.read().offset_ms).toBe(90_000);
  });

  test("an idle wait for the clock ends by itself with the same version", async () => {
    const { control } = await openBench();
    const { version } = (await control("/clock", undefined, "GET")).body as { version: number };
    expect((await control(`/clock?after=${version}&wait_s=0.05`, undefined, "GET")).body).toMatchObject({ version });
  });

  test("logs each request and each notification with its outcome, and no key", async () => {
    const { gopay, control, receiver } = await openBench();
    receiver.answer({ status: 401 });
    await gopay("A");
    const log = (await control("/log", undefined, "GET")).body as unknown as Record<string, unknown>[];
    expect(log).toMatchObject([
      {
        seq: 1,
        kind: "request",
        provider: "midtrans",
        method: "POST",
        url: "/midtrans/v2/charge",
        http_status: 200,
        outcome: "answered",
        order_id: "A",
        status: "pending",
        faults: [],
        business_at: "2026-07-17T03:00:00.000Z",
      },
      {
        seq: 2,
        kind: "notification",
        url: `${receiver.url}/callbacks/midtrans`,
        http_status: 401,
        outcome: "refused",
        order_id: "A",
        status: "pending",
        attempt: 1,
        request_body: expect.stringContaining("signature_key"),
      },
    ]);
    expect(JSON.stringify(log)).not.toContain("SB-Mid-server");
    expect((await control("/log?kind=notification&order_id=A&limit=1", undefined, "GET")).body).toMatchObject([{ seq: 2 }]);
    expect((await control("/log?after=2", undefined, "GET")).body).toEqual([]);
  });

  test("shows the ledger", async () => {
    const { gopay, pay, control } = await openBench();
    const { transaction_id } = await gopay("A");
    await pay("A");
    expect((await control("/ledger", undefined, "GET")).body).toEqual([
      {
        provider: "midtrans",
        order_id: "A",
        transaction_id,
        status: "settlement",
        payment_type: "gopay",
        gross_amount: 44_000,
        collected: 44_000,
        refunded: 0,
        reversed: 0,
        refunds: [],
        created_at: "2026-07-17T03:00:00.000Z",
        updated_at: "2026-07-17T03:00:00.000Z",
      },
    ]);
  });

  test("reset forgets all but the clock, which goes back only when asked", async () => {
    const { gopay, control, sandbox } = await openBench();
    await gopay("A");
    await control("/faults", [{ provider: "midtrans", fault: "drop", on: "notification" }], "PUT");
    await control("/clock", { advance_s: 60 });
    expect((await control("/reset")).body).toMatchObject({ clock: { offset_ms: 60_000 } });
    expect([sandbox.ledger(), sandbox.log()]).toEqual([[], []]);
    expect((await control("/faults", undefined, "GET")).body).toMatchObject({ armed: [] });
    expect((await gopay("A")).status_code).toBe("201");
    expect((await control("/reset", { clock: true })).body).toMatchObject({ clock: { offset_ms: 0 } });
  });

  test("reset turns every switch back to where it stood at the start", async () => {
    const { control, sandbox } = await openBench({ switches: { midtrans: { refund_confirm_delay_s: 77 } } });
    const at_start = sandbox.emulator("midtrans").switches();
    expect(at_start).toMatchObject({ refund_confirm_delay_s: 77, direct_refund_denied: false });
    await control("/midtrans/switches", { refund_confirm_delay_s: 5, direct_refund_denied: true, message_gopay: "GO-PAY billing created" }, "PUT");
    await control("/reset");
    expect((await control("/midtrans/switches", undefined, "GET")).body).toEqual(at_start);
  });

  test("switches are listed, set, and refused when unknown or of another type", async () => {
    const { control } = await openBench();
    expect((await control("/midtrans/switches", undefined, "GET")).body).toMatchObject({ wallet_failure_denies: false, http_401: 401 });
    expect((await control("/midtrans/switches", { http_401: 200 }, "PUT")).body).toMatchObject({ http_401: 200 });
    for (const bad of [{ nothing: 1 }, { http_401: "200" }, { http_406: 1 }, { toString: 1 }])
      expect((await control("/midtrans/switches", bad, "PUT")).status).toBe(400);
  });

  test("unreadable bodies are 400, unknown paths 404, and the sandbox is well", async () => {
    const { sandbox } = await openBench();
    const send = async (path: string, body: string) => (await fetch(`${sandbox.url}${path}`, { method: "POST", body })).status;
    expect(await send("/_control/clock", "{")).toBe(400);
    expect(await send("/_control/midtrans/A/pay", "[]")).toBe(400);
    expect(await send("/_control/nothing", "{}")).toBe(404);
    expect(await send("/midtrans/v9/nothing", "{}")).toBe(404);
    expect(await (await fetch(`${sandbox.url}/healthz`)).json()).toEqual({ status: "ok" });
  });
});

describe("the sandbox's handle", () => {
  test("hosts the other end of every provider that the registry knows, each under its own name", async () => {
    const { sandbox } = await openBench();
    for (const name of providers.keys()) expect(sandbox.emulator(name).provider).toBe(name);
    expect(providers.size).toBeGreaterThan(0);
  });

  test("binds to loopback unless told otherwise, on a free port", async () => {
    const sandbox = await startSandbox();
    expect(sandbox.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    await sandbox.close();
  });

  test("waitFor finds what is past and what is to come, and rejects when the sandbox closes", async () => {
    const { sandbox, gopay, pay } = await openBench();
    await gopay("A");
    expect((await sandbox.waitFor(({ status }) => status === "pending")).order_id).toBe("A");
    const coming = sandbox.waitFor(({ kind, status }) => kind === "notification" && status === "settlement");
    await pay("A");
    expect((await coming).outcome).toBe("delivered");
    const never = expect(sandbox.waitFor(() => false)).rejects.toThrow("closed");
    await sandbox.close();
    await never;
  });
});
