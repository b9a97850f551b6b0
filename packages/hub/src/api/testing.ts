import type { FastifyInstance, LightMyRequestResponse } from "fastify";
import { makeTestHub, type TestHub, type TestHubOptions } from "../testing/make-hub.ts";
import { type ApiOptions, buildApi } from "./server.ts";

// For this room's tests: an API over a test hub, called without a socket.

export interface Call {
  readonly key?: string | null;
  readonly body?: unknown;
  /** Idempotency-Key. */
  readonly once?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface TestApi extends TestHub {
  readonly api: FastifyInstance;
  /** A request of the shop, or of whoever has `key`; null for nobody. */
  call(method: "GET" | "POST" | "PATCH" | "DELETE" | "PUT", url: string, call?: Call): Promise<LightMyRequestResponse>;
  /** An order as the API answers it. */
  order(body?: Record<string, unknown>, call?: Call): Promise<Record<string, unknown> & { id: string; checkout_url: string }>;
  payment(order_id: string, method?: string): Promise<Record<string, unknown> & { id: string; provider_reference: string }>;
}

export async function makeTestApi(options: TestHubOptions & Partial<ApiOptions> = {}): Promise<TestApi> {
  const made = await makeTestHub(options);
  const api = buildApi(made.hub, { ready: async () => ({ ok: true, problems: [] }), ...options });
  let count = 0;
  const call: TestApi["call"] = (method, url, { key = made.api_key, body, once, headers } = {}) =>
    api.inject({
      method,
      url,
      headers: {
        ...(key === null ? {} : { authorization: `Bearer ${key}` }),
        ...(once === undefined ? {} : { "idempotency-key": once }),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { payload: typeof body === "string" || Buffer.isBuffer(body) ? body : JSON.stringify(body) }),
    });
  const must = (answer: LightMyRequestResponse): never => {
    const body: unknown = answer.json();
    if (answer.statusCode !== 201) throw new Error(`${answer.statusCode} ${answer.body}`);
    return body as never;
  };
  const order: TestApi["order"] = async (body = {}, more = {}) => {
    count += 1;
    return must(await call("POST", "/v1/orders", { body: { reference: `INV-${count}`, amount: 44_000, ...body }, once: `order-${count}`, ...more }));
  };
  const payment: TestApi["payment"] = async (order_id, method = "gopay") => {
    count += 1;
    return must(await call("POST", `/v1/orders/${order_id}/payments`, { body: { method }, once: `payment-${count}` }));
  };
  const close = async (): Promise<void> => {
    await api.close();
    await made.close();
  };
  return { ...made, api, call, order, payment, close };
}
