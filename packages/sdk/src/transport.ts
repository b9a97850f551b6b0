import { LunasError, problemError } from "./errors.ts";

/** What the client needs of `fetch`; the global one fits, and so does a test's own. */
export type FetchLike = (
  url: string,
  init: { method: string; headers: Record<string, string>; body?: string; signal: AbortSignal; redirect: "manual" },
) => Promise<{ status: number; headers: { get(name: string): string | null }; text(): Promise<string> }>;

export interface TransportConfig {
  apiKey: string;
  baseUrl: string;
  fetch: FetchLike;
  /** Of one try, in milliseconds. */
  timeoutMs: number;
  /** Tries after the first. */
  maxRetries: number;
  /** Waits; ends early, by throwing, when the signal is aborted. */
  sleep: (ms: number, signal: AbortSignal | undefined) => Promise<void>;
  /** Uniform in [0, 1). */
  random: () => number;
}

export interface Call {
  method: "GET" | "POST" | "PATCH" | "DELETE";
  /** Path below the base URL, with its ids already encoded. */
  path: string;
  query?: Readonly<Record<string, string | number | undefined>>;
  body?: unknown;
  idempotencyKey?: string;
  /** Doing it twice is the same as doing it once. Otherwise it is repeated only after an answer that says that nothing was done. */
  repeatable: boolean;
  signal?: AbortSignal;
}

/** Waits before the second, third, … try. */
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 8_000;

/** A hub that asks for a longer pause than this gets the caller to decide: the error carries `retryAfterS`. */
const LONGEST_RETRY_AFTER_MS = 30_000;

const REPEATED_STATUSES: ReadonlySet<number> = new Set([429, 502, 503, 504]);

export const sleep: TransportConfig["sleep"] = (ms, signal) =>
  new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, ms);
    signal?.addEventListener("abort", stop, { once: true });
  });

/** `Retry-After` in seconds, from a number or an HTTP date. */
export function retryAfterSeconds(value: string | null, now: number): number | undefined {
  if (value === null) return undefined;
  if (/^\s*\d+\s*$/.test(value)) return Number(value);
  const at = Date.parse(value);
  return Number.isNaN(at) ? undefined : Math.max(0, Math.ceil((at - now) / 1000));
}

function urlOf(config: TransportConfig, call: Call): string {
  const url = new URL(config.baseUrl.replace(/\/+$/, "") + call.path);
  for (const [name, value] of Object.entries(call.query ?? {})) {
    if (value !== undefined) url.searchParams.set(name, String(value));
  }
  return url.href;
}

/** One try: the answer's JSON, or a LunasError. */
async function tryOnce(config: TransportConfig, call: Call, url: string, body: string | undefined): Promise<unknown> {
  const name = `${call.method} ${call.path}`;
  const headers: Record<string, string> = { accept: "application/json", authorization: `Bearer ${config.apiKey}` };
  if (body !== undefined) headers["content-type"] = "application/json";
  if (call.idempotencyKey !== undefined) headers["idempotency-key"] = call.idempotencyKey;

  const timeout = AbortSignal.timeout(config.timeoutMs);
  const signal = call.signal ? AbortSignal.any([call.signal, timeout]) : timeout;
  let status: number;
  let text: string;
  let retryAfterS: number | undefined;
  try {
    // A hub never redirects its API, and a key must not follow a redirect to somewhere else.
    const response = await config.fetch(url, { method: call.method, headers, body, signal, redirect: "manual" });
    status = response.status;
    retryAfterS = retryAfterSeconds(response.headers.get("retry-after"), Date.now());
    text = await response.text();
  } catch (cause) {
    if (call.signal?.aborted) throw new LunasError({ code: "aborted", message: `${name}: called off`, cause });
    if (timeout.aborted) throw new LunasError({ code: "timeout", message: `${name}: no answer within ${config.timeoutMs} ms`, cause });
    throw new LunasError({ code: "unreachable", message: `${name}: the hub at ${config.baseUrl} cannot be reached`, cause });
  }
  if (status < 200 || status > 299) throw problemError(status, text, retryAfterS, name);
  if (status === 204 || text === "") return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new LunasError({ code: "unreadable_answer", message: `${name}: ${status} with a body that is not JSON`, status, cause });
  }
}

/** Whether the same call may succeed when it is made again, and without doing twice what must be done once. */
function worthRepeating(error: LunasError, call: Call): boolean {
  if (error.code === "aborted") return false;
  if (error.status === 429 || error.code === "idempotency_running") return true;
  if (!call.repeatable) return false;
  return error.status === undefined || REPEATED_STATUSES.has(error.status);
}

function waitMs(config: TransportConfig, error: LunasError, tries: number): number {
  const backoff = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (tries - 1));
  // Half of it is random, so that many clients do not come back at the same moment.
  const jittered = backoff / 2 + (backoff / 2) * config.random();
  return Math.max(jittered, (error.retryAfterS ?? 0) * 1000);
}

/**
 * Makes a call and repeats it, with the same bytes and the same Idempotency-Key, while that is safe and may help.
 * @throws LunasError, and nothing else.
 */
export async function send(config: TransportConfig, call: Call): Promise<unknown> {
  const url = urlOf(config, call);
  const body = call.body === undefined ? undefined : JSON.stringify(call.body);
  for (let tries = 1; ; tries += 1) {
    try {
      return await tryOnce(config, call, url, body);
    } catch (error) {
      if (!(error instanceof LunasError) || tries > config.maxRetries || !worthRepeating(error, call)) throw error;
      const wait_ms = waitMs(config, error, tries);
      if (wait_ms > LONGEST_RETRY_AFTER_MS) throw error;
      await config.sleep(wait_ms, call.signal).catch((cause: unknown) => {
        throw new LunasError({ code: "aborted", message: `${call.method} ${call.path}: called off`, cause });
      });
    }
  }
}
