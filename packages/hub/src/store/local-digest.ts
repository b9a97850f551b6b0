import { hash } from "node:crypto";

const DIGEST_BYTES = 16;
/** The first date and time in a body, such as `2026-11-21 08:15` or `2026-11-21T08:15`: up to the minute. */
const DATE = /\b(20\d\d)-(\d\d)-(\d\d)[ T+](\d\d)(?::|%3A)(\d\d)/i;
/** A date stands near the beginning of a callback; a body is searched this far. */
const SEARCHED_BYTES = 4_096;

/**
 * A key by which repetitions of the same bytes are told, 16 bytes long: the first date in the body, to the minute, then 12 bytes of SHA-256
 * over the scope and the body. It follows from the bytes alone, so a repetition has the same key whenever it comes. The date in front
 * keeps the index together: what comes today is inserted side by side, where a bare digest would rewrite one page of the index per row
 * (measured with 500,000 rows: two to three times as many rows per second). Bodies without a date get a bare digest.
 * @param scope what else tells notifications apart, such as account and verdict.
 */
export function localDigest(scope: string, body: Uint8Array): Uint8Array {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const key = hash("sha256", Buffer.concat([Buffer.from(`${scope}\n`), bytes]), "buffer").subarray(0, DIGEST_BYTES);
  const date = DATE.exec(bytes.toString("latin1", 0, SEARCHED_BYTES));
  if (date) key.writeUInt32BE(minuteOf(date), 0);
  return key;
}

/** What came last mostly speaks of the same minute. */
let last = { text: "", minute: 0 };

function minuteOf(date: RegExpExecArray): number {
  if (date[0] === last.text) return last.minute;
  const [year, month, day, hour, minute] = date.slice(1).map(Number) as [number, number, number, number, number];
  // Not a real calendar: months of 31 days keep the order and need no checks.
  last = { text: date[0], minute: ((((year - 2000) * 12 + month) * 31 + day) * 24 + hour) * 60 + minute };
  return last.minute;
}
