import { describe, expect, test } from "vitest";
import { Lunas } from "./client.ts";
import { LunasError } from "./errors.ts";
import { CALLS } from "./testing/calls.ts";
import type { FetchLike } from "./transport.ts";

interface Seen {
  method: string;
  url: string;
  headers: Record<string, string>;
  body: unknown;
}

type Scripted = { status: number; body?: unknown; headers?: Record<string, string> } | Error;

/** A hub that answers what it is told, in turn, and keeps what it was asked. The last answer is repeated. */
function scripted(...answers: Scripted[]): { lunas: Lunas; seen: Seen[]; waits: number[] } {
  const seen: Seen[] = [];
  const waits: number[] = [];
  const fetch: FetchLike = (url, init) => {
    const answer = answers[Math.min(seen.length, answers.length - 1)]!;
    seen.push({ method: init.method, url, headers: init.headers, body: init.body === undefined ? undefined : JSON.parse(init.body) });
    if (answer instanceof Error) return Promise.reject(answer);
    return Promise.resolve({
      status: answer.status,
      headers: new Headers(answer.headers),
      text: () => Promise.resolve(typeof answer.body === "string" ? answer.body : answer.body === undefined ? "" : JSON.stringify(answer.body)),
    });
  };
  const runtime = {
    sleep: (ms: number) => {
      waits.push(ms);
      return Promise.resolve();
    },
    random: () => 1,
  };
  return { lunas: new Lunas({ apiKey: "sk_test_x", baseUrl: "http://hub.test/base/", fetch, runtime }), seen, waits };
}

const problem = (status: number, code: string, more: Record<string, unknown> = {}): Scripted => ({
  status,
  body: { type: `/docs/errors#${code}`, title: code, status, code, request_id: "req_1", ...more },
  headers: { "content-type": "application/problem+json" },
});

async function errorOf(promise: PromiseLike<unknown>): Promise<LunasError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof LunasError) return error;
    throw error;
  }
  throw new Error("It did not fail.");
}

describe("every method asks what the contract says", () => {
  test.each(CALLS)("%s", async (_name, call, expected, body) => {
    const { lunas, seen } = scripted({ status: 200, body: { data: [], next_cursor: null } });
    await call(lunas);
    expect(`${seen[0]!.method} ${seen[0]!.url}`).toBe(expected.replace(" ", " http://hub.test/base"));
    expect(seen[0]!.body).toEqual(body);
    expect(seen[0]!.headers["authorization"]).toBe("Bearer sk_test_x");
  });

  test("an id cannot leave its place in the path", async () => {
    const { lunas, seen } = scripted({ status: 200, body: {} });
    await lunas.orders.get("../endpoints?x#y");
    expect(seen[0]!.url).toBe("http://hub.test/base/v1/orders/..%2Fendpoints%3Fx%23y");
    expect(() => lunas.payments.get("")).toThrow(/id is missing/);
  });
});

describe("idempotency keys", () => {
  test("one per money call, another for the next, the same through its repetitions with the same bytes", async () => {
    const { lunas, seen } = scripted(new TypeError("fetch failed"), problem(503, "unavailable"), { status: 201, body: { id: "ord_1" } });
    await lunas.orders.create({ reference: "INV-1", amount: 44000 });
    await lunas.orders.createPayment("ord_1", { method: "gopay" });
    await lunas.payments.refund("pay_1");
    const keys = seen.map((request) => request.headers["idempotency-key"]);
    expect(keys[0]).toMatch(/^[0-9a-f-]{36}$/);
    expect(keys.slice(0, 3)).toEqual([keys[0], keys[0], keys[0]]);
    expect(seen[2]!.body).toEqual(seen[0]!.body);
    expect(new Set(keys).size).toBe(3);
  });

  test("a given one is used", async () => {
    const { lunas, seen } = scripted({ status: 201, body: {} });
    await lunas.orders.create({ reference: "INV-1", amount: 1 }, { idempotencyKey: "order-1" });
    expect(seen[0]!.headers["idempotency-key"]).toBe("order-1");
  });

  test("reads and commands carry none", async () => {
    const { lunas, seen } = scripted({ status: 200, body: {} });
    await lunas.orders.get("ord_1");
    await lunas.payments.cancel("pay_1");
    expect(seen.map((request) => request.headers["idempotency-key"])).toEqual([undefined, undefined]);
  });
});

