import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { shopOptionsFrom, startShop } from "./main.ts";
import { deliver, SECRET } from "./testing/fake-hub.ts";
import { purchase, startHarness } from "./testing/harness.ts";

const CREATE = "/api/payments/create-transaction";

describe("create-transaction", () => {
  test("keeps the shop's order and answers the hosted page's address", async () => {
    const { hub, post, order, stock } = await startHarness();
    const answer = await post(CREATE, purchase());
    const id = String(answer.body["order_id"]);
    expect(answer).toEqual({ status: 201, body: { order_id: id, redirect_url: hub.byReference(id).checkout_url } });
    expect(await order(id)).toMatchObject({ amount: 88_000, payment_status: "unpaid", stock_taken: false, customer: { name: "Sari Wulandari" } });
    expect(hub.asked).toHaveLength(1);
    expect(hub.asked[0]).toMatchObject({
      call: "POST /v1/orders",
      key: `order-${id}`,
      body: { reference: id, amount: 88_000, return_url: `http://shop.test/orders/${id}`, items: [{ sku: "kopi-gayo", quantity: 2, price: 44_000 }] },
    });
    expect(await stock("kopi-gayo")).toBe(40);
  });

  test("for the popup also answers Snap's token, client key and script", async () => {
    const { hub, post } = await startHarness();
    const { status, body } = await post(CREATE, purchase({ way: "snap" }));
    const [payment] = hub.byReference(String(body["order_id"])).payments;
    expect([status, payment!.method]).toEqual([201, "snap"]);
    expect(body).toMatchObject({ transaction_token: `tok-${payment!.id}`, client_key: "SB-Mid-client-x", script_url: `${hub.url}/snap.js` });
    expect(body["redirect_url"]).toBeTypeOf("string");
  });

  test("a repeated click is the same order and the same payment", async () => {
    const { hub, post } = await startHarness();
    const wanted = purchase({ way: "snap" });
    const first = await post(CREATE, wanted);
    const second = await post(CREATE, wanted);
    expect(second.body).toEqual(first.body);
    expect([hub.orders.size, hub.byReference(String(first.body["order_id"])).payments.length]).toEqual([1, 1]);
  });

  test("another cart under the same name is refused rather than sold at the old price", async () => {
    const { post } = await startHarness();
    const wanted = purchase();
    await post(CREATE, wanted);
    const answer = await post(CREATE, { ...wanted, items: [{ product_id: "kopi-gayo", quantity: 3 }] });
    expect(answer).toMatchObject({ status: 409, body: { code: "checkout_changed" } });
  });

  test("prices are the shelf's, whatever the browser sends", async () => {
    const { hub, post } = await startHarness();
    const { body } = await post(CREATE, purchase({ items: [{ product_id: "kopi-gayo", quantity: 1, price: 1 }], amount: 1 }));
    expect(hub.byReference(String(body["order_id"])).amount).toBe(44_000);
  });

  test.each([
    ["an empty cart", { items: [] }, 400, "invalid_request"],
    ["no name", { customer: { name: " ", email: "a@example.com", phone: "0812 3456 7890" } }, 400, "invalid_request"],
    ["a broken e-mail address", { customer: { name: "A", email: "a@", phone: "0812 3456 7890" } }, 400, "invalid_request"],
    ["a negative quantity", { items: [{ product_id: "kopi-gayo", quantity: -1 }] }, 400, "invalid_request"],
    ["goods that do not exist", { items: [{ product_id: "teh", quantity: 1 }] }, 409, "unknown_product"],
    ["more than there is", { items: [{ product_id: "batik-mega", quantity: 10 }] }, 409, "out_of_stock"],
  ])("with %s is refused with a message, and nothing is asked of the hub", async (_name, more, status, code) => {
    const { hub, post } = await startHarness();
    const answer = await post(CREATE, purchase(more));
    expect([answer.status, answer.body["code"]]).toEqual([status, code]);
    expect(answer.body["message"]).toBeTruthy();
    expect(hub.asked).toEqual([]);
  });
});

