import { signWebhook } from "@lunas/sdk";
import { expect, test } from "vitest";
import { openDatabase } from "./database.ts";
import { takeNotification } from "./notifications.ts";
import { findOrder, placeOrder } from "./orders.ts";
import { deliver, SECRET } from "./testing/fake-hub.ts";
import { startHarness } from "./testing/harness.ts";

const OTHER_SECRET = `whsec_${Buffer.alloc(32, 9).toString("base64")}`;

test("a verified webhook makes the order paid, takes the stock and keeps the gateway's transaction", async () => {
  const { hub, shop, buy, order, stock, log } = await startHarness();
  const id = await buy();
  const paid = hub.pay(id);
  expect((await deliver(shop.app, paid.payment)).statusCode).toBe(200);
  expect((await order(id)).payment_status).toBe("unpaid");
  expect((await deliver(shop.app, paid.order)).statusCode).toBe(200);

  expect(await order(id)).toMatchObject({
    payment_status: "paid",
    amount_paid: 88_000,
    payment_method: "gopay",
    stock_taken: true,
    oversold: false,
    payment_gateway_transaction_id: hub.byReference(id).payments[0]!.provider_id,
  });
  expect(await stock("kopi-gayo")).toBe(38);
  expect((await log()).map((entry) => [entry.event_type, entry.outcome, entry.order_id])).toEqual([
    ["order.paid", "applied", id],
    ["payment.paid", "applied", id],
  ]);
});

test.each([
  ["signed by someone else", { secret: OTHER_SECRET }, "no_matching_signature"],
  ["replayed after an hour", { now: Date.now() - 3_600_000 }, "too_old"],
])("a notification %s is answered 401, logged, and changes nothing", async (_name, options, detail) => {
  const { hub, shop, buy, order, stock, log } = await startHarness();
  const id = await buy();
  const { order: event } = hub.pay(id);
  expect((await deliver(shop.app, event, options)).statusCode).toBe(401);
  expect([(await order(id)).payment_status, await stock("kopi-gayo")]).toEqual(["unpaid", 40]);
  expect(await log()).toMatchObject([{ outcome: "rejected", detail, webhook_id: event.id, body: JSON.stringify(event) }]);
  // The forgery has not used up the id: the true one still counts.
  expect((await deliver(shop.app, event)).statusCode).toBe(200);
  expect((await order(id)).payment_status).toBe("paid");
});

test.each([
  ["no body", {}],
  ["a form", { payload: "status=paid", headers: { "content-type": "application/x-www-form-urlencoded" } }],
  ["no signature", { payload: '{"type":"order.paid"}', headers: { "content-type": "application/json" } }],
  [
    "broken JSON",
    {
      payload: '{"type":',
      headers: { "content-type": "application/json", "webhook-id": "evt_1", "webhook-timestamp": "1", "webhook-signature": "v1,x" },
    },
  ],
])("a request with %s is answered 401 and logged", async (_name, request) => {
  const { shop, log } = await startHarness();
  const answer = await shop.app.inject({ method: "POST", url: "/api/payments/notification", ...request });
  expect(answer.statusCode).toBe(401);
  expect((await log()).map((entry) => entry.outcome)).toEqual(["rejected"]);
});

test("a body that was changed on the way is not believed", async () => {
  const { hub, shop, buy, order } = await startHarness();
  const id = await buy();
  const event = hub.become(id, "pending");
  const headers = signWebhook(JSON.stringify(event), SECRET, { id: event.id });
  const payload = JSON.stringify(event).replace('"pending"', '"paid"');
  const answer = await shop.app.inject({ method: "POST", url: "/api/payments/notification", payload, headers });
  expect([answer.statusCode, (await order(id)).payment_status]).toEqual([401, "unpaid"]);
});

test("a repeated notification takes the stock once", async () => {
  const { hub, shop, buy, stock, log } = await startHarness();
  const { order: event } = hub.pay(await buy());
  for (let i = 0; i < 3; i += 1) expect((await deliver(shop.app, event)).statusCode).toBe(200);
  expect(await stock("kopi-gayo")).toBe(38);
  expect((await log()).map((entry) => entry.outcome)).toEqual(["duplicate", "duplicate", "applied"]);
});

