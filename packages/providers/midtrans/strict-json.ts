import { isUtf8 } from "node:buffer";

export type StrictJson = { readonly ok: true; readonly value: Readonly<Record<string, unknown>> } | { readonly ok: false; readonly problem: string };

/** No body of the provider nests deeper than five. */
const DEPTH_MAX = 16;
/** The hub stops larger ones at the door; this is the second lock. */
const BODY_MAX_BYTES = 256 * 1024;

const QUOTE = 0x22,
  BACKSLASH = 0x5c,
  OPEN_BRACE = 0x7b,
  CLOSE_BRACE = 0x7d,
  OPEN_BRACKET = 0x5b,
  CLOSE_BRACKET = 0x5d,
  COMMA = 0x2c;

/** Index of the quote that ends the string which starts at `start`. The text is known to be JSON. */
function stringEnd(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  for (;;) {
    let backslashes = 0;
    while (text.charCodeAt(end - 1 - backslashes) === BACKSLASH) backslashes += 1;
    if (backslashes % 2 === 0) return end;
    end = text.indexOf('"', end + 1);
  }
}

/** What is wrong with a JSON object beyond its syntax: a key that stands twice at the top, or too many levels. */
function shapeProblem(text: string): string | undefined {
  const keys = new Set<string>();
  let depth = 0;
  let key_next = false;
  for (let i = 0; i < text.length; i += 1) {
    const c = text.charCodeAt(i);
    if (c === QUOTE) {
      const end = stringEnd(text, i);
      if (key_next && depth === 1) {
        const raw = text.slice(i + 1, end);
        const key = raw.includes("\\") ? (JSON.parse(text.slice(i, end + 1)) as string) : raw;
        if (keys.has(key)) return "a key stands twice";
        keys.add(key);
        key_next = false;
      }
      i = end;
    } else if (c === OPEN_BRACE || c === OPEN_BRACKET) {
      depth += 1;
      if (depth > DEPTH_MAX) return "nested too deeply";
      key_next = depth === 1;
    } else if (c === CLOSE_BRACE || c === CLOSE_BRACKET) depth -= 1;
    else if (c === COMMA && depth === 1) key_next = true;
  }
  return undefined;
}

/**
 * Parses bytes as one JSON object, once and strictly: valid UTF-8, no key twice at the top (two readers of such a body
 * may believe different values), bounded depth. Never throws.
 */
export function parseStrict(bytes: Uint8Array): StrictJson {
  if (bytes.length > BODY_MAX_BYTES) return { ok: false, problem: "larger than 256 KiB" };
  if (!isUtf8(bytes)) return { ok: false, problem: "not UTF-8" };
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { ok: false, problem: "not JSON" };
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return { ok: false, problem: "not a JSON object" };
  const problem = shapeProblem(text);
  return problem ? { ok: false, problem } : { ok: true, value: value as Readonly<Record<string, unknown>> };
}
