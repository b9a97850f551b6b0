import type { LightMyRequestResponse } from "fastify";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { COMMANDS } from "../cli/commands.ts";
import { operatorRoutes, operatorToken } from "../cli/operator-routes.ts";
import { ENGINES, testStore } from "../testing/drive.ts";
import type { OpenApiDocument } from "./openapi.ts";
import { makeTestApi, type TestApi } from "./testing.ts";

type Method = "GET" | "POST" | "PATCH" | "DELETE";
interface Target {
  readonly method: Method;
  readonly url: string;
  /** Of whoever may call it. */
  readonly key?: string;
}

/** Every route of the document and of the operator, on real things of the shop, by what they do. */
async function targetsOf(api: TestApi): Promise<Target[]> {
  const document = (await api.call("GET", "/openapi.json", { key: null })).json<OpenApiDocument>();
  const order = await api.order();
  const payment = await api.payment(order.id);
  const endpoint = (await api.call("POST", "/v1/endpoints", { body: { url: "https://shop.example/hook" } })).json<{ id: string }>();
  const token = order.checkout_url.split("/").at(-1)!;
  const ids: Record<string, string> = { orders: order.id, payments: payment.id, endpoints: endpoint.id, accounts: api.account_id };
  const public_ = Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((verb) => ({
      method: verb.toUpperCase() as Method,
      url: path.replace("{token}", token).replace("{id}", ids[path.split("/")[2]!] ?? "evt_0000000000000000000000"),
    })),
  );
  const names = [...Object.keys(COMMANDS), "__proto__", "constructor", "toString", "hasOwnProperty", "%00", "no-such-command"];
  const key = operatorToken(api.hub);
  return [...public_, ...names.map((name) => ({ method: "POST" as const, url: `/_operator/${name}`, key }))];
}

async function start(engine: (typeof ENGINES)[number]): Promise<TestApi> {
  const store = await testStore(engine);
  const made = await makeTestApi({ store });
  await made.api.register(operatorRoutes({ ...made.hub, checkEndpointUrl: () => undefined }));
  const close = async (): Promise<void> => {
    await made.close();
    await store.close();
  };
  return { ...made, close };
}

/** Of the caller's making, and told as a problem. */
function mustBeTheirs(url: string, answer: LightMyRequestResponse): void {
  expect([url, answer.statusCode < 500, answer.body.slice(0, 300)]).toEqual([url, true, expect.any(String)]);
  if (answer.statusCode >= 400)
    expect([url, answer.json()]).toEqual([
      url,
      expect.objectContaining({ status: answer.statusCode, code: expect.any(String), request_id: expect.any(String) }),
    ]);
}

const deep = (levels: number): string => "[".repeat(levels) + "]".repeat(levels);
const JSON_TYPE = { "content-type": "application/json" };

