import type { Exchange, GatewayContext, HttpResult, Outcome, Refusal } from "@lunas/domain";
import { addresses, type MidtransConfig } from "./config.ts";
import { judgeCore, judgeSnap, type CoreReply, type Received, type SnapReply } from "./reply.ts";

/** Official clients wait from 80 s to forever (midtrans.md §1); a buyer does not. Whatever took longer is asked about. */
export const CALL_TIMEOUT_MS = 20_000;
const ANSWER_MAX_BYTES = 64 * 1024;
const RETRY_AFTER_MAX_S = 86_400;

/** One operation of the gateway: its calls, the exchanges they leave, and the outcome they come to. */
export class Session {
  readonly exchanges: Exchange[] = [];
  readonly context: GatewayContext<MidtransConfig>;
  readonly #authorization: string;

  constructor(context: GatewayContext<MidtransConfig>) {
    this.context = context;
    this.#authorization = `Basic ${Buffer.from(`${context.config.server_key}:`).toString("base64")}`;
  }

  /** Calls the Core API. `path` begins with a slash, ids in it encoded. */
  async core(method: "GET" | "POST", path: string, body?: unknown, idempotency_key?: string): Promise<CoreReply> {
    const received = await this.#call(method, addresses(this.context.config).core + path, body, idempotency_key);
    return typeof received === "string" ? { kind: "unknown", reason: received } : judgeCore(received);
  }

  /** Calls the Snap backend. */
  async snap(path: string, body: unknown): Promise<SnapReply> {
    const received = await this.#call("POST", addresses(this.context.config).snap + path, body);
    return typeof received === "string" ? { kind: "unknown", reason: received } : judgeSnap(received);
  }

  did<T>(value: T): Outcome<T> {
    return { certainty: "did", value, exchanges: this.exchanges };
  }

  didNot<T>(refusal: Refusal): Outcome<T> {
    return { certainty: "did_not", refusal, exchanges: this.exchanges };
  }

  unknown<T>(reason: string): Outcome<T> {
    return { certainty: "unknown", reason, exchanges: this.exchanges };
  }

  async #call(method: "GET" | "POST", url: string, body: unknown, idempotency_key?: string): Promise<Received | string> {
    const request_body = body === undefined ? undefined : JSON.stringify(body);
    const asked_at = this.context.business.now();
    const result = await this.context.http({
      method,
      url,
      headers: {
        accept: "application/json",
        authorization: this.#authorization,
        ...(request_body === undefined ? {} : { "content-type": "application/json" }),
        ...(idempotency_key === undefined ? {} : { "idempotency-key": idempotency_key }),
      },
      ...(request_body === undefined ? {} : { body: request_body }),
      timeout_ms: CALL_TIMEOUT_MS,
      max_bytes: ANSWER_MAX_BYTES,
    });
    const asked = { method, url, ...(request_body === undefined ? {} : { request_body }), asked_at, elapsed_ms: result.elapsed_ms };
    if (!result.ok) {
      this.exchanges.push({ ...asked, fault: this.#clean(`${result.fault}: ${result.message}`) });
      return `no answer (${result.fault})`;
    }
    this.exchanges.push({ ...asked, status: result.status, response_body: this.#clean(Buffer.from(result.body).toString("utf8")) });
    return this.#received(result);
  }

  #received(result: Extract<HttpResult, { ok: true }>): Received {
    const json = jsonObject(result.body);
    const retry_after_s = retryAfter(result.headers["retry-after"], this.context.wall.now());
    return { http: result.status, ...(json ? { json } : {}), ...(retry_after_s === undefined ? {} : { retry_after_s }) };
  }

  /** A proxy may echo what it was sent; the record must not keep it. */
  #clean(text: string): string {
    return text.replaceAll(this.#authorization.slice("Basic ".length), "[redacted]").replaceAll(this.context.config.server_key, "[redacted]");
  }
}

function jsonObject(bytes: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Readonly<Record<string, unknown>>) : undefined;
  } catch {
    return undefined;
  }
}

/** `Retry-After` as seconds or as a date, in seconds from now. */
function retryAfter(value: string | undefined, now_ms: number): number | undefined {
  if (value === undefined) return undefined;
  const seconds = /^\d{1,9}$/.test(value.trim()) ? Number(value) : Math.ceil((Date.parse(value) - now_ms) / 1000);
  return Number.isFinite(seconds) ? Math.min(Math.max(seconds, 0), RETRY_AFTER_MAX_S) : undefined;
}
