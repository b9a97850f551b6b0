import { createHash } from "node:crypto";
import type { Clock } from "./clock.ts";
import type { Random } from "./random.ts";

/** Prefix of each kind of id. */
export const ID_PREFIXES = {
  order: "ord",
  payment: "pay",
  refund: "rfd",
  payout: "pyo",
  fulfillment: "ful",
  notification: "ntf",
  event: "evt",
  endpoint: "end",
  delivery: "dlv",
  attempt: "att",
  account: "acc",
  shop: "shp",
  key: "key",
  job: "job",
  answer: "ans",
  transition: "trn",
  money: "umm",
} as const;

export type IdKind = keyof typeof ID_PREFIXES;

const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";
const TIME_CHARS = 10;
const RANDOM_CHARS = 12;

/** Every id has this many characters: three of prefix, `_`, 10 of time and 12 of randomness. `charge-` and an id stay under 36. */
export const ID_LENGTH = 4 + TIME_CHARS + RANDOM_CHARS;

function base32(value: bigint, chars: number): string {
  let text = "";
  for (let i = 0; i < chars; i += 1) {
    text = ALPHABET[Number(value & 31n)]! + text;
    value >>= 5n;
  }
  return text;
}

export type NewId = (kind: IdKind) => string;

/**
 * Makes ids that sort by time of making: 50 bits of milliseconds, then 60 random bits that are counted up
 * within one millisecond, so that ids of one process are strictly increasing even when the clock steps back.
 */
export function idMaker(clock: Clock, random: Random): NewId {
  let last_ms = 0;
  let tail = 0n;
  const tail_max = (1n << 60n) - 1n;
  return (kind) => {
    const now = clock.now();
    if (now > last_ms) {
      last_ms = now;
      // The top bit stays free, so that counting up within a millisecond has room.
      tail = BigInt(`0x${Buffer.from(random.bytes(8)).toString("hex")}`) & (tail_max >> 1n);
    } else {
      tail += 1n + BigInt(Math.floor(random.float() * 1024));
    }
    return `${ID_PREFIXES[kind]}_${base32(BigInt(last_ms), TIME_CHARS)}${base32(tail & tail_max, RANDOM_CHARS)}`;
  };
}

/**
 * An id that follows from what it names: a hub that was restored from an older copy and learns of the same thing again gives it the same id.
 * It cannot carry the time of its making, which a copy does not know. It carries the time of `parent_id`: it sorts beside its parent, and among
 * its siblings in no order.
 */
export function derivedId(kind: IdKind, parent_id: string, key: string): string {
  const digest = createHash("sha256")
    .update(JSON.stringify([kind, parent_id, key]))
    .digest("hex");
  const time = parent_id.slice(4, 4 + TIME_CHARS);
  return `${ID_PREFIXES[kind]}_${time}${base32(BigInt(`0x${digest}`), RANDOM_CHARS)}`;
}

/** The smallest id of a kind that could be made at this time: what was made before it sorts before it. */
export function firstIdAt(kind: IdKind, at_ms: number): string {
  return `${ID_PREFIXES[kind]}_${base32(BigInt(Math.max(0, at_ms)), TIME_CHARS)}${ALPHABET[0]!.repeat(RANDOM_CHARS)}`;
}

const SHAPE = /^[a-z]{3}_[0-9a-hjkmnp-tv-z]{22}$/;

export function isId(text: string, kind: IdKind): boolean {
  return SHAPE.test(text) && text.startsWith(`${ID_PREFIXES[kind]}_`);
}
