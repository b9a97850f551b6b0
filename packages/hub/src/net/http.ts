import { type Http, type HttpFault, type HttpRequest, type HttpResult, invariant } from "@lunas/domain";
import { Agent } from "undici";
import { inTransactionScope } from "../store/transaction-scope.ts";
import { BlockedError, guardedConnector, type Resolver } from "./guard.ts";
import { parseCidr } from "./ranges.ts";

const BYTES_MAX = 1024 * 1024;
/** Connections to one origin at most. */
const CONNECTIONS_MAX = 64;
const KEEP_ALIVE_MS = 10_000;

export interface GuardedHttpOptions {
  /** CIDR ranges that are open although the guard forbids them. */
  readonly allow: readonly string[];
  readonly resolver?: Resolver;
}

/**
 * The hub's way out: every address is checked where the connection is made, redirects are not followed, proxies of the environment
 * are not used, and nothing is thrown: what went wrong is a value. No database transaction may be open while it calls.
 */
export function guardedHttp(options: GuardedHttpOptions): Http {
  const connect = guardedConnector(options.allow.map(parseCidr), options.resolver);
  const agent = new Agent({ connect, connections: CONNECTIONS_MAX, pipelining: 1, keepAliveTimeout: KEEP_ALIVE_MS, maxRedirections: 0 } as Agent.Options);
  return async (request) => {
    invariant(!inTransactionScope(), "the network was used while a database transaction was open");
    const began = performance.now();
    try {
      return await send(agent, request, began);
    } catch (error) {
      return { ok: false, fault: faultOf(error), message: error instanceof Error ? messageOf(error) : String(error), elapsed_ms: performance.now() - began };
    }
  };
}

async function send(agent: Agent, request: HttpRequest, began: number): Promise<HttpResult> {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(new TimeoutError(request.timeout_ms)), request.timeout_ms);
  try {
    const url = new URL(request.url);
    const answer = await agent.request({
      origin: url.origin, path: url.pathname + url.search, method: request.method, headers: request.headers, body: request.body ?? null, signal: abort.signal,
      headersTimeout: request.timeout_ms, bodyTimeout: request.timeout_ms,
    });
    const body = await readBody(answer.body, request.max_bytes ?? BYTES_MAX, request.truncate === true);
    const elapsed_ms = performance.now() - began;
    if (body === undefined) return { ok: false, fault: "too_large", message: `the answer is larger than ${request.max_bytes ?? BYTES_MAX} bytes`, elapsed_ms };
    return { ok: true, status: answer.statusCode, headers: flatten(answer.headers), body, elapsed_ms };
  } finally {
    clearTimeout(timer);
  }
}

type AnswerBody = Awaited<ReturnType<Agent["request"]>>["body"];

async function readBody(stream: AnswerBody, max_bytes: number, truncate: boolean): Promise<Uint8Array | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    size += chunk.length;
    chunks.push(chunk);
    if (size > max_bytes) {
      // Leaving the loop destroys the stream: the rest is never read.
      return truncate ? Buffer.concat(chunks).subarray(0, max_bytes) : undefined;
    }
  }
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
}

function flatten(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  const flat: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) if (value !== undefined) flat[name.toLowerCase()] = Array.isArray(value) ? value.join(", ") : value;
  return flat;
}

class TimeoutError extends Error {
  override name = "TimeoutError";
  constructor(timeout_ms: number) {
    super(`no whole answer within ${timeout_ms} ms`);
  }
}

/** Whose fault it was, from the words of Node and undici. */
export function faultOf(error: unknown): HttpFault {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof BlockedError) return "blocked";
    if (cause.name === "TimeoutError") return "timeout";
    const code = String((cause as { code?: unknown }).code ?? "");
    if (/^(ENOTFOUND|EAI_|ENODATA|ESERVFAIL)/.test(code)) return "dns";
    if (/^(ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL|ECONNABORTED|UND_ERR_CONNECT_TIMEOUT)$/.test(code)) return "connect";
    if (/^(UND_ERR_(HEADERS|BODY)_TIMEOUT|ETIMEDOUT|UND_ERR_ABORTED)$/.test(code)) return "timeout";
    if (/^(CERT_|ERR_TLS|ERR_SSL|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|EPROTO|HOSTNAME_MISMATCH)/.test(code)) return "tls";
    if (/^(ECONNRESET|EPIPE|UND_ERR_SOCKET|UND_ERR_RES_|HPE_)/.test(code)) return "reset";
    if (/^ERR_INVALID_URL|UND_ERR_INVALID_ARG/.test(code)) return "internal";
  }
  return "internal";
}

function messageOf(error: Error): string {
  return error.message === "" ? error.name : error.message;
}
