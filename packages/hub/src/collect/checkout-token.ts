import { createHash } from "node:crypto";
import type { Vault } from "../vault.ts";

/**
 * The token of an order's checkout page: 32 URL-safe characters that only the holder of the master key can make.
 * It is derived, so it can be shown again; only a digest of it is stored.
 */
export function checkoutToken(vault: Pick<Vault, "hmac">, order_id: string): string {
  return Buffer.from(vault.hmac("checkout-token", order_id)).subarray(0, 24).toString("base64url");
}

export function checkoutHash(token: string): Uint8Array {
  return createHash("sha256").update(token).digest().subarray(0, 16);
}