describe("repetition", () => {
  test("waits longer each time and gives the last error when the tries are used up", async () => {
    const { lunas, seen, waits } = scripted(problem(502, "gateway_unclear"));
    const error = await errorOf(lunas.orders.createPayment("ord_1", { method: "gopay" }));
    expect(error.code).toBe("gateway_unclear");
    expect(seen).toHaveLength(4);
    expect(waits).toEqual([500, 1000, 2000]);
  });

  test.each<[string, Scripted, boolean]>([
    ["429", problem(429, "rate_limited"), true],
    ["503", problem(503, "on_hold"), true],
    ["a proxy's 502 page", { status: 502, body: "<html>" }, true],
    ["409 idempotency_running", problem(409, "idempotency_running"), true],
    ["409 reference_taken", problem(409, "reference_taken"), false],
    ["422 gateway_refused", problem(422, "gateway_refused"), false],
    ["500 internal", problem(500, "internal"), false],
    ["401", problem(401, "unauthorized"), false],
  ])("after %s", async (_name, answer, repeated) => {
    const { lunas, seen } = scripted(answer, { status: 201, body: { id: "ord_1" } });
    const call = lunas.orders.create({ reference: "INV-1", amount: 1 });
    if (repeated) expect((await call).id).toBe("ord_1");
    else await errorOf(call);
    expect(seen).toHaveLength(repeated ? 2 : 1);
  });

  test("honours Retry-After in seconds", async () => {
    const { lunas, waits } = scripted(
      { ...(problem(429, "rate_limited") as object), status: 429, headers: { "retry-after": "7" } },
      { status: 200, body: {} },
    );
    await lunas.orders.get("ord_1");
    expect(waits).toEqual([7000]);
  });

  test("leaves a pause of more than 30 s to the caller", async () => {
    const { lunas, seen, waits } = scripted({ status: 503, headers: { "retry-after": "120" }, body: { code: "unavailable" } });
    const error = await errorOf(lunas.orders.get("ord_1"));
    expect(error.retryAfterS).toBe(120);
    expect([seen.length, waits.length]).toEqual([1, 0]);
  });

  test("a POST without a key is repeated only where surely nothing was done", async () => {
    const lost = scripted(new TypeError("fetch failed"), { status: 201, body: {} });
    expect((await errorOf(lost.lunas.endpoints.create({ url: "https://s.example" }))).code).toBe("unreachable");
    const limited = scripted(problem(429, "rate_limited"), { status: 201, body: { id: "end_1" } });
    expect((await limited.lunas.endpoints.create({ url: "https://s.example" })).id).toBe("end_1");
  });
});

