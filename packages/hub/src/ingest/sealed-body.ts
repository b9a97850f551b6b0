import type { RawCallback } from "@lunas/domain";
import type { Vault } from "../vault.ts";

/** Headers that are kept with a notification. Everything else a stranger sends is none of our business. */
const KEPT_HEADERS = ["content-type", "user-agent", "x-callback-token", "webhook-id", "x-forwarded-for"] as const;
/** Kept only so that a proof can be checked again; masked in every view. */
export const SECRET_HEADERS: ReadonlySet<string> = new Set(["x-callback-token"]);

const context = (account_id: string): string => `notification:${account_id}`;

/** Seals a callback as it arrived: method, query, kept headers and the raw bytes. */
export function sealCallback(vault: Vault, account_id: string, raw: RawCallback): Uint8Array {
  const headers: Record<string, string> = {};
  for (const name of KEPT_HEADERS) {
    const value = raw.headers[name];
    if (value !== undefined) headers[name] = value.slice(0, 500);
  }
  const head = Buffer.from(JSON.stringify({ method: raw.method, query: raw.query, topic: raw.topic, headers }));
  const size = Buffer.alloc(4);
  size.writeUInt32BE(head.length);
  return vault.seal(context(account_id), Buffer.concat([size, head, raw.body]));
}

export function openCallback(vault: Vault, account_id: string, sealed: Uint8Array): RawCallback {
  const plain = Buffer.from(vault.open(context(account_id), sealed));
  const size = plain.readUInt32BE(0);
  const head = JSON.parse(plain.subarray(4, 4 + size).toString()) as Omit<RawCallback, "body">;
  return { ...head, body: plain.subarray(4 + size) };
}
