import { afterAll, beforeAll, expect, test } from "vitest";
import type { FastifyInstance } from "fastify";
import { freshDatabase } from "../../../../tests/harness/postgres.ts";
import { openMigratedStore, type Store } from "../store/index.ts";
import { buildApi } from "./server.ts";
import { makeTestApi, type TestApi } from "./testing.ts";

/** Two hubs on one PostgreSQL, as a shop meets them behind a load balancer. */

let one: TestApi;
let other: FastifyInstance;
let stores: Store[];
beforeAll(async () => {
  const url = await freshDatabase();
  stores = [await openMigratedStore(url), await openMigratedStore(url)];
  one = await makeTestApi({ store: stores[0]! });
  other = buildApi({ ...one.hub, store: stores[1]! }, { ready: async () => ({ ok: true, problems: [] }) });
});
afterAll(async () => {
  await other.close();
  await one.close();
  for (const store of stores) await store.close();
});

/** 50 requests of one key, half of them to each hub. Gives what they were answered, but for those that found it running. */
async function fifty(url: string, payload: object): Promise<number[]> {
  const headers = { authorization: `Bearer ${one.api_key}`, "idempotency-key": `k ${url}`.replaceAll(/\s/g, "-") };
  const calls = Array.from({ length: 50 }, (_, index) => (index % 2 === 0 ? one.api : other).inject({ method: "POST", url, headers, payload }));
  return [...new Set((await Promise.all(calls)).map((answer) => answer.statusCode))].filter((status) => status !== 409);
}

test("50 parallel requests of one key over two hubs make one order, one payment, one refund", async () => {
  expect(await fifty("/v1/orders", { reference: "A", amount: 44_000 })).toEqual([201]);
  const orders = await one.store.read((db) => db.selectFrom("orders").select("id").execute());
  expect(orders).toHaveLength(1);
  expect(await fifty(`/v1/orders/${orders[0]!.id}/payments`, { method: "gopay" })).toEqual([201]);
  const payments = await one.store.read((db) => db.selectFrom("payments").select(["id", "reference"]).execute());
  expect([payments.length, one.gateway.count("open")]).toEqual([1, 1]);
  one.gateway.pay(payments[0]!.reference);
  await one.call("POST", `/v1/payments/${payments[0]!.id}/refresh`);
  expect(await fifty(`/v1/payments/${payments[0]!.id}/refunds`, { amount: 1_000 })).toEqual([201]);
  expect(await one.store.read((db) => db.selectFrom("refunds").select("amount").execute())).toEqual([{ amount: 100_000n }]);
});

test("what one hub answered, the other repeats", async () => {
  const call = {
    method: "POST" as const,
    url: "/v1/orders",
    headers: { authorization: `Bearer ${one.api_key}`, "idempotency-key": "shared" },
    payload: { reference: "B", amount: 1 },
  };
  const first = await one.api.inject(call);
  const second = await other.inject(call);
  expect([second.body, second.headers["idempotency-replayed"]]).toEqual([first.body, "true"]);
});

test("two buyers' clicks on two hubs open one payment at the gateway", async () => {
  const order = await one.order();
  const path = new URL(order.checkout_url).pathname;
  const answers = await Promise.all(
    [one.api, other, one.api, other].map((hub) => hub.inject({ method: "POST", url: `${path}/payments`, payload: { method: "gopay" } })),
  );
  for (const answer of answers) expect([200, 201, 409, 502]).toContain(answer.statusCode);
  const held = [...one.gateway.transactions.values()].filter((transaction) => transaction.reference.startsWith(String(order["reference"])));
  expect(held.filter((transaction) => transaction.status === "pending")).toHaveLength(1);
});