test("the same notification sent twice at the same moment takes the stock once", async () => {
  const { hub, shop, buy, order, stock, log } = await startHarness();
  const id = await buy();
  const { order: event } = hub.pay(id);
  const answers = await Promise.all([deliver(shop.app, event), deliver(shop.app, event)]);
  expect(answers.map((answer) => answer.statusCode)).toEqual([200, 200]);
  expect([(await order(id)).payment_status, await stock("kopi-gayo")]).toEqual(["paid", 38]);
  expect((await log()).map((entry) => entry.outcome).sort()).toEqual(["applied", "duplicate"]);
});

test("paid, told again in another event of the same order, takes the stock once", async () => {
  const { hub, shop, buy, stock } = await startHarness();
  const id = await buy();
  await deliver(shop.app, hub.pay(id).order);
  await deliver(shop.app, hub.become(id, "partially_refunded", { refunded: 1000 }));
  await deliver(shop.app, hub.become(id, "paid"));
  expect(await stock("kopi-gayo")).toBe(38);
});

test("in whatever order the events of an order come, the shop ends in the same state", async () => {
  const orders = [
    [0, 1, 2, 3],
    [3, 2, 1, 0],
    [1, 0, 3, 2],
    [2, 3, 0, 1],
    [3, 0, 1, 2],
    [0, 2, 1, 3],
  ];
  for (const places of orders) {
    const { hub, shop, buy, order, stock } = await startHarness();
    const id = await buy();
    const events = [hub.become(id, "pending"), hub.become(id, "expired"), hub.pay(id).order, hub.become(id, "refunded", { refunded: 88_000 })];
    for (const place of places) expect((await deliver(shop.app, events[place]!)).statusCode).toBe(200);
    expect(await order(id)).toMatchObject({ payment_status: "refunded", amount_paid: 88_000, amount_refunded: 88_000, stock_taken: true });
    expect(await stock("kopi-gayo")).toBe(38);
  }
});

test("an older event that comes late is logged as stale and does not undo what is known", async () => {
  const { hub, shop, buy, order, log } = await startHarness();
  const id = await buy();
  const pending = hub.become(id, "pending");
  await deliver(shop.app, hub.pay(id).order);
  expect((await deliver(shop.app, pending)).statusCode).toBe(200);
  expect((await order(id)).payment_status).toBe("paid");
  expect((await log())[0]).toMatchObject({ outcome: "stale", event_type: "order.pending" });
});

test("an event of an order that this shop does not have is answered 2xx, logged, and changes nothing", async () => {
  const { hub, shop, buy, stock, log } = await startHarness();
  const { order: event } = hub.pay(await buy());
  const foreign = structuredClone(event) as typeof event & { data: { order: { reference: string } } };
  foreign.data.order.reference = "INV-OF-ANOTHER-SHOP";
  expect((await deliver(shop.app, foreign)).statusCode).toBe(200);
  expect(await stock("kopi-gayo")).toBe(40);
  expect(await log()).toMatchObject([{ outcome: "unknown_order", order_id: "INV-OF-ANOTHER-SHOP" }]);
});

test("an event of another amount than the order's changes nothing", async () => {
  const { hub, shop, buy, order, log } = await startHarness();
  const id = await buy();
  const { order: event } = hub.pay(id);
  (event as unknown as { data: { order: { amount: number } } }).data.order.amount = 1;
  await deliver(shop.app, event);
  expect((await order(id)).payment_status).toBe("unpaid");
  expect((await log())[0]).toMatchObject({ outcome: "mismatch", detail: expect.stringContaining("88000") });
});

test("a kind of event that the shop does not know is taken and ignored", async () => {
  const { hub, shop, buy, log } = await startHarness();
  const { order: event } = hub.pay(await buy());
  const unknown = { ...event, type: "payout.completed", subject: { type: "payout", id: "pyo_1" } } as unknown as typeof event;
  const test = { ...event, id: "evt_test", type: "endpoint.test", subject: { type: "endpoint", id: "end_1" }, data: {} } as unknown as typeof event;
  for (const each of [unknown, test]) expect((await deliver(shop.app, each)).statusCode).toBe(200);
  expect((await log()).map((entry) => entry.outcome)).toEqual(["ignored", "ignored"]);
});

