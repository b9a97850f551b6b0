import { hash } from "node:crypto";
import { invariant, type Random } from "@lunas/domain";

const PREFIX = "whsec_";
const SECRET_BYTES = 32;

/** A new secret of an endpoint: `whsec_` and 32 random bytes in base64. */
export function makeSecret(random: Random): string {
  return PREFIX + Buffer.from(random.bytes(SECRET_BYTES)).toString("base64");
}

/**
 * `webhook-signature` of Standard Webhooks: HMAC-SHA256 over `id.timestamp.body`, in base64 after `v1,`; one for each secret,
 * so that a receiver that knows only the old or only the new one is content during a rotation.
 * @param timestamp_s wall time in seconds.
 */
export function signStandard(id: string, timestamp_s: number, body: Uint8Array, secrets: readonly string[]): string {
  invariant(secrets.length > 0, "nothing can be signed without a secret");
  const head = Buffer.from(`${id}.${timestamp_s}.`);
  return secrets.map((secret) => `v1,${hmacSha256(padsOf(secret), head, body).toString("base64")}`).join(" ");
}

/** A key as HMAC uses it (RFC 2104): before the message, and, with room for the inner digest, before that. */
export interface Pads {
  readonly inner: Buffer;
  readonly outer: Buffer;
}

const BLOCK_BYTES = 64;
const DIGEST_BYTES = 32;

/** Makes a key ready for `hmacSha256`. */
export function padKey(key: Uint8Array): Pads {
  const inner = Buffer.alloc(BLOCK_BYTES, 0x36);
  const outer = Buffer.alloc(BLOCK_BYTES + DIGEST_BYTES, 0x5c);
  const block = key.length > BLOCK_BYTES ? hash("sha256", key, "buffer") : key;
  block.forEach((byte, index) => {
    inner[index]! ^= byte;
    outer[index]! ^= byte;
  });
  return { inner, outer };
}

/** HMAC-SHA-256 by two one-shot digests: making and collecting a Hmac object costs more than a short message's signature. */
export function hmacSha256({ inner, outer }: Pads, ...parts: readonly Uint8Array[]): Buffer {
  hash("sha256", Buffer.concat([inner, ...parts]), "buffer").copy(outer, BLOCK_BYTES);
  return hash("sha256", outer, "buffer");
}

const KEYS_KEPT = 1_000;
const keys = new Map<string, Pads>();

function padsOf(secret: string): Pads {
  let pads = keys.get(secret);
  if (!pads) {
    pads = padKey(Buffer.from(secret.startsWith(PREFIX) ? secret.slice(PREFIX.length) : secret, "base64"));
    if (keys.size >= KEYS_KEPT) keys.clear();
    keys.set(secret, pads);
  }
  return pads;
}
