import { createHmac, createSecretKey, type KeyObject } from "node:crypto";
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
  const head = `${id}.${timestamp_s}.`;
  return secrets.map((secret) => `v1,${createHmac("sha256", keyOf(secret)).update(head).update(body).digest("base64")}`).join(" ");
}

export function hmacSha256(key: Uint8Array | KeyObject, ...parts: readonly Uint8Array[]): Buffer {
  const hmac = createHmac("sha256", key);
  for (const part of parts) hmac.update(part);
  return hmac.digest();
}

const KEYS_KEPT = 1_000;
const keys = new Map<string, KeyObject>();

/** A key that is ready for use is half the work of a short signature. */
function keyOf(secret: string): KeyObject {
  let key = keys.get(secret);
  if (!key) {
    key = createSecretKey(secret.startsWith(PREFIX) ? secret.slice(PREFIX.length) : secret, "base64");
    if (keys.size >= KEYS_KEPT) keys.clear();
    keys.set(secret, key);
  }
  return key;
}