describe("errors", () => {
  test("carry the whole problem", async () => {
    const { lunas } = scripted(
      problem(422, "refund_too_large", {
        title: "The refund is larger than what is left",
        detail: "44000 was paid",
        available: 34000,
        errors: [{ field: "amount", message: "is too large" }],
      }),
    );
    const error = await errorOf(lunas.payments.refund("pay_1", { amount: 50000 }));
    expect(error).toMatchObject({ name: "LunasError", code: "refund_too_large", status: 422, detail: "44000 was paid", requestId: "req_1" });
    expect(error.problem["available"]).toBe(34000);
    expect(error.errors).toEqual([{ field: "amount", message: "is too large" }]);
    expect(error.message).toContain("POST /v1/payments/pay_1/refunds: 422 refund_too_large");
  });

  test("never carry the key", async () => {
    const { lunas } = scripted(new TypeError("fetch failed"));
    const error = await errorOf(lunas.orders.get("ord_1"));
    expect(error.code).toBe("unreachable");
    expect(JSON.stringify(error) + error.message + String(error.stack)).not.toContain("sk_test_x");
  });

  test.each<[string, Scripted]>([
    ["a redirect", { status: 302, headers: { location: "http://elsewhere.test" } }],
    ["a page", { status: 200, body: "<html></html>" }],
    ["a problem without a code", { status: 404, body: [] }],
  ])("of %s are unreadable_answer", async (_name, answer) => {
    expect((await errorOf(scripted(answer).lunas.orders.get("ord_1"))).code).toBe("unreadable_answer");
  });

  test("an abort ends the call and its waiting", async () => {
    const controller = new AbortController();
    let tries = 0;
    const lunas = new Lunas({
      apiKey: "sk_test_x",
      baseUrl: "http://hub.test",
      fetch: () => {
        tries += 1;
        return Promise.resolve({ status: 503, headers: new Headers(), text: () => Promise.resolve("") });
      },
      // The hub is waited for with the client's own sleep, which the abort must end at once.
      runtime: { random: () => (controller.abort(), 1) },
    });
    const error = await errorOf(lunas.orders.get("ord_1", { signal: controller.signal }));
    expect([error.code, tries]).toEqual(["aborted", 1]);
  });

  test("no answer in time is timeout", async () => {
    const lunas = new Lunas({
      apiKey: "sk_test_x",
      baseUrl: "http://hub.test",
      timeoutMs: 1,
      maxRetries: 0,
      fetch: (_url, { signal }) => new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error))),
    });
    // AbortSignal.timeout does not keep a process alive by itself.
    const alive = setInterval(() => undefined, 1000);
    expect((await errorOf(lunas.orders.get("ord_1"))).code).toBe("timeout");
    clearInterval(alive);
  });

  test("a client that cannot work is refused when it is made", () => {
    expect(() => new Lunas({ apiKey: "", baseUrl: "http://hub.test" })).toThrow(/apiKey/);
    expect(() => new Lunas({ apiKey: "sk", baseUrl: "hub.test:8080" })).toThrow(/baseUrl/);
  });
});

describe("lists", () => {
  const pages: Scripted[] = [
    { status: 200, body: { data: [{ id: "ord_1" }, { id: "ord_2" }], next_cursor: "c2" } },
    { status: 200, body: { data: [], next_cursor: "c3" } },
    { status: 200, body: { data: [{ id: "ord_3" }], next_cursor: null } },
  ];

  test("iterate over all pages with the filter kept", async () => {
    const { lunas, seen } = scripted(...pages);
    const ids: string[] = [];
    for await (const order of lunas.orders.list({ payment_status: "paid" })) ids.push(order.id);
    expect(ids).toEqual(["ord_1", "ord_2", "ord_3"]);
    expect(seen.map((request) => new URL(request.url).search)).toEqual([
      "?payment_status=paid",
      "?payment_status=paid&cursor=c2",
      "?payment_status=paid&cursor=c3",
    ]);
  });

  test("awaited are one page, and nothing is asked before", async () => {
    const { lunas, seen } = scripted(...pages);
    const request = lunas.orders.list();
    expect(seen).toHaveLength(0);
    expect((await request).next_cursor).toBe("c2");
    expect(seen).toHaveLength(1);
  });

  test("stop asking when the loop is left", async () => {
    const { lunas, seen } = scripted(...pages);
    for await (const order of lunas.orders.list()) if (order.id === "ord_1") break;
    expect(seen).toHaveLength(1);
  });

  test("a hub that repeats its cursor does not make an endless loop", async () => {
    const { lunas, seen } = scripted({ status: 200, body: { data: [{ id: "ord_1" }], next_cursor: "c" } });
    let count = 0;
    for await (const order of lunas.orders.list()) count += order.id ? 1 : 0;
    expect([count, seen.length]).toEqual([2, 2]);
  });

  test("a reference that no order has is undefined", async () => {
    const { lunas } = scripted({ status: 200, body: { data: [], next_cursor: null } });
    expect(await lunas.orders.findByReference("INV-404")).toBeUndefined();
  });
});