describe("when the payment cannot be started", () => {
  test("a charge that the gateway refuses is told with its reason, and the order can be paid in another way", async () => {
    const { hub, post, order, reports } = await startHarness();
    hub.refusing = {
      on: "payment",
      status: 422,
      body: { code: "gateway_refused", title: "The gateway refused", detail: "Amount is over the limit." },
    };
    const answer = await post(CREATE, purchase({ way: "snap" }));
    expect(answer.status).toBe(422);
    expect(answer.body["code"]).toBe("gateway_refused");
    expect(answer.body["message"]).toContain("Nothing was charged. Amount is over the limit.");
    const id = String(answer.body["order_id"]);
    expect(await order(id)).toMatchObject({ payment_status: "unpaid", problem: answer.body["message"] });
    expect(reports).toHaveLength(1);

    hub.refusing = undefined;
    const again = await post(`/api/orders/${id}/pay`, { way: "redirect" });
    expect(again).toEqual({ status: 200, body: { order_id: id, redirect_url: hub.byReference(id).checkout_url } });
    expect((await order(id)).problem).toBeNull();
  });

  test("a hub that cannot be reached is told as such, and the order is kept", async () => {
    const { post, order } = await startHarness({ hubDown: true });
    const answer = await post(CREATE, purchase());
    expect(answer).toMatchObject({ status: 503, body: { code: "payment_unavailable", message: expect.stringContaining("Your order is kept") } });
    expect((await order(String(answer.body["order_id"]))).payment_status).toBe("unpaid");
  });

  test("a wrong API key is the shop's fault and not shown to the buyer", async () => {
    const { hub, post } = await startHarness();
    hub.refusing = { on: "order", status: 401, body: { code: "unauthorized", title: "The API key is missing or not valid" } };
    const answer = await post(CREATE, purchase());
    expect(answer).toMatchObject({ status: 500, body: { code: "shop_misconfigured" } });
    expect(JSON.stringify(answer.body)).not.toContain("API key");
  });

  test("a failed popup payment is followed by a new one, an open one is used again", async () => {
    const { hub, post, buy } = await startHarness();
    const id = await buy("snap");
    const [first] = hub.byReference(id).payments;
    expect((await post(`/api/orders/${id}/pay`, { way: "snap" })).body["transaction_token"]).toBe(`tok-${first!.id}`);
    first!.status = "failed";
    const { body } = await post(`/api/orders/${id}/pay`, { way: "snap" });
    const second = hub.byReference(id).payments[1];
    expect(body["transaction_token"]).toBe(`tok-${second!.id}`);
  });
});

describe("refund", () => {
  const refund = (more: Record<string, unknown> = {}): Record<string, unknown> => ({ refund_id: "refund-00001", ...more });

  test("goes to the payment that collected the money, is shown at once, and ends by webhook", async () => {
    const { hub, shop, buy, post, order, stock } = await startHarness();
    const id = await buy();
    const paid = hub.pay(id);
    for (const event of [paid.payment, paid.order]) await deliver(shop.app, event);
    const answer = await post(`/api/orders/${id}/refund`, refund({ reason: "one cup broken" }));
    expect(answer).toMatchObject({ status: 201, body: { refund: { amount: 88_000, status: "submitted", reason: "one cup broken" } } });
    expect(await order(id)).toMatchObject({ payment_status: "paid", refunds: [{ status: "submitted", amount: 88_000 }] });

    const [payment] = hub.byReference(id).payments;
    payment!.refunds[0]!.status = "succeeded";
    await deliver(shop.app, hub.event("refund.succeeded", hub.byReference(id), { payment, refund: payment!.refunds[0] }));
    await deliver(shop.app, hub.become(id, "refunded", { refunded: 88_000 }));
    expect(await order(id)).toMatchObject({ payment_status: "refunded", amount_refunded: 88_000, refunds: [{ status: "succeeded" }] });
    // Goods come back to the shelf by hand, not by money.
    expect(await stock("kopi-gayo")).toBe(38);
  });

  test("clicked twice is one refund", async () => {
    const { hub, shop, buy, post } = await startHarness();
    const id = await buy();
    const paid = hub.pay(id);
    for (const event of [paid.payment, paid.order]) await deliver(shop.app, event);
    const answers = await Promise.all([1, 2].map(() => post(`/api/orders/${id}/refund`, refund({ amount: 10_000 }))));
    expect(answers.map((answer) => answer.status)).toEqual([201, 201]);
    expect(answers[0]!.body).toEqual(answers[1]!.body);
    expect(hub.byReference(id).payments[0]!.refunds).toHaveLength(1);
  });

  test("a webhook that is faster than the answer is not overwritten by it", async () => {
    const { hub, shop, buy, post, order } = await startHarness();
    const id = await buy();
    const paid = hub.pay(id);
    for (const event of [paid.payment, paid.order]) await deliver(shop.app, event);
    await post(`/api/orders/${id}/refund`, refund());
    const [payment] = hub.byReference(id).payments;
    await deliver(
      shop.app,
      hub.event("refund.succeeded", hub.byReference(id), { payment, refund: { ...payment!.refunds[0]!, status: "succeeded" } }),
    );
    // The hub answers the repetition of the call as it did the first: submitted. The shop knows better by now.
    expect((await post(`/api/orders/${id}/refund`, refund())).body["refund"]).toMatchObject({ status: "succeeded" });
    expect((await order(id)).refunds.map((each) => each.status)).toEqual(["succeeded"]);
  });

  test("of an unpaid order is refused without asking the hub", async () => {
    const { hub, buy, post } = await startHarness();
    const id = await buy();
    const asked = hub.asked.length;
    expect(await post(`/api/orders/${id}/refund`, refund())).toMatchObject({ status: 422, body: { code: "nothing_collected" } });
    expect(hub.asked).toHaveLength(asked);
  });

  test("that the hub refuses is told with its reason", async () => {
    const { hub, shop, buy, post } = await startHarness();
    const id = await buy();
    const paid = hub.pay(id);
    for (const event of [paid.payment, paid.order]) await deliver(shop.app, event);
    hub.refusing = { on: "refund", status: 422, body: { code: "refund_too_large", detail: "At most 88000 may be refunded." } };
    const answer = await post(`/api/orders/${id}/refund`, refund({ amount: 90_000 }));
    expect(answer).toMatchObject({ status: 422, body: { code: "refund_too_large", message: "At most 88000 may be refunded." } });
  });
});

