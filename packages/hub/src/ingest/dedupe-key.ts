import { localDigest } from "../store/local-digest.ts";

/** What makes two callbacks the same: the account, whether it is believed, and every byte of the body. */
export function dedupeKey(account_id: string, quarantined: boolean, body: Uint8Array): Uint8Array {
  return localDigest(`${account_id}\n${quarantined ? "forged" : "weak"}`, body);
}
