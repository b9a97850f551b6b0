import { readFileSync } from "node:fs";
import { Writable } from "node:stream";
import { ERRORS } from "@lunas/domain";
import { Ajv2020 } from "ajv/dist/2020.js";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { makeMetrics } from "../metrics.ts";
import { type Store, StoreError } from "../store/index.ts";
import { errorsMarkdown } from "./docs/errors-markdown.ts";
import { GENERATED, openApiText } from "./generated.ts";
import type { OpenApiDocument } from "./openapi.ts";
import { buildApi } from "./server.ts";
import { makeTestApi, type TestApi } from "./testing.ts";

let api: TestApi;
beforeEach(async () => {
  api = await makeTestApi();
});
afterEach(() => api.close());

const ready = async () => ({ ok: true, problems: [] });

/** An API whose database fails in this way. */
function failing(error: Error) {
  const fail = () => Promise.reject(error);
  const store: Store = { engine: api.store.engine, read: fail, write: fail, recordNotifications: fail, close: () => Promise.resolve() };
  return buildApi({ ...api.hub, store }, { ready: async () => ({ ok: false, problems: ["migrations are missing"] }) });
}

describe("what is made from the code is up to date", () => {
  test("openapi.json; otherwise run `node packages/hub/src/api/dump-openapi.ts`", async () => {
    expect(readFileSync(GENERATED.openapi, "utf8")).toBe(await openApiText());
  });

  test("docs/errors.md; otherwise run the same", () => {
    expect(readFileSync(GENERATED.errors, "utf8")).toBe(errorsMarkdown());
  });
});

describe("the OpenAPI document", () => {
  test("names each operation once and every path parameter", async () => {
    const document = (await api.call("GET", "/openapi.json", { key: null })).json<OpenApiDocument>();
    const operations = Object.entries(document.paths).flatMap(([path, ones]) => Object.values(ones).map((one) => ({ path, one })));
    const ids = operations.map(({ one }) => one["operationId"]);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { path, one } of operations) {
      const named = (one.parameters ?? []).filter((parameter) => parameter.in === "path").map((parameter) => parameter.name);
      expect([path, named]).toEqual([path, [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1])]);
    }
  });

  test("holds for what is answered, also where the answer is kept for repetitions", async () => {
    const document = (await api.call("GET", "/openapi.json", { key: null })).json<OpenApiDocument>();
    const ajv = new Ajv2020({ strict: false });
    ajv.addSchema(document, "lunas");
    const holds = (name: string, value: unknown): void => {
      const valid = ajv.validate({ $ref: `lunas#/components/schemas/${name}` }, value);
      expect([name, valid, ajv.errors]).toEqual([name, true, null]);
    };
    const order = await api.order({ customer: { name: "Budi" }, items: [{ name: "Kopi", quantity: 1, price: 44_000 }] });
    holds("Order", order);
    for (const method of ["gopay", "qris", "bca_va", "snap"]) holds("Payment", await api.payment((await api.order()).id, method));
    const payment = await api.payment(order.id);
    api.gateway.pay(payment.provider_reference);
    await api.call("POST", `/v1/payments/${payment.id}/refresh`);
    holds("Refund", (await api.call("POST", `/v1/payments/${payment.id}/refunds`, { body: {}, once: "r" })).json());
    for (const event of (await api.call("GET", "/v1/events?limit=100")).json<{ data: unknown[] }>().data) holds("Event", event);
    holds("Problem", (await api.call("GET", "/v1/orders/x")).json());
  });
});

