import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { OpenApiDocument } from "./openapi.ts";
import { makeTestApi, type TestApi } from "./testing.ts";

let api: TestApi;
let routes: { method: "POST" | "PATCH"; url: string }[] = [];
beforeAll(async () => {
  api = await makeTestApi();
  const document = (await api.call("GET", "/openapi.json", { key: null })).json<OpenApiDocument>();
  const order = await api.order();
  const payment = await api.payment(order.id);
  const endpoint = (await api.call("POST", "/v1/endpoints", { body: { url: "https://shop.example/hook" } })).json<{ id: string }>();
  const token = order.checkout_url.split("/").at(-1)!;
  const ids: Record<string, string> = { orders: order.id, payments: payment.id, endpoints: endpoint.id, accounts: api.account_id };
  routes = Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.keys(operations)
      .filter((verb) => verb === "post" || verb === "patch")
      .map((verb) => ({
        method: verb.toUpperCase() as "POST",
        url: path.replace("{token}", token).replace("{id}", ids[path.split("/")[2]!] ?? "evt_0000000000000000000000"),
      })),
  );
});
afterAll(() => api.close());

const deep = `${"[".repeat(100)}${"]".repeat(100)}`;
const JSON_TYPE = { "content-type": "application/json" };

const HOSTILE: readonly [string, string | Buffer, Record<string, string>][] = [
  ["nothing", "", JSON_TYPE],
  ["no JSON", "{", JSON_TYPE],
  ["a text", '"x"', JSON_TYPE],
  ["a number", "1e999", JSON_TYPE],
  ["null", "null", JSON_TYPE],
  ["a list", "[]", JSON_TYPE],
  ["invalid UTF-8", Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]), JSON_TYPE],
  ["a byte order mark", Buffer.from("\uFEFF{}"), JSON_TYPE],
  ["a key twice", '{"amount":1,"amount":2}', JSON_TYPE],
  ["a key twice, written in two ways", '{"amount":1,"\\u0061mount":2}', JSON_TYPE],
  ["deep nesting", `{"metadata":${deep}}`, JSON_TYPE],
  ["__proto__", '{"__proto__":{"admin":true},"reference":"x","amount":1}', JSON_TYPE],
  ["constructor", '{"metadata":{"constructor":{"prototype":{}}}}', JSON_TYPE],
  ["huge numbers", '{"reference":"huge","amount":123456789012345678901234567890}', JSON_TYPE],
  ["infinite numbers", '{"reference":"infinite","amount":1e400}', JSON_TYPE],
  ["a lone surrogate", '{"reference":"\\ud800","amount":1}', JSON_TYPE],
  ["U+0000", '{"reference":"a\\u0000b","amount":1}', JSON_TYPE],
  [
    "wrong types everywhere",
    '{"reference":{},"amount":[],"items":{},"customer":1,"metadata":"x","method":7,"url":[],"events":{},"credentials":[]}',
    JSON_TYPE,
  ],
  ["over 1 MiB", `{"reference":"${"x".repeat(1024 * 1024)}"}`, JSON_TYPE],
  ["a form", "a=1", { "content-type": "application/x-www-form-urlencoded" }],
  ["a content type that is none", "{}", { "content-type": ";;" }],
  ["another charset", Buffer.from("{}", "utf16le"), { "content-type": "application/json; charset=utf-16" }],
  ["a content length that lies", "{}", { ...JSON_TYPE, "content-length": "999" }],
];

describe("every route that takes a body answers hostile ones with a problem of the caller's, never with one of ours", () => {
  test.each(HOSTILE)("%s", async (_what, body, headers) => {
    expect(routes.length).toBeGreaterThan(15);
    let key = 0;
    for (const { method, url } of routes) {
      const answer = await api.call(method, url, { body, headers, once: `hostile-${(key += 1)}` });
      expect([url, answer.statusCode < 500]).toEqual([url, true]);
      if (answer.statusCode >= 400)
        expect(answer.json()).toMatchObject({ status: answer.statusCode, code: expect.any(String), request_id: expect.any(String) });
    }
  });

  test("the prototype of all objects is as it was", () => {
    expect(({} as { admin?: unknown }).admin).toBeUndefined();
  });
});

describe("hostile requests", () => {
  test.each([
    ["malformed_json", 400, "{", {}],
    ["malformed_json", 400, '{"a":1,"a":1}', {}],
    ["payload_too_large", 413, `"${"x".repeat(1024 * 1024)}"`, {}],
    ["unsupported_media_type", 415, "a", { "content-type": "text/plain" }],
  ])("%s %i", async (code, status, body, headers) => {
    const answer = await api.call("POST", "/v1/orders", { body, once: "x", headers });
    expect(answer.json()).toMatchObject({ code, status });
  });

  test.each([
    "/v1/orders/%00",
    "/v1/orders/%ff",
    "/v1/orders/..%2f..%2fetc",
    `/v1/orders/${"x".repeat(300)}`,
    "/v1/notifications/ntf_zzzzzzzzzzzzzzzzzzzzzz",
    "/pay/%00/state",
    "/nowhere",
  ])("no route or no such thing: %s", async (url) => {
    const answer = await api.call("GET", url);
    expect([400, 404]).toContain(answer.statusCode);
    expect(answer.json()).toMatchObject({ status: answer.statusCode });
  });

  test("405 names the methods that are allowed", async () => {
    const answer = await api.call("PUT", "/v1/orders");
    expect(answer.json()).toMatchObject({ status: 405, code: "method_not_allowed" });
    expect(answer.headers["allow"]).toBe("POST, GET");
  });
});
