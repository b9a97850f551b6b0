import { afterAll, beforeAll, expect, test } from "vitest";
import type { Store } from "../../packages/hub/src/store/index.ts";
import { type Stack, startStack } from "../harness/stack.ts";
import { wrongMoney } from "./audit-money.ts";
import { wronglyTold } from "./audit-events.ts";

// The judge of the chaos runs is itself put to the test: whatever is falsified in the hub's books, it sees.

let stack: Stack;
let store: Store;

beforeAll(async () => {
  stack = await startStack();
  store = stack.hub.hub.store;
  const order = await stack.api("POST", "/v1/orders", { reference: "JUDGED-1", amount: 44_000 });
  const payment = await stack.api("POST", `/v1/orders/${order.body.id}/payments`, { method: "gopay" });
  await stack.control("POST", `/midtrans/${payment.body.provider_reference}/pay`);
  await stack.settle();
  await stack.api("POST", `/v1/payments/${payment.body.id}/refunds`, { amount: 4_000 });
  await stack.advance(60);
});
afterAll(() => stack.stop());

test("books that agree with the gateway's ledger are right", async () => {
  expect([...(await wrongMoney(store, stack.sandbox)), ...(await wronglyTold(store))]).toEqual([]);
});

test.each([
  ["an order's status", "orders", { payment_status: "paid" }],
  ["an order's money", "orders", { amount_paid: 4_300_000n }],
  ["a payment's status", "payments", { status: "refunded" }],
  ["what a payment collected", "payments", { collected: 1n }],
  ["what a payment paid back", "payments", { refunded: 0n }],
  ["what was taken back", "payments", { reversed: 1n }],
  ["a payment that nobody paid", "payments", { reference: "JUDGED-OTHER" }],
] as const)("the judge sees that %s was falsified", async (_what, table, change) => {
  const before = await store.read((db) => db.selectFrom(table).selectAll().executeTakeFirstOrThrow());
  await store.write((tx) => tx.updateTable(table).set(change).execute());
  expect(await wrongMoney(store, stack.sandbox)).not.toEqual([]);
  const restored = Object.fromEntries(Object.keys(change).map((name) => [name, before[name as keyof typeof before]]));
  await store.write((tx) => tx.updateTable(table).set(restored).execute());
  expect(await wrongMoney(store, stack.sandbox)).toEqual([]);
});

test("the judge sees a change that was told twice, and one that was not told", async () => {
  const events = await store.read((db) => db.selectFrom("events").selectAll().where("type", "=", "payment.paid").execute());
  expect(events).toHaveLength(1);
  const twin = { ...events[0]!, id: "evt_twin", sequence: 99, position: `${events[0]!.position}-twin` };
  await store.write((tx) => tx.insertInto("events").values(twin).execute());
  expect((await wronglyTold(store)).join()).toContain("payment.paid");
  await store.write((tx) => tx.deleteFrom("events").where("id", "=", "evt_twin").execute());
  await store.write((tx) => tx.updateTable("events").set({ type: "order.reversed" }).where("type", "=", "order.paid").execute());
  expect((await wronglyTold(store)).join()).toContain("order.paid: 1 to 1 transitions, 0 events");
});
