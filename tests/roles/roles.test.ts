import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { openCredentials } from "../../packages/hub/src/collect/accounts.ts";
import { COMMANDS } from "../../packages/hub/src/cli/commands.ts";
import { readConfig } from "../../packages/hub/src/config.ts";
import { type RunningHub, startHub } from "../../packages/hub/src/main.ts";
import { type Sandbox, startSandbox } from "../../packages/sandbox/src/index.ts";
import { freshDatabase } from "../harness/postgres.ts";
import { API_KEY, freePort } from "../harness/stack.ts";

// Two processes of one installation, here in one: the first speaks with shops, buyers and gateways, the second does the work.

const PATIENCE = { timeout: 20_000 };
let sandbox: Sandbox;
let api: RunningHub;
let worker: RunningHub;

beforeAll(async () => {
  const port = await freePort();
  sandbox = await startSandbox({ port: 0, databasePath: ":memory:", notify: { midtrans: `http://127.0.0.1:${port}/callbacks/midtrans` }, seed: 7 });
  const settings = {
    LUNAS_DATABASE_URL: await freshDatabase(),
    LUNAS_MASTER_KEY: Buffer.alloc(32, 1).toString("base64"),
    LUNAS_SANDBOX_URL: sandbox.url,
    LUNAS_LOG_LEVEL: "silent",
    LUNAS_PUBLIC_URL: `http://127.0.0.1:${port}`,
  };
  // At once, on an empty database: each finds what the other has made.
  [api, worker] = await Promise.all([
    startHub(readConfig({ ...settings, PORT: String(port) }), { role: "api" }),
    startHub(readConfig({ ...settings, PORT: "0" }), { role: "worker" }),
  ]);
});
afterAll(async () => {
  await Promise.all([api?.stop(), worker?.stop()]);
  await sandbox?.close();
});

async function call(method: string, path: string, body?: object): Promise<{ status: number; body: Record<string, unknown> }> {
  const headers = {
    authorization: `Bearer ${API_KEY}`,
    ...(body ? { "content-type": "application/json", "idempotency-key": crypto.randomUUID() } : {}),
  };
  const answer = await fetch(`${api.url}${path}`, { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) });
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
}
const operator = (hub: RunningHub, name: string, input: object): Promise<unknown> => COMMANDS[name]!.run(hub.hub, COMMANDS[name]!.input.parse(input));

test("hubs that start at once on an empty database agree on its keys, its shop and its account", async () => {
  expect(Buffer.from(worker.hub.vault.hmac("checkout-token", "ord_1"))).toEqual(Buffer.from(api.hub.vault.hmac("checkout-token", "ord_1")));
  const found = await api.hub.store.read(async (db) => ({
    shops: await db.selectFrom("shops").selectAll().execute(),
    keys: await db.selectFrom("api_keys").selectAll().execute(),
    accounts: await db.selectFrom("accounts").selectAll().execute(),
    endpoints: await db.selectFrom("endpoints").selectAll().execute(),
  }));
  expect(Object.values(found).map((rows) => rows.length)).toEqual([1, 1, 1, 1]);
  expect(openCredentials(worker.hub, found.accounts[0]!)).toEqual(openCredentials(api.hub, found.accounts[0]!));
});

test("an order that the one hub takes in is known to be paid through the other, which tells the shop", async () => {
  const order = (await call("POST", "/v1/orders", { reference: "ROLES-1", amount: 25_000 })).body as { id: string };
  const payment = (await call("POST", `/v1/orders/${order.id}/payments`, { method: "gopay" })).body as { id: string; provider_reference: string };
  const paid = await fetch(`${sandbox.url}/_control/midtrans/${payment.provider_reference}/pay`, { method: "POST" });
  expect(paid.ok).toBe(true);
  await vi.waitFor(
    async () => expect((await call("GET", `/v1/orders/${order.id}`)).body).toMatchObject({ payment_status: "paid", amount_paid: 25_000 }),
    PATIENCE,
  );
  // The demo shop is not there: that it was tried shows in the attempts.
  const events = await vi.waitFor(async () => {
    const { data } = (await call("GET", `/v1/payments/${payment.id}/timeline`)).body as { data: { kind: string; summary: string }[] };
    expect(data.some((entry) => entry.kind === "attempt")).toBe(true);
    return data.filter((entry) => entry.kind === "event").map((entry) => entry.summary);
  }, PATIENCE);
  expect(events).toEqual(expect.arrayContaining(["payment.pending", "payment.paid", "order.paid"]));
});

test("a hold that one hub is given holds on the other, and what the one lifts is lifted on both", async () => {
  const order = (await call("POST", "/v1/orders", { reference: "ROLES-2", amount: 25_000 })).body as { id: string };
  await operator(worker, "hold", { reason: "restored" });
  await vi.waitFor(() => expect(api.hub.hold.reason).toBe("restored"), PATIENCE);
  expect(await call("POST", `/v1/orders/${order.id}/payments`, { method: "gopay" })).toMatchObject({ status: 503, body: { code: "on_hold" } });
  expect(await operator(worker, "reconcile", { after_restore: true })).toMatchObject({ unclear: 0, hold: null });
  await vi.waitFor(() => expect(api.hub.hold.reason).toBeUndefined(), PATIENCE);
  expect(await call("POST", `/v1/orders/${order.id}/payments`, { method: "gopay" })).toMatchObject({ status: 201 });
});
