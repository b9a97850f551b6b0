import { createHmac } from "node:crypto";
import type { Random } from "@lunas/domain";

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
  return secrets
    .map((secret) => {
      const key = Buffer.from(secret.startsWith(PREFIX) ? secret.slice(PREFIX.length) : secret, "base64");
      return `v1,${createHmac("sha256", key).update(`${id}.${timestamp_s}.`).update(body).digest("base64")}`;
    })
    .join(" ");
}
