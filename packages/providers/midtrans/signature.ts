import { hash, timingSafeEqual } from "node:crypto";

/** What the signature covers: the strings exactly as they stand in the same body. `transaction_status` is not among them. */
export interface Signed {
  readonly order_id: string;
  readonly status_code: string;
  readonly gross_amount: string;
}

/** Hex characters of a SHA-512. */
const SIGNATURE_LENGTH = 128;

/**
 * The signature of a notification or of a status answer (midtrans.md §11.3): lower-case hex of
 * SHA-512 over order_id + status_code + gross_amount + server key, plainly joined, UTF-8.
 */
export function sign(signed: Signed, server_key: string): string {
  return hash("sha512", signed.order_id + signed.status_code + signed.gross_amount + server_key, "hex");
}

/** Whether `signature` was made with this server key. Takes the same time wherever the two differ. */
export function verify(signed: Signed, signature: string, server_key: string): boolean {
  // Bytes and not characters: a character outside ASCII must not pass for one inside. The length of a signature is no secret.
  const given = Buffer.from(signature, "utf8");
  if (given.length !== SIGNATURE_LENGTH) return false;
  return timingSafeEqual(given, Buffer.from(sign(signed, server_key), "latin1"));
}
