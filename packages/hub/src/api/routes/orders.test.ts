import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeTestApi, type TestApi } from "../testing.ts";

let api: TestApi;
beforeAll(async () => {
  api = await makeTestApi();
});
afterAll(() => api.close());

const wish = {
  reference: "INV/2026/1",
  amount: 44_000,
  items: [{ name: "Kopi", quantity: 2, price: "22000" }],
  customer: { name: "Budi", email: null },
};

describe("POST /v1/orders", () => {
  test("201: an order is made, with all its values and a page to pay it on", async () => {
    const answer = await api.call("POST", "/v1/orders", { body: wish, once: "a" });
    expect(answer.statusCode).toBe(201);
    expect(answer.headers["content-type"]).toMatch(/^application\/json/);
    expect(answer.json()).toEqual({
      id: expect.stringMatching(/^ord_/),
      object: "order",
      reference: "INV/2026/1",
      amount: 44_000,
      currency: "IDR",
      items: [{ name: "Kopi", quantity: 2, price: 22_000, sku: null }],
      customer: { name: "Budi" },
      description: null,
      return_url: null,
      metadata: {},
      payment_status: "unpaid",
      closed: null,
      fulfillment_status: "none",
      amount_paid: 0,
      amount_refunded: 0,
      amount_reversed: 0,
      checkout_url: expect.stringMatching(/^https:\/\/hub\.test\/pay\/[\w-]{32}$/),
      expires_at: "2026-07-18T03:00:00.000Z",
      created_at: "2026-07-17T03:00:00.000Z",
      updated_at: "2026-07-17T03:00:00.000Z",
      payments: [],
    });
  });

  test("409 reference_taken under another key, with the id of the order that has it", async () => {
    const first = await api.order({ reference: "TAKEN" });
    const answer = await api.call("POST", "/v1/orders", { body: { reference: "TAKEN", amount: 1 }, once: "other" });
    expect(answer.statusCode).toBe(409);
    expect(answer.json()).toMatchObject({ code: "reference_taken", existing_id: first.id });
  });

  test.each([
    [{ amount: 1 }, [{ field: "reference", message: "is required: string" }]],
    [{ reference: "X" }, [{ field: "amount", message: 'must be a number or a decimal string in major units, such as 44000 or "44000.50"' }]],
    [{ reference: "X", amount: 0 }, [{ field: "amount", message: "must be greater than 0" }]],
    [{ reference: "X", amount: -5 }, [{ field: "amount", message: "must be greater than 0" }]],
    [{ reference: "X", amount: 0.001 }, [{ field: "amount", message: "has more than 2 decimals, which IDR does not have" }]],
    [{ reference: "X", amount: "1e3" }, [{ field: "amount", message: expect.stringContaining("decimal string") }]],
    [{ reference: "X", amount: 1, currency: "ZZZ" }, [{ field: "currency", message: expect.stringContaining('"IDR"') }]],
    [{ reference: "X", amount: 1, refernce: "Y" }, [{ field: "refernce", message: expect.stringContaining("allowed are reference, amount") }]],
    [
      {
        reference: "X",
        amount: 1,
        items: [
          { name: "a", quantity: 1, price: 1 },
          { name: "b", quantity: 0, price: 1 },
        ],
      },
      [{ field: "items[1].quantity", message: expect.stringContaining(">=1") }],
    ],
    [{ reference: "X", amount: 1, items: [{ name: "a", quantity: 1, price: "x" }] }, [{ field: "items[0].price", message: expect.any(String) }]],
    [
      { reference: "X", amount: 1, items: [{ name: "a", quantity: 1, price: 1, colour: "red" }] },
      [{ field: "items[0].colour", message: expect.stringContaining("name, quantity, price, sku") }],
    ],
    [{ reference: "X", amount: 1, return_url: "javascript:alert(1)" }, [{ field: "return_url", message: "must be an http or https URL" }]],
    [{ reference: "X\nY", amount: 1 }, [{ field: "reference", message: expect.stringContaining("one line") }]],
    [{ reference: "X", amount: 1, expires_in_s: 1 }, [{ field: "expires_in_s", message: expect.stringContaining(">=60") }]],
  ])("400 invalid_request names the field and what is allowed: %j", async (body, errors) => {
    const answer = await api.call("POST", "/v1/orders", { body, once: "invalid" });
    expect(answer.statusCode).toBe(400);
    expect(answer.headers["content-type"]).toMatch(/^application\/problem\+json/);
    expect(answer.json()).toMatchObject({
      type: "/docs/errors#invalid_request",
      status: 400,
      code: "invalid_request",
      errors,
      request_id: expect.stringMatching(/^req_/),
    });
  });

  test("400 for no body at all", async () => {
    const answer = await api.call("POST", "/v1/orders", { once: "empty" });
    expect(answer.json()).toMatchObject({ status: 400, code: "invalid_request", detail: expect.stringContaining("needs a body") });
  });
});

