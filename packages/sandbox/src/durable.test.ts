import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ManualClock } from "@lunas/domain";
import { afterEach, describe, expect, test } from "vitest";
import { startSandbox } from "./start.ts";
import { BASIC } from "./testing/merchant.ts";
import { startReceiver } from "./testing/receiver.ts";

const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

async function databaseFile(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "lunas-sandbox-"));
  folders.push(folder);
  return join(folder, "sandbox.db");
}

const charge = async (url: string, id: string, headers: Record<string, string> = {}): Promise<unknown> =>
  (
    await fetch(`${url}/midtrans/v2/charge`, {
      method: "POST",
      headers: { authorization: BASIC, ...headers },
      body: `{"payment_type":"gopay","transaction_details":{"order_id":"${id}","gross_amount":44000}}`,
    })
  ).json();

describe("over a restart on a file", () => {
  test("the ledger, the business clock, the log, idempotency keys and waiting notifications are still there", async () => {
    const databasePath = await databaseFile();
    const receiver = await startReceiver();
    const clock = new ManualClock();
    const options = {
      databasePath,
      clock,
      seed: 3,
      notify: { midtrans: receiver.url },
      switches: { midtrans: { retry_shift_min: 0, retry_shift_max: 0 } },
    };
    const first = await startSandbox(options);
    receiver.answer({ status: 503 });
    const charged = await charge(first.url, "A", { "idempotency-key": "k-1" });
    await fetch(`${first.url}/_control/midtrans/A/pay`, { method: "POST" });
    await first.idle();
    first.advance(60_000);
    const ledger = first.ledger();
    await first.close();
    expect(receiver.statuses()).toEqual(["pending", "settlement"]);

    const second = await startSandbox(options);
    receiver.answer({ status: 200 });
    expect(second.ledger()).toEqual(ledger);
    expect(second.clock.read().offset_ms).toBe(60_000);
    expect(second.log().filter(({ kind }) => kind === "notification")).toHaveLength(2);
    expect(await charge(second.url, "B", { "idempotency-key": "k-1" })).toEqual(charged);
    second.advance(60_000);
    await second.idle();
    expect(receiver.statuses()).toEqual(["pending", "settlement", "pending", "settlement"]);
    expect(await charge(second.url, "C")).toMatchObject({ status_code: "201", order_id: "C" });
    await second.close();
    await receiver.close();
  });

  test("what was due while it was down is done at the start", async () => {
    const databasePath = await databaseFile();
    const receiver = await startReceiver();
    const clock = new ManualClock();
    const options = { databasePath, clock, notify: { midtrans: receiver.url } };
    const first = await startSandbox(options);
    await charge(first.url, "A");
    await first.idle();
    await first.close();
    clock.advance(3_600_000);
    const second = await startSandbox(options);
    await second.idle();
    expect(receiver.statuses()).toEqual(["pending", "expire"]);
    await second.close();
    await receiver.close();
  });

  test("without restart: by real time alone, what falls due is sent", async () => {
    const receiver = await startReceiver();
    const sandbox = await startSandbox({ notify: { midtrans: receiver.url }, switches: { midtrans: { refund_confirm_delay_s: 0 } } });
    await charge(sandbox.url, "A");
    await fetch(`${sandbox.url}/_control/midtrans/A/pay`, { method: "POST" });
    await fetch(`${sandbox.url}/midtrans/v2/A/refund`, { method: "POST", headers: { authorization: BASIC }, body: '{"refund_key":"r"}' });
    const confirmed = await sandbox.waitFor(
      ({ kind, request_body }) => kind === "notification" && (request_body ?? "").includes("bank_confirmed_at"),
    );
    expect(confirmed).toMatchObject({ outcome: "delivered", order_id: "A", status: "refund" });
    await sandbox.close();
    await receiver.close();
  });
});