const HOSTILE: readonly [string, string | Buffer | undefined, Record<string, string>][] = [
  ["no body and no type", undefined, {}],
  ["a type and no body", undefined, JSON_TYPE],
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
  ["deep nesting", `{"metadata":${deep(100)}}`, JSON_TYPE],
  ["ten thousand levels", deep(10_000), JSON_TYPE],
  ["ten thousand levels of objects", `${'{"metadata":'.repeat(10_000)}1${"}".repeat(10_000)}`, JSON_TYPE],
  ["ten thousand levels in one field", `{"metadata":${deep(10_000)},"reference":"deep","amount":1}`, JSON_TYPE],
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

const QUERIES = [
  "limit=-1",
  "limit=1e9",
  "limit=NaN",
  "limit=1&limit=2",
  "limit[]=1",
  "limit=",
  "cursor=",
  "cursor=%00",
  "cursor=%ff",
  "cursor=b3JkX3h4eA",
  `cursor=${Buffer.from("ord_zzzzzzzzzzzzzzzzzzzzzz").toString("base64url")}`,
  `cursor=${"A".repeat(5_000)}`,
  "cursor=a&cursor=b",
  "__proto__=1",
  "__proto__[limit]=1",
  "constructor=1",
  "reference=%00",
  "reference=a%00b",
  "reference=%ED%A0%80",
  "reference=' OR 1=1 --",
  "order_id=%00",
  "payment_id=%00",
  "endpoint_id=%00",
  "event_id=%00",
  "subject_id=%00",
  "account=%00",
  "status=%00",
  "payment_status=paid&payment_status=paid",
  "status[$ne]=x",
  "type[]=order.paid",
  "verdict=true",
  "%",
  "%zz=1",
  "&&&=&",
  `${"a=1&".repeat(2_000)}`,
];
const IDS = [
  "%00",
  "a%00b",
  "%ff",
  "%ED%A0%80",
  "__proto__",
  "constructor",
  "..%2f..%2fetc",
  "x".repeat(190),
  "'%20OR%201=1--",
  "%F0%9F%92%B8",
  "ord_%00zzzzzzzzzzzzzzzzzzzz",
];

describe.each(ENGINES)("every route, on %s, answers what is hostile with a problem of the caller's, never with one of ours", (engine) => {
  let api: TestApi;
  let targets: Target[];
  let count = 0;
  const call = ({ method, url, key }: Target, more: Parameters<TestApi["call"]>[2] = {}) =>
    api.call(method, url, { ...(key === undefined ? {} : { key }), once: `hostile-${(count += 1)}`, ...more });
  beforeAll(async () => {
    api = await start(engine);
    targets = await targetsOf(api);
  });
  afterAll(() => api.close());

  test.each(HOSTILE)("a body of %s", async (_what, body, headers) => {
    const taking = targets.filter(({ method }) => method === "POST" || method === "PATCH");
    expect(taking.length).toBeGreaterThan(30);
    for (const target of taking) mustBeTheirs(target.url, await call(target, { body, headers }));
  });

  test("a query of any kind", async () => {
    const reading = targets.filter(({ method }) => method === "GET");
    expect(reading.length).toBeGreaterThan(15);
    for (const target of reading) {
      for (const query of QUERIES) {
        const url = `${target.url}?${query}`;
        mustBeTheirs(url, await call({ ...target, url }));
      }
    }
  });

  test("an id of any kind, on GET, POST, PATCH and DELETE", async () => {
    const paths = (await api.call("GET", "/openapi.json", { key: null })).json<OpenApiDocument>().paths;
    for (const [path, operations] of Object.entries(paths).filter(([one]) => one.includes("{"))) {
      for (const verb of Object.keys(operations)) {
        for (const id of IDS) {
          const target = { method: verb.toUpperCase() as Method, url: path.replace(/\{\w+\}/g, id) };
          mustBeTheirs(target.url, await call(target, verb === "get" || verb === "delete" ? {} : { body: {} }));
        }
      }
    }
  });

  test("a body where none belongs: on GET and DELETE", async () => {
    // Last, for it deletes what the others ask about.
    const bodiless = targets.filter(({ method }) => method === "GET" || method === "DELETE");
    for (const [, body, headers] of HOSTILE) for (const target of bodiless) mustBeTheirs(target.url, await call(target, { body, headers }));
  });

  test("and nothing was paid, refunded or invented by it, and the prototype of all objects is as it was", async () => {
    const rows = await api.store.read(async (db) => ({
      payments: await db.selectFrom("payments").select("status").where("collected", ">", 0n).execute(),
      refunds: await db.selectFrom("refunds").select("id").execute(),
    }));
    expect(rows).toEqual({ payments: [], refunds: [] });
    expect(({} as { admin?: unknown }).admin).toBeUndefined();
    expect((await api.order({ reference: "AFTER" }))["payment_status"]).toBe("unpaid");
  });
});

describe("the operator's commands", () => {
  test.each(["__proto__", "constructor", "toString", "hasOwnProperty", "valueOf", "nothing"])("404 for %s, which is none of them", async (name) => {
    const api = await start("sqlite");
    const answer = await api.call("POST", `/_operator/${name}`, { key: operatorToken(api.hub), body: {} });
    expect(answer.json()).toMatchObject({ status: 404, code: "not_found" });
    await api.close();
  });
});

describe("hostile requests", () => {
  let api: TestApi;
  beforeAll(async () => {
    api = await makeTestApi();
  });
  afterAll(() => api.close());

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
