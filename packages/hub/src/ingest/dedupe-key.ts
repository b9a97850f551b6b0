import { localDigest } from "../store/local-digest.ts";

/** What makes two callbacks the same: the account, what we think of the proof, and every byte of the body. */
export function dedupeKey(account_id: string, forged: boolean, body: Uint8Array): Uint8Array {
  return localDigest(`${account_id}\n${forged ? "forged" : "weak"}`, body);
}