describe("the reference pages", () => {
  test.each(["/docs", "/docs/errors"])("%s is one page without scripts, under a policy that allows none", async (url) => {
    const page = await api.call("GET", url, { key: null });
    expect([page.statusCode, page.headers["content-type"]]).toEqual([200, "text/html; charset=utf-8"]);
    expect(page.headers["content-security-policy"]).toBe(
      "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    );
    expect(page.body).not.toMatch(/<script|style=|https?:\/\/(?!lunas)/);
  });

  test("every link within them leads to an anchor", async () => {
    const page = (await api.call("GET", "/docs", { key: null })).body;
    const anchors = new Set([...page.matchAll(/id="([^"]+)"/g)].map((match) => match[1]));
    for (const [, anchor] of page.matchAll(/href="#([^"]+)"/g)) expect(anchors).toContain(anchor);
  });

  test("every code of the catalogue has its anchor where problems point to", async () => {
    const page = (await api.call("GET", "/docs/errors", { key: null })).body;
    for (const code of Object.keys(ERRORS)) expect(page).toContain(`<section id="${code}">`);
  });
});

describe("probes", () => {
  test("healthz says that it lives, readyz what is missing", async () => {
    expect((await api.call("GET", "/healthz", { key: null })).json()).toEqual({ status: "ok" });
    expect((await api.call("GET", "/readyz", { key: null })).json()).toEqual({ status: "ok", problems: [] });
    const down = failing(new StoreError("unavailable", "down", undefined));
    const answer = await down.inject("/readyz");
    expect([answer.statusCode, answer.json()]).toEqual([503, { status: "not ready", problems: ["migrations are missing"] }]);
    await down.close();
  });

  test("metrics tell how far behind it is, in the text format, and count callbacks and requests by route", async () => {
    const metrics = makeMetrics();
    const measured = buildApi({ ...api.hub, metrics }, { ready });
    await measured.inject({ method: "POST", url: `/callbacks/${api.slug}`, payload: Buffer.from(api.gateway.callback("REF", "paid").body) });
    await measured.inject("/v1/orders/ord_secret");
    api.clock.advance(30_000);
    const answer = await measured.inject("/metrics");
    expect(answer.headers["content-type"]).toContain("text/plain");
    expect(answer.body).toContain('lunas_callbacks_total{outcome="stored",provider="fake"} 1');
    expect(answer.body).toContain("lunas_inbox_oldest_seconds 30");
    expect(answer.body).toContain("lunas_unmatched_money_open 0");
    expect(answer.body).toContain('lunas_http_request_seconds_count{method="GET",route="/v1/orders/:id",status="4xx"} 1');
    expect(answer.body).toContain("process_cpu_seconds_total");
    expect(answer.body).not.toContain("ord_secret");
    await measured.close();
  });

  test("metrics are told to whoever shows the token; without one, in production, to this machine itself and not through a proxy", async () => {
    const status = async (options: Parameters<typeof makeTestApi>[0], request: { remoteAddress?: string; headers?: Record<string, string> }) => {
      const guarded = await makeTestApi(options);
      const answer = await guarded.api.inject({ url: "/metrics", ...request });
      await guarded.close();
      if (answer.statusCode !== 200) expect(answer.json()).toMatchObject({ code: "unauthorized", status: 401 });
      return answer.statusCode;
    };
    const metricsToken = "a-token-of-prometheus";
    for (const mode of ["development", "production"] as const) {
      expect(await status({ mode, metricsToken }, {})).toBe(401);
      expect(await status({ mode, metricsToken }, { headers: { authorization: "Bearer another-token-of-it" } })).toBe(401);
      expect(await status({ mode, metricsToken }, { remoteAddress: "10.0.0.9", headers: { authorization: `Bearer ${metricsToken}` } })).toBe(200);
    }
    const mode = "production";
    for (const remoteAddress of ["127.0.0.1", "::1", "::ffff:127.0.0.1"]) expect(await status({ mode }, { remoteAddress })).toBe(200);
    for (const remoteAddress of ["10.0.0.9", "::ffff:10.0.0.9", "203.0.113.7"]) expect(await status({ mode }, { remoteAddress })).toBe(401);
    for (const name of ["x-forwarded-for", "forwarded", "via"]) expect(await status({ mode }, { headers: { [name]: "127.0.0.1" } })).toBe(401);
    expect(await status({ mode: "development" }, { remoteAddress: "10.0.0.9" })).toBe(200);
  });

  test("a metric that nobody listed is counted all the same", async () => {
    const metrics = makeMetrics();
    metrics.count("lunas_new_total", { a: "1" });
    metrics.count("lunas_callbacks_total", { outcome: "stored", colour: "red" });
    expect(await metrics.render([])).toContain('lunas_new_total{a="1"} 1');
  });
});

describe("errors", () => {
  test("503 unavailable, with Retry-After, while the database does not answer", async () => {
    for (const fault of ["unavailable", "full", "read_only"] as const) {
      const down = failing(new StoreError(fault, "secret detail of the driver", undefined));
      const answer = await down.inject({ url: "/v1/orders", headers: { authorization: `Bearer ${api.api_key}` } });
      expect([answer.statusCode, answer.headers["retry-after"], answer.json<{ code: string }>().code]).toEqual([503, "1", "unavailable"]);
      expect(answer.body).not.toContain("secret detail");
      await down.close();
    }
  });

  test("500 internal tells its request_id and nothing else", async () => {
    const broken = failing(new TypeError("secret detail of the code"));
    const answer = await broken.inject({ url: "/v1/orders", headers: { authorization: `Bearer ${api.api_key}` } });
    expect(answer.json()).toEqual({
      type: "/docs/errors#internal",
      title: "A mistake of ours",
      status: 500,
      code: "internal",
      request_id: answer.headers["x-request-id"],
    });
    await broken.close();
  });

  test("429 rate_limited with Retry-After; another key is not held up by it", async () => {
    const limited = await makeTestApi({ rateLimit: { api_per_minute: 2 } });
    const other = await limited.addShop("other");
    const statuses = [];
    for (let i = 0; i < 3; i += 1) statuses.push((await limited.call("GET", "/v1/orders")).statusCode);
    const answer = await limited.call("GET", "/v1/orders");
    expect(statuses).toEqual([200, 200, 429]);
    expect([answer.json<{ code: string }>().code, Number(answer.headers["retry-after"]) > 0]).toEqual(["rate_limited", true]);
    expect((await limited.call("GET", "/v1/orders", { key: other.api_key })).statusCode).toBe(200);
    await limited.close();
  });
});

describe("a guesser of keys", () => {
  const guess = (of: TestApi, key: string, remoteAddress = "203.0.113.7") =>
    of.api.inject({ url: "/v1/orders", remoteAddress, headers: { authorization: `Bearer ${key}` } });
  async function countReads(options: Parameters<typeof makeTestApi>[0]): Promise<TestApi & { reads: () => number }> {
    const made = await makeTestApi(options);
    let reads = 0;
    const { read } = made.hub.store;
    made.hub.store.read = ((work: never) => {
      reads += 1;
      return read.call(made.hub.store, work);
    }) as typeof read;
    return { ...made, reads: () => reads };
  }

  test("is stopped by address, however many keys are tried, and costs no look into the database from then on", async () => {
    const limited = await countReads({ rateLimit: { wrong_keys_per_minute: 3 } });
    for (let i = 0; i < 3; i += 1) expect((await guess(limited, `sk_test_guess${i}`)).statusCode).toBe(401);
    const before = limited.reads();
    for (let i = 0; i < 20; i += 1) {
      const answer = await guess(limited, `sk_test_other${i}`);
      expect([answer.statusCode, answer.json<{ code: string }>().code, answer.headers["retry-after"]]).toEqual([429, "rate_limited", "60"]);
    }
    // Not even the right key is found by guessing on.
    expect((await guess(limited, limited.api_key)).statusCode).toBe(429);
    expect(limited.reads()).toBe(before);
    expect((await guess(limited, limited.api_key, "203.0.113.8")).statusCode).toBe(200);
    limited.wall.advance(60_000);
    expect((await guess(limited, limited.api_key)).statusCode).toBe(200);
    await limited.close();
  });

  test("does not shut out the shop at the same address, whose key was right before", async () => {
    const limited = await makeTestApi({ rateLimit: { wrong_keys_per_minute: 1 } });
    expect((await guess(limited, limited.api_key)).statusCode).toBe(200);
    for (const status of [401, 429, 429]) expect((await guess(limited, "sk_test_wrong")).statusCode).toBe(status);
    limited.wall.advance(30_000);
    expect((await guess(limited, limited.api_key)).statusCode).toBe(200);
    await limited.close();
  });

  test("has one network of IPv6, not one address of it, and is no other by writing IPv4 in its way", async () => {
    const limited = await makeTestApi({ rateLimit: { wrong_keys_per_minute: 1 } });
    expect((await guess(limited, "sk_test_1", "2001:db8:1:2::1")).statusCode).toBe(401);
    expect((await guess(limited, "sk_test_2", "2001:db8:1:2:ffff::9")).statusCode).toBe(429);
    expect((await guess(limited, "sk_test_3", "2001:db8:1:3::1")).statusCode).toBe(401);
    expect((await guess(limited, "sk_test_4", "203.0.113.7")).statusCode).toBe(401);
    expect((await guess(limited, "sk_test_5", "::ffff:203.0.113.7")).statusCode).toBe(429);
    await limited.close();
  });
});

test("the log holds no body, secret, token, key or customer", async () => {
  const lines: string[] = [];
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      lines.push(chunk.toString());
      done();
    },
  });
  const logged = await makeTestApi({ log: pino({ level: "trace" }, stream) });
  const order = await logged.order({ customer: { name: "Budi Santoso", email: "budi@x.id" }, reference: "REF-PRIVATE" }, { once: "KEY-PRIVATE" });
  const token = order.checkout_url.split("/").at(-1)!;
  await logged.call("GET", `/pay/${token}/state?email=budi@x.id`, { key: null });
  await logged.call("POST", `/pay/${token}/payments`, { key: null, body: { method: "gopay" } });
  await logged.call("GET", `/pay/${token}/nowhere`, { key: null });
  await logged.call("POST", "/v1/orders", { body: "{broken PRIVATE-BODY", once: "KEY-PRIVATE" });
  await logged.call("POST", "/v1/accounts", { body: { provider: "fake", slug: "x1", credentials: { secret: "SECRET-PRIVATE" } } });
  await logged.api.inject({
    method: "POST",
    url: `/callbacks/${logged.slug}`,
    payload: Buffer.from(logged.gateway.callback("REF-PRIVATE", "paid").body),
  });
  await logged.close();
  const text = lines.join("");
  expect(lines.length).toBeGreaterThan(4);
  expect(text).toContain('"route":"/pay/:token/state"');
  for (const secret of [token, logged.api_key, "Budi", "budi@x.id", "PRIVATE", "fake-secret"]) expect(text).not.toContain(secret);
});