describe("the shop as a program", () => {
  test("an order page that is followed live is told of the change", async () => {
    const { hub, shop, buy } = await startHarness();
    const id = await buy();
    const stream = await fetch(`${shop.url}/api/orders/${id}/events`);
    const reader = stream.body!.pipeThrough(new TextDecoderStream()).getReader();
    let heard = (await reader.read()).value ?? "";
    await deliver(shop.app, hub.pay(id).order);
    while (!heard.includes("event: changed")) heard += (await reader.read()).value ?? "";
    await reader.cancel();
    expect(stream.headers.get("content-type")).toBe("text/event-stream");
  });

  test("an address that does not exist, broken JSON and a form are refused as JSON problems", async () => {
    const { shop } = await startHarness();
    expect((await shop.app.inject("/api/orders/TL-NOTHERE")).statusCode).toBe(404);
    expect((await shop.app.inject("/api/nothing")).json()).toMatchObject({ code: "not_found" });
    const broken = await shop.app.inject({ method: "POST", url: CREATE, payload: "{", headers: { "content-type": "application/json" } });
    expect([broken.statusCode, broken.json<{ code: string }>().code]).toEqual([400, "invalid_request"]);
    const form = await shop.app.inject({ method: "POST", url: CREATE, payload: "a=b", headers: { "content-type": "text/plain" } });
    expect(form.statusCode).toBe(415);
  });

  test("orders outlive a restart", async () => {
    const folder = mkdtempSync(join(tmpdir(), "lunas-shop-"));
    const options = {
      port: 0,
      databasePath: join(folder, "deep/shop.db"),
      lunas: { baseUrl: "http://127.0.0.1:9", apiKey: "sk", webhookSecret: SECRET, maxRetries: 0 },
      report: () => undefined,
    };
    const before = await startShop(options);
    const placed = (await before.app.inject({ method: "POST", url: CREATE, payload: purchase() })).json<{ order_id: string }>();
    await before.close();
    const after = await startShop(options);
    const kept = await after.app.inject(`/api/orders/${placed.order_id}`);
    await after.close();
    expect([kept.statusCode, existsSync(options.databasePath)]).toEqual([200, true]);
    rmSync(folder, { recursive: true });
  });

  test("its settings come from the environment, with the development hub's as defaults", () => {
    expect(shopOptionsFrom({})).toMatchObject({
      host: "127.0.0.1",
      port: 8070,
      lunas: { baseUrl: "http://127.0.0.1:8080", apiKey: "sk_test_lunas_dev", webhookSecret: SECRET },
    });
    expect(shopOptionsFrom({ SHOP_PORT: "0", HOST: "0.0.0.0", LUNAS_PUBLIC_URL: "http://hub.test" })).toMatchObject({
      host: "0.0.0.0",
      port: 0,
      lunas: { baseUrl: "http://hub.test" },
    });
    expect(() => shopOptionsFrom({ SHOP_PORT: "eighty" })).toThrow(/SHOP_PORT/);
  });
});
