import { isUtf8 } from "node:buffer";
import { LunasError } from "@lunas/domain";

/** Bytes of an API request's body at most. */
export const JSON_BYTES_MAX = 1024 * 1024;
const DEPTH_MAX = 64;

/** Keys that could reach into an object's prototype somewhere down the line. No field of ours has such a name. */
const REFUSED_KEYS: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"]);

function malformed(detail: string): LunasError {
  return new LunasError("malformed_json", { detail });
}

/**
 * Parses bytes as JSON, strictly, so that no two readers of the same body can believe different values: valid UTF-8, no key twice in
 * any object, strings of whole characters, bounded depth. No bytes at all are `undefined`: the route says whether it needs a body.
 * @throws LunasError malformed_json
 */
export function parseJsonBody(bytes: Buffer): unknown {
  if (bytes.length === 0) return undefined;
  if (!isUtf8(bytes)) throw malformed("The body is not valid UTF-8.");
  const text = bytes.toString("utf8");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw malformed(`The body is not JSON: ${(error as Error).message.slice(0, 200)}.`);
  }
  checkShape(text);
  return value;
}

/** One open object or array; `keys` is undefined for an array. */
interface Level {
  readonly keys: Set<string> | undefined;
  /** The next string is a key. */
  keyNext: boolean;
}

/** Walks over text that is known to be JSON and refuses what `JSON.parse` lets through. */
function checkShape(text: string): void {
  const levels: Level[] = [];
  for (let i = 0; i < text.length; i += 1) {
    const level = levels.at(-1);
    switch (text[i]) {
      case '"': {
        const end = stringEnd(text, i);
        const word = readString(text.slice(i, end + 1));
        if (level?.keyNext) {
          takeKey(level, word);
          level.keyNext = false;
        }
        i = end;
        break;
      }
      case "{":
        open(levels, { keys: new Set(), keyNext: true });
        break;
      case "[":
        open(levels, { keys: undefined, keyNext: false });
        break;
      case "}":
      case "]":
        levels.pop();
        break;
      case ",":
        if (level?.keys) level.keyNext = true;
        break;
      default:
    }
  }
}

function open(levels: Level[], level: Level): void {
  levels.push(level);
  if (levels.length > DEPTH_MAX) throw malformed(`The body nests deeper than ${DEPTH_MAX} levels.`);
}

function takeKey({ keys }: Level, key: string): void {
  if (REFUSED_KEYS.has(key)) throw malformed(`The key "${key}" is not allowed.`);
  if (keys?.has(key)) throw malformed(`The key "${key.slice(0, 100)}" stands twice in one object.`);
  keys?.add(key);
}

/** Index of the quote that ends the string which begins at `start`. */
function stringEnd(text: string, start: number): number {
  for (let i = start + 1; ; i += 1) {
    if (text[i] === "\\") i += 1;
    else if (text[i] === '"') return i;
  }
}

function readString(token: string): string {
  if (!token.includes("\\")) return token.slice(1, -1);
  const word = JSON.parse(token) as string;
  if (!word.isWellFormed()) throw malformed("A string holds half of a character (a lone surrogate).");
  if (word.includes("\0")) throw malformed("A string holds the character U+0000, which is not allowed.");
  return word;
}

/** The same text for the same value, whatever the order of its keys: what an idempotency key's body is told by. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).filter(([, one]) => one !== undefined);
    const sorted = entries.sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${sorted.map(([key, one]) => `${JSON.stringify(key)}:${canonicalJson(one)}`).join(",")}}`;
  }
  return JSON.stringify(value) ?? "null";
}
