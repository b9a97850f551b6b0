import { secretBytes } from "./secret.ts";
import { signature } from "./verify.ts";

export interface SignOptions {
  /** The event's id; the default is made of random characters. */
  id?: string;
  /** Now, in milliseconds since 1970. */
  now?: number;
}

/** The three headers of a Standard Webhooks delivery; a type alias, so that it is usable wherever a record of strings is. */
export type SignedHeaders = {
  "webhook-id": string;
  "webhook-timestamp": string;
  "webhook-signature": string;
};

/**
 * Makes the headers that the hub would send with this body: for the tests of your own webhook handler.
 * With several secrets it signs with each, as the hub does while a secret is being rotated.
 *
 * ```ts
 * const body = JSON.stringify({ id: "evt_1", type: "order.paid", … });
 * const response = await handler(new Request(url, { method: "POST", body, headers: signWebhook(body, secret) }));
 * ```
 */
export function signWebhook(rawBody: string | Uint8Array, secret: string | readonly string[], options: SignOptions = {}): SignedHeaders {
  const id = options.id ?? `evt_${crypto.randomUUID().replaceAll("-", "")}`;
  const timestamp = String(Math.floor((options.now ?? Date.now()) / 1000));
  const body = typeof rawBody === "string" ? new TextEncoder().encode(rawBody) : rawBody;
  const secrets = typeof secret === "string" ? [secret] : secret;
  return {
    "webhook-id": id,
    "webhook-timestamp": timestamp,
    "webhook-signature": secrets.map((each) => signature(secretBytes(each), id, timestamp, body)).join(" "),
  };
}
