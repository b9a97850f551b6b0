import { afterAll, beforeAll, expect, test } from "vitest";
import type { OpenApiDocument } from "./openapi.ts";
import { makeTestApi, type TestApi } from "./testing.ts";
import type { TestShop } from "../testing/make-hub.ts";

/** Each route under /v1 that names something is tried with the id of another shop's thing; a new route is tried without being listed here. */

let api: TestApi;
let stranger: TestShop;
let document: OpenApiDocument;
let ids: Record<string, string>;
beforeAll(async () => {
  api = await makeTestApi();
  stranger = await api.addShop("stranger");
  document = (await api.call("GET", "/openapi.json", { key: null })).json();
  const order = await api.order();
  const payment = await api.payment(order.id, "bca_va");
  api.gateway.pay(payment.provider_reference);
  await api.call("POST", "/v1/endpoints", { body: { url: "https://shop.example/hook" } });
  await api.call("POST", `/v1/payments/${payment.id}/refresh`);
  const refund = (await api.call("POST", `/v1/payments/${payment.id}/refunds`, { body: {}, once: "r" })).json<{ id: string }>();
  await api.api.inject({
    method: "POST",
    url: `/callbacks/${api.slug}`,
    payload: Buffer.from(api.gateway.callback(payment.provider_reference, "paid").body),
  });
  const first = async (list: string): Promise<string> => (await api.call("GET", `/v1/${list}`)).json<{ data: { id: string }[] }>().data[0]!.id;
  ids = {
    orders: order.id,
    payments: payment.id,
    refunds: refund.id,
    events: await first("events"),
    deliveries: await first("deliveries"),
    endpoints: await first("endpoints"),
    accounts: api.account_id,
    notifications: await first("notifications"),
  };
});
afterAll(() => api.close());

const BODIES: Readonly<Record<string, unknown>> = {
  createPayment: { method: "gopay" },
  createRefund: {},
  closeRefund: { outcome: "succeeded", proof: "x" },
  updateEndpoint: { description: "mine" },
  updateAccount: { label: "mine" },
  replayEndpoint: {},
  resendEvent: {},
};

function namingRoutes() {
  return Object.entries(document.paths)
    .filter(([path]) => path.startsWith("/v1/") && path.includes("{id}"))
    .flatMap(([path, operations]) =>
      Object.entries(operations).map(([verb, operation]) => ({
        url: path.replace("{id}", ids[path.split("/")[2]!]!),
        verb: verb.toUpperCase() as "GET",
        name: String(operation["operationId"]),
      })),
    );
}

test("what is of another shop is not found, by any route and any method", async () => {
  const routes = namingRoutes();
  expect(routes.length).toBeGreaterThan(25);
  for (const { url, verb, name } of routes) {
    const answer = await api.call(verb, url, { key: stranger.api_key, body: BODIES[name], once: `stranger ${name}`.replaceAll(" ", "-") });
    expect([name, answer.statusCode, answer.json<{ code: string }>().code]).toEqual([name, 404, "not_found"]);
  }
});

test("the same routes find it for its own shop", async () => {
  for (const { url, verb, name } of namingRoutes().filter((route) => route.verb === "GET")) {
    expect([name, (await api.call("GET", url)).statusCode]).toEqual([name, verb === "GET" ? 200 : 0]);
  }
});

test("lists hold nothing of another shop's, whatever is filtered for", async () => {
  const filters: Record<string, string> = {
    payments: `order_id=${ids["orders"]}`,
    refunds: `payment_id=${ids["payments"]}`,
    events: `subject_id=${ids["payments"]}`,
    deliveries: `event_id=${ids["events"]}`,
    notifications: `payment_id=${ids["payments"]}`,
  };
  for (const list of Object.keys(ids).filter((name) => name !== "accounts")) {
    for (const query of ["", `?${filters[list] ?? ""}`]) {
      expect([list, (await api.call("GET", `/v1/${list}${query}`, { key: stranger.api_key })).json()]).toEqual([
        list,
        { data: [], next_cursor: null },
      ]);
    }
  }
  expect((await api.call("GET", "/v1/accounts", { key: stranger.api_key })).json()).toMatchObject({ data: [{ id: stranger.account_id }] });
});

test("an endpoint of another shop is no receiver of a resend", async () => {
  const mine = (await api.call("POST", "/v1/endpoints", { key: stranger.api_key, body: { url: "https://stranger.example/hook" } })).json<{
    id: string;
  }>();
  const answer = await api.call("POST", `/v1/events/${ids["events"]}/resend`, { body: { endpoint_id: mine.id } });
  expect(answer.json()).toMatchObject({ status: 404, code: "not_found" });
});

test("401 on every route of /v1 without a key, with a wrong one and with a revoked one", async () => {
  const paths = Object.entries(document.paths).filter(([path]) => path.startsWith("/v1/"));
  for (const [path, operations] of paths) {
    for (const verb of Object.keys(operations)) {
      for (const key of [null, "sk_wrong"]) {
        const answer = await api.call(verb.toUpperCase() as "GET", path.replace("{id}", "x"), { key });
        expect([path, answer.statusCode, answer.headers["www-authenticate"]]).toEqual([path, 401, 'Bearer realm="lunas"']);
      }
    }
  }
  const revoked = await api.addShop("revoked");
  expect((await api.call("GET", "/v1/orders", { key: revoked.api_key })).statusCode).toBe(200);
  await api.store.write((tx) => tx.updateTable("api_keys").set({ revoked_at: 1 }).where("shop_id", "=", revoked.shop_id).execute());
  api.wall.advance(5_001);
  expect((await api.call("GET", "/v1/orders", { key: revoked.api_key })).json()).toMatchObject({ status: 401, code: "unauthorized" });
});
