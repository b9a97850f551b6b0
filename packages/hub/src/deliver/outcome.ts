import { DELIVERY_GAPS_MS, HOUR_MS, type HttpResult, jitter, type Random, SECOND_MS } from "@lunas/domain";

/** Bytes of an answer that are read, and that are kept in the attempt log. */
export const RESPONSE_READ_MAX = 64 * 1024;
export const RESPONSE_KEPT_MAX = 16 * 1024;
/** A receiver may ask for a longer wait than the schedule's, but a careless one does not hold up a paid order for longer than this. */
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
  /** The kind of failure asks for this wait at least. */
  readonly slow_down_ms: number;
  /** The receiver asked for this wait. */
  readonly retry_after_ms: number;
}

/** Reads what an attempt came to. Success is a 2xx and nothing else; 410 ends it; everything else is tried again. */
export function classify(result: HttpResult, wall_ms: number): Classified {
  if (!result.ok) {
    const fault: AttemptFault = result.fault === "reset" ? "connect" : result.fault === "too_large" ? "http" : result.fault;
    // A shop is not told what a name inside our network resolves to.
    const told = fault === "blocked" ? "the address is in a range that this hub does not call" : result.message;
    return {
      verdict: "retry",
      status: null,
      fault,
      response_body: kept(told),
      slow_down_ms: fault === "timeout" ? SLOW_DOWN_MS : 0,
      retry_after_ms: 0,
    };
  }
  const { status } = result;
  const response_body = kept(decode(result.body));
  if (status >= 200 && status < 300) return { verdict: "delivered", status, fault: null, response_body, slow_down_ms: 0, retry_after_ms: 0 };
  if (status === 410) return { verdict: "gone", status, fault: "http", response_body, slow_down_ms: 0, retry_after_ms: 0 };
  const retry_after_ms = retryAfter(result.headers["retry-after"], wall_ms);
  return { verdict: "retry", status, fault: "http", response_body, slow_down_ms: status === 429 ? SLOW_DOWN_MS : 0, retry_after_ms };
}

/**
 * How long after a failed attempt the next one comes, or undefined when there is none: never earlier than the schedule has it.
 * @param step attempts since the last re-arm, this one counted.
 */
export function gapAfter(step: number, seen: Pick<Classified, "slow_down_ms" | "retry_after_ms">, random: Random): number | undefined {
  const base = DELIVERY_GAPS_MS[step];
  if (base === undefined) return undefined;
  return Math.max(jitter(base, random), seen.retry_after_ms, seen.slow_down_ms);
}

/** `Retry-After` in seconds or as a date, at most a day. Nonsense is as good as nothing. */
export function retryAfter(value: string | undefined, wall_ms: number): number {
  if (value === undefined) return 0;
  const text = value.trim();
  if (/^\d+$/.test(text)) return Math.min(Number(text) * SECOND_MS, RETRY_AFTER_MAX_MS);
  // A date begins with its day's name (RFC 9110 §5.6.7); Date.parse alone would take "1.5" for a day in 2001.
  const at = /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isFinite(at) ? Math.min(Math.max(at - wall_ms, 0), RETRY_AFTER_MAX_MS) : 0;
}

/** The beginning of an answer, as far as it may be kept. A character that the limit cuts in two is left out. */
function decode(body: Uint8Array): string {
  if (body.length === 0) return "";
  if (body.length <= RESPONSE_KEPT_MAX) return new TextDecoder().decode(body);
  return new TextDecoder().decode(body.subarray(0, RESPONSE_KEPT_MAX), { stream: true });
}

/** PostgreSQL takes no NUL in a text and no half of a surrogate pair in JSON. What was no text grows when it is made one: it is cut once more. */
function kept(text: string): string {
  if (text === "") return text;
  const clean = (text.includes("\0") ? text.replaceAll("\0", "\uFFFD") : text).toWellFormed();
  const bytes = Buffer.from(clean);
  return bytes.length <= RESPONSE_KEPT_MAX ? clean : new TextDecoder().decode(bytes.subarray(0, RESPONSE_KEPT_MAX), { stream: true });
}
