import { isIP } from "node:net";
import { type Cidr, forbiddenAddress } from "./ranges.ts";

export interface UrlPolicy {
  readonly allow: readonly Cidr[];
  /** Production sends to https only. */
  readonly https_only: boolean;
}

const MAX_LENGTH = 2_000;

/**
 * Judges a URL that somebody gave us to call, before any name is looked up. The connection checks the addresses again.
 * WHATWG parsing has already turned odd spellings (`0x7f.1`, `2130706433`) into plain addresses.
 * @returns what is wrong with it, or undefined.
 */
export function forbiddenUrl(text: string, policy: UrlPolicy): string | undefined {
  if (text.length > MAX_LENGTH) return `is longer than ${MAX_LENGTH} characters`;
  if (!URL.canParse(text)) return "is not a URL";
  const url = new URL(text);
  if (url.protocol !== "https:" && url.protocol !== "http:") return "must start with https:// or http://";
  if (url.protocol === "http:" && policy.https_only) return "must start with https://";
  if (url.username !== "" || url.password !== "") return "must not carry a user name or password";
  const host = url.hostname.replace(/\.$/, "").toLowerCase();
  const literal = host.replace(/^\[|\]$/g, "");
  if (isIP(literal)) return forbiddenAddress(literal, policy.allow);
  const local = host === "localhost" || host.endsWith(".localhost") || host.endsWith(".local") || host.endsWith(".internal");
  if (local && policy.allow.length === 0) return `${host} is a name of this machine or network`;
  return undefined;
}
