import { HOUR_MS, type HttpResult, SECOND_MS } from "@lunas/domain";

/** Bytes of an answer that are read, and that are kept in the attempt log. */
export const RESPONSE_READ_MAX = 64 * 1024;
export const RESPONSE_KEPT_MAX = 16 * 1024;
const RETRY_AFTER_MAX_MS = 24 * HOUR_MS;
/** After too many requests or a time-out, never sooner than this. */
const SLOW_DOWN_MS = 60 * SECOND_MS;

/** Whose fault a failed attempt was. Only `internal` is ours and concerns the operator. */
export type AttemptFault = "dns" | "connect" | "tls" | "timeout" | "http" | "blocked" | "config" | "internal";

export interface Classified {
  readonly verdict: "delivered" | "retry" | "gone";
  readonly status: number | null;
  readonly fault: AttemptFault | null;
  readonly response_body: string | null;
  /** The receiver asked for this wait, or the kind of failure does. */
  readonly min_gap_ms: number;
}

/** Reads what an attempt came to. Success is a 2xx and nothing else; 410 ends it; everything else is tried again. */
export function classify(result: HttpResult, wall_ms: number): Classified {
  if (!result.ok) {
    const fault: AttemptFault = result.fault === "reset" ? "connect" : result.fault === "too_large" ? "http" : result.fault;
    return { verdict: "retry", status: null, fault, response_body: result.message.slice(0, RESPONSE_KEPT_MAX), min_gap_ms: fault === "timeout" ? SLOW_DOWN_MS : 0 };
  }
  const response_body = text(result.body);
  const { status } = result;
  if (status >= 200 && status < 300) return { verdict: "delivered", status, fault: null, response_body, min_gap_ms: 0 };
  if (status === 410) return { verdict: "gone", status, fault: "http", response_body, min_gap_ms: 0 };
  const asked = retryAfter(result.headers["retry-after"], wall_ms);
  return { verdict: "retry", status, fault: "http", response_body, min_gap_ms: Math.max(asked, status === 429 ? SLOW_DOWN_MS : 0) };
}

/** `Retry-After` in seconds or as a date, at most a day. Nonsense is as good as nothing. */
export function retryAfter(value: string | undefined, wall_ms: number): number {
  if (value === undefined) return 0;
  const seconds = /^\d{1,9}$/.test(value.trim()) ? Number(value.trim()) * SECOND_MS : Date.parse(value) - wall_ms;
  return Number.isFinite(seconds) ? Math.min(Math.max(seconds, 0), RETRY_AFTER_MAX_MS) : 0;
}

function text(body: Uint8Array): string {
  // PostgreSQL takes no NUL in a text.
  return new TextDecoder("utf-8", { fatal: false }).decode(body.subarray(0, RESPONSE_KEPT_MAX)).replaceAll("\u0000", "\uFFFD");
}
