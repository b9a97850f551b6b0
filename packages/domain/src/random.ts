import { randomBytes } from "node:crypto";

/** Source of randomness, passed in so that a simulation can seed it. */
export interface Random {
  /** Uniform in [0, 1). */
  float(): number;
  bytes(count: number): Uint8Array;
}

const PAGE_BYTES = 6 * 1_024;
let page = Buffer.alloc(0);

/** Random bytes come cheaper by the page. */
function sixBytes(): number {
  if (page.length < 6) page = randomBytes(PAGE_BYTES);
  const value = page.readUIntBE(0, 6);
  page = page.subarray(6);
  return value;
}

export const systemRandom: Random = {
  float: () => sixBytes() / 2 ** 48,
  bytes: (count) => randomBytes(count),
};

/** A seeded source (mulberry32): the same seed gives the same history. Never for secrets. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const float = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  return { float, bytes: (count) => Uint8Array.from({ length: count }, () => Math.floor(float() * 256)) };
}
