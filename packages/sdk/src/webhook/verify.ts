import type { LunasEvent } from "../types/events.ts";
import { headerValues, type WebhookHeaders } from "./headers.ts";
import { encodeBase64, secretBytes } from "./secret.ts";
import { hmacSha256 } from "./sha256.ts";

export type WebhookProblem =
  /** One of the three headers is absent, empty or there twice. */
  | "missing_header"
  /** `webhook-timestamp` is not a whole number of seconds. */
  | "invalid_timestamp"
  /** Signed longer ago than the tolerance: a replay, or this machine's clock is wrong. */
  | "too_old"
  /** Signed in the future. */
  | "too_new"
  /** No signature is one of ours: forged, changed on the way, or the secret is another endpoint's. */
  | "no_matching_signature"
  /** Signed by us and yet not JSON: the body is not the raw one. */
  | "invalid_body";

/** A webhook that must not be believed. Answer it with 401 and change nothing. */
export class WebhookVerificationError extends Error {
  override readonly name = "WebhookVerificationError";
  readonly code: WebhookProblem;

  constructor(code: WebhookProblem, message: string) {
    super(message);
    this.code = code;
  }
}

export interface VerifyOptions {
  /** Seconds between the signature and now, in both directions; the default is 300. */
  toleranceS?: number;
  /** Now, in milliseconds since 1970: for tests. */
  now?: number;
}

const DEFAULT_TOLERANCE_S = 300;
const encoder = new TextEncoder();

/** `v1,<base64>` over the bytes as they are. */
export function signature(secret: Uint8Array, id: string, timestamp: string, body: Uint8Array): string {
  return `v1,${encodeBase64(hmacSha256(secret, encoder.encode(`${id}.${timestamp}.`), body))}`;
}

/** Takes the same time wherever the two differ. Their length is no secret. */
function sameText(one: string, other: string): boolean {
  if (one.length !== other.length) return false;
  let difference = 0;
  for (let i = 0; i < one.length; i += 1) difference |= one.charCodeAt(i) ^ other.charCodeAt(i);
  return difference === 0;
}

function onlyValue(headers: WebhookHeaders, name: string): string {
  const values = headerValues(headers, name);
  if (values.length !== 1 || !values[0]) throw new WebhookVerificationError("missing_header", `The header ${name} must be there exactly once.`);
  return values[0];
}

function checkTime(timestamp: string, options: VerifyOptions): void {
  if (!/^\d{1,12}$/.test(timestamp)) throw new WebhookVerificationError("invalid_timestamp", "webhook-timestamp is not a whole number of seconds.");
  const age_s = Math.floor((options.now ?? Date.now()) / 1000) - Number(timestamp);
  const tolerance_s = options.toleranceS ?? DEFAULT_TOLERANCE_S;
  if (age_s > tolerance_s) throw new WebhookVerificationError("too_old", `Signed ${age_s} s ago, more than ${tolerance_s} s.`);
  if (-age_s > tolerance_s) throw new WebhookVerificationError("too_new", `Signed ${-age_s} s in the future, more than ${tolerance_s} s.`);
}

/**
 * Proves that a webhook came from the hub, and gives back its event. Synchronous, and safe to `await`.
 *
 * @param rawBody the body exactly as it arrived, before any JSON parsing. Bytes are best; a string stands for its UTF-8.
 * @param headers with `webhook-id`, `webhook-timestamp` and `webhook-signature` (Standard Webhooks).
 * @param secret the endpoint's `whsec_…`, or several of them while it is being rotated.
 * @throws WebhookVerificationError with a `code`; answer 401.
 * @throws TypeError where the secret itself or the body's type is a mistake of the program; let it become a 500, so that the hub repeats.
 *
 * ```ts
 * app.post("/lunas", express.raw({ type: "*" + "/*" }), (req, res) => {
 *   const event = verifyWebhook(req.body, req.headers, process.env.LUNAS_WEBHOOK_SECRET!);
 *   if (event.type === "order.paid") markPaid(event.id, event.data.order.reference);
 *   res.sendStatus(204);
 * });
 * ```
 *
 * A valid webhook may still arrive twice or late: remember `event.id`, and compare `event.sequence` within one subject.
 */
export function verifyWebhook(
  rawBody: string | Uint8Array,
  headers: WebhookHeaders,
  secret: string | readonly string[],
  options: VerifyOptions = {},
): LunasEvent {
  if (typeof rawBody !== "string" && !(rawBody instanceof Uint8Array)) {
    throw new TypeError("verifyWebhook needs the raw body (a string or bytes), not what a JSON parser made of it.");
  }
  const secrets = (typeof secret === "string" ? [secret] : secret).map(secretBytes);
  if (secrets.length === 0) throw new TypeError("The webhook secret is missing. Give the whsec_… of the endpoint.");
  const body = typeof rawBody === "string" ? encoder.encode(rawBody) : rawBody;

  const id = onlyValue(headers, "webhook-id");
  const timestamp = onlyValue(headers, "webhook-timestamp");
  const given = headerValues(headers, "webhook-signature").join(" ").split(" ").filter(Boolean);
  if (given.length === 0) throw new WebhookVerificationError("missing_header", "The header webhook-signature is missing.");
  checkTime(timestamp, options);

  let matches = 0;
  // All pairs are compared, so that the time taken says nothing of which one matched.
  for (const bytes of secrets) {
    const expected = signature(bytes, id, timestamp, body);
    for (const candidate of given) matches += sameText(candidate, expected) ? 1 : 0;
  }
  if (matches === 0) throw new WebhookVerificationError("no_matching_signature", "No signature of the webhook matches.");

  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body)) as LunasEvent;
  } catch {
    throw new WebhookVerificationError("invalid_body", "The body is signed but is not JSON.");
  }
}
