import { createHash } from "node:crypto";

export interface ReferenceParts {
  readonly purpose: "payment" | "refund" | "payout" | "purchase";
  readonly shop_id: string;
  readonly order_reference: string;
  readonly line: number;
  readonly unit: number;
  readonly attempt: number;
}

/** What a provider takes as a reference of ours. */
export interface ReferenceRule {
  readonly max_length: number;
  /** Characters of the readable head besides letters and digits; the hash is lower-case letters and digits. */
  readonly extra_characters: string;
}

const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";
const HASH_CHARS = 20;

/**
 * A reference for a provider, derived and not random: a hub that was restored from an older copy
 * makes the same one again, and the provider's own check for duplicates stops the repetition.
 * The head is the order's reference as far as it fits, so that a person finds it in the provider's dashboard.
 */
export function deriveReference(parts: ReferenceParts, rule: ReferenceRule): string {
  const source = JSON.stringify([parts.purpose, parts.shop_id, parts.order_reference, parts.line, parts.unit, parts.attempt]);
  const digest = createHash("sha256").update(source).digest();
  let hash = "";
  for (let i = 0; i < HASH_CHARS; i += 1) hash += ALPHABET[digest[i]! & 31];
  const room = Math.min(24, rule.max_length - HASH_CHARS - 1);
  if (room < 1 || !rule.extra_characters.includes("-")) return hash.slice(0, rule.max_length);
  const head = [...parts.order_reference]
    .filter((c) => /[A-Za-z0-9]/.test(c) || rule.extra_characters.includes(c))
    .join("")
    .slice(0, room);
  return head ? `${head}-${hash}` : hash;
}
