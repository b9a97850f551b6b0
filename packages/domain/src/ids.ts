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

/** A whole number of 30 bits at most: thousands of ids are made in a second, and small numbers are many times cheaper than a bigint. */
function base32(value: number, chars: number): string {
  let text = "";
  for (let i = 0; i < chars; i += 1) text = ALPHABET[(value >>> (5 * i)) & 31]! + text;
  return text;
}

const HALF_TIME = 2 ** 25;
const HALF = 2 ** 30;

function timeText(at_ms: number): string {
  return base32(Math.floor(at_ms / HALF_TIME), TIME_CHARS / 2) + base32(at_ms % HALF_TIME, TIME_CHARS / 2);
}

export type NewId = (kind: IdKind) => string;

/**
 * Makes ids that sort by time of making: 50 bits of milliseconds, then 60 random bits that are counted up
 * within one millisecond, so that ids of one process are strictly increasing even when the clock steps back.
 */
export function idMaker(clock: Clock, random: Random): NewId {
  let last_ms = 0;
  let time = "";
  // The 60 random bits in two halves.
  let high = 0;
  let low = 0;
  return (kind) => {
    const now = clock.now();
    if (now > last_ms) {
      last_ms = now;
      time = timeText(now);
      const bytes = random.bytes(8);
      const bits = new DataView(bytes.buffer, bytes.byteOffset, 8);
      // The top bit stays free, so that counting up within a millisecond has room.
      high = bits.getUint32(0) & (HALF / 2 - 1);
      low = bits.getUint32(4) & (HALF - 1);
    } else {
      low += 1 + Math.floor(random.float() * 1024);
      if (low >= HALF) high += 1;
      low &= HALF - 1;
    }
    return `${ID_PREFIXES[kind]}_${time}${base32(high, RANDOM_CHARS / 2)}${base32(low, RANDOM_CHARS / 2)}`;
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
    .digest();
  const time = parent_id.slice(4, 4 + TIME_CHARS);
  // Its last 60 bits.
  const [high, low] = [((digest.readUInt32BE(24) << 2) | (digest.readUInt32BE(28) >>> 30)) >>> 0, digest.readUInt32BE(28)];
  return `${ID_PREFIXES[kind]}_${time}${base32(high, RANDOM_CHARS / 2)}${base32(low, RANDOM_CHARS / 2)}`;
}

/** The smallest id of a kind that could be made at this time: what was made before it sorts before it. */
export function firstIdAt(kind: IdKind, at_ms: number): string {
  return `${ID_PREFIXES[kind]}_${timeText(Math.max(0, at_ms))}${ALPHABET[0]!.repeat(RANDOM_CHARS)}`;
}

const SHAPE = /^[a-z]{3}_[0-9a-hjkmnp-tv-z]{22}$/;

export function isId(text: string, kind: IdKind): boolean {
  return SHAPE.test(text) && text.startsWith(`${ID_PREFIXES[kind]}_`);
}