describe("GET /v1/orders", () => {
  test("200: newest first, page after page, each order once", async () => {
    const made = [];
    for (let i = 0; i < 5; i += 1) made.push((await api.order({ reference: `PAGE-${i}`, metadata: { page: true } })).id);
    const seen: string[] = [];
    let cursor: string | null = "";
    while (cursor !== null) {
      const answer = await api.call("GET", `/v1/orders?limit=2${cursor ? `&cursor=${cursor}` : ""}`);
      expect(answer.statusCode).toBe(200);
      const page = answer.json<{ data: { id: string }[]; next_cursor: string | null }>();
      expect(page.data.length).toBeLessThanOrEqual(2);
      seen.push(...page.data.map((order) => order.id));
      cursor = page.next_cursor;
    }
    expect(seen).toEqual([...seen].sort().reverse());
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen.slice(0, 5)).toEqual(made.toReversed());
  });

  test("200: filtered by reference and by status", async () => {
    const order = await api.order({ reference: "FIND-ME" });
    const found = await api.call("GET", "/v1/orders?reference=FIND-ME&payment_status=unpaid");
    expect(found.json()).toMatchObject({ data: [{ id: order.id }], next_cursor: null });
    expect((await api.call("GET", "/v1/orders?reference=FIND-ME&payment_status=paid")).json()).toEqual({ data: [], next_cursor: null });
  });

  test.each(["limit=0", "limit=101", "limit=x", "cursor=abc", "cursor=b3JkXzE", "payment_status=rich", "colour=red"])(
    "400 for ?%s",
    async (query) => {
      const answer = await api.call("GET", `/v1/orders?${query}`);
      expect(answer.json()).toMatchObject({ status: 400, code: "invalid_request", errors: [{ field: query.split("=")[0] }] });
    },
  );
});

describe("one order", () => {
  test("200 with its payments; 404 for an id that nobody has", async () => {
    const order = await api.order();
    const payment = await api.payment(order.id);
    expect((await api.call("GET", `/v1/orders/${order.id}`)).json()).toMatchObject({ payment_status: "pending", payments: [{ id: payment.id }] });
    expect((await api.call("GET", "/v1/orders/ord_0000000000000000000000")).json()).toMatchObject({ status: 404, code: "not_found" });
  });

  test("POST cancel: 200, its payment is canceled at the gateway first; 409 once it is paid", async () => {
    const order = await api.order();
    const payment = await api.payment(order.id);
    expect((await api.call("POST", `/v1/orders/${order.id}/cancel`)).json()).toMatchObject({
      payment_status: "canceled",
      payments: [{ status: "canceled" }],
    });
    expect(api.gateway.transactions.get(payment.provider_reference)?.status).toBe("canceled");
    const paid = await api.order();
    const { id, provider_reference } = await api.payment(paid.id);
    api.gateway.pay(provider_reference);
    await api.call("POST", `/v1/payments/${id}/refresh`);
    expect((await api.call("POST", `/v1/orders/${paid.id}/cancel`)).json()).toMatchObject({ status: 409, code: "wrong_state" });
  });
});
