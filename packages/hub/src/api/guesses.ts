import { isIPv6 } from "node:net";
import { LunasError } from "@lunas/domain";
import ipaddr from "ipaddr.js";
import type { Hub } from "../hub.ts";

const WINDOW_MS = 60_000;
const ADDRESSES_MAX = 10_000;

/** Counts wrong keys by address: whoever guesses is stopped before anything is looked up. */
export class Guesses {
  #clocks: Hub["clocks"];
  #max: number;
  /** The longest known first. */
  #wrong = new Map<string, { count: number; readonly until: number }>();

  /** @param max wrong keys of one address in a minute. */
  constructor({ clocks }: Pick<Hub, "clocks">, max: number) {
    this.#clocks = clocks;
    this.#max = max;
  }

  /** @throws LunasError rate_limited when the address has had its guesses. */
  refuse(address: string): void {
    const now = this.#clocks.wall.now();
    const known = this.#wrong.get(whose(address));
    if (known && now < known.until && known.count >= this.#max) throw new LunasError("rate_limited", { retry_after_s: (known.until - now) / 1000 });
  }

  count(address: string): void {
    const now = this.#clocks.wall.now();
    const name = whose(address);
    const known = this.#wrong.get(name);
    if (known && now < known.until) {
      known.count += 1;
      return;
    }
    this.#wrong.delete(name);
    if (this.#wrong.size >= ADDRESSES_MAX) this.#wrong.delete(this.#wrong.keys().next().value!);
    this.#wrong.set(name, { count: 1, until: now + WINDOW_MS });
  }
}

/** Whoever has one address of IPv6 has its whole network of 64 bits. */
function whose(address: string): string {
  if (!isIPv6(address)) return address;
  const parsed = ipaddr.IPv6.parse(address);
  return parsed.isIPv4MappedAddress() ? parsed.toIPv4Address().toString() : parsed.parts.slice(0, 4).join(":");
}