test("the payment that collected the money stays the order's, whatever a later attempt says", async () => {
  const { hub, shop, buy, order } = await startHarness();
  const id = await buy();
  const first = hub.open(id, "bca_va");
  await deliver(shop.app, hub.event("payment.pending", hub.byReference(id), { payment: first }));
  expect(await order(id)).toMatchObject({ payment_method: "bca_va", payment_gateway_transaction_id: first.provider_id });
  const second = hub.open(id, "gopay");
  await deliver(shop.app, hub.pay(id).payment);
  await deliver(shop.app, hub.event("payment.canceled", hub.byReference(id), { payment: { ...first, status: "canceled" } }));
  expect(await order(id)).toMatchObject({ payment_method: "gopay", payment_gateway_transaction_id: second.provider_id });
});

test.each(["canceled", "expired"] as const)(
  "money for an order that was %s before makes it paid, and takes nothing from the shelf",
  async (closed) => {
    const { hub, shop, buy, order, stock } = await startHarness();
    const id = await buy();
    hub.byReference(id).closed = closed;
    await deliver(shop.app, hub.become(id, closed));
    await deliver(shop.app, hub.pay(id).order);
    expect(await order(id)).toMatchObject({ payment_status: "paid", amount_paid: 88_000, stock_taken: false, paid_after_end: true });
    expect(await stock("kopi-gayo")).toBe(40);
  },
);

test("where two buyers pay for the last piece, the second order is marked oversold and its money is not lost from sight", async () => {
  const { hub, shop, post, order, stock } = await startHarness();
  const ids: string[] = [];
  for (const checkout_id of ["buyer-one", "buyer-two"]) {
    const customer = { name: "A", email: "a@example.com", phone: "0812 3456 7890" };
    const answer = await post("/api/payments/create-transaction", {
      checkout_id,
      items: [{ product_id: "batik-mega", quantity: 9 }],
      customer,
      way: "redirect",
    });
    ids.push(String(answer.body["order_id"]));
  }
  for (const id of ids) await deliver(shop.app, hub.pay(id).order);
  expect([(await order(ids[0]!)).oversold, (await order(ids[1]!)).oversold, await stock("batik-mega")]).toEqual([false, true, -9]);
});

test("forged notifications cannot fill the log without end, and push out nothing that is true", () => {
  const db = openDatabase(":memory:");
  const event = JSON.stringify({ type: "endpoint.test", sequence: 1 });
  takeNotification(db, [SECRET], Buffer.from(event), signWebhook(event, SECRET), Date.now());
  for (let i = 0; i < 520; i += 1) takeNotification(db, [SECRET], Buffer.from(`{"forged":${i}}`), {}, 1);
  const kept = db.prepare("SELECT outcome, count(*) AS count, max(body) AS body FROM notifications GROUP BY outcome ORDER BY outcome").all();
  expect(kept).toEqual([
    { outcome: "ignored", count: 1, body: event },
    { outcome: "rejected", count: 500, body: '{"forged":99}' },
  ]);
});

test("where the effect fails nothing of it stays, not even the memory of the notification, so that its repetition counts", () => {
  const db = openDatabase(":memory:");
  const customer = { name: "A", email: "a@example.com", phone: "0812 3456 7890" };
  const placed = placeOrder(db, { checkout_id: "checkout-x", customer, items: [{ product_id: "kopi-gayo", quantity: 1 }] }, 1);
  if (!placed.ok) throw new Error(placed.message);
  const order = { reference: placed.order.id, amount: 44_000, currency: "IDR", payment_status: "paid", amount_paid: 44_000, amount_refunded: 0 };
  const body = JSON.stringify({ type: "order.paid", sequence: 1, subject: { type: "order", id: "ord_1" }, data: { order } });
  const headers = signWebhook(body, SECRET, { id: "evt_1" });
  const take = (): unknown => takeNotification(db, [SECRET], Buffer.from(body), headers, Date.now());
  const count = (table: string): unknown => db.prepare(`SELECT count(*) AS n FROM ${table}`).get();

  db.exec("CREATE TRIGGER broken BEFORE UPDATE ON products BEGIN SELECT RAISE(ABORT, 'disk trouble'); END");
  expect(take).toThrow("disk trouble");
  expect([findOrder(db, placed.order.id)!.payment_status, count("handled_events"), count("subjects"), count("notifications")]).toEqual([
    "unpaid",
    { n: 0 },
    { n: 0 },
    { n: 0 },
  ]);
  db.exec("DROP TRIGGER broken");
  expect(take()).toEqual({ accepted: true, outcome: "applied", order_id: placed.order.id });
  expect(findOrder(db, placed.order.id)!.payment_status).toBe("paid");
});
