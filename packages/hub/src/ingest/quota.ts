/** How many of something each name may have in a window of time. In memory: it bounds the disk, not the truth. */
export class Quota {
  readonly #max: number;
  readonly #window_ms: number;
  #used = new Map<string, { since: number; count: number }>();

  constructor(max: number, window_ms: number) {
    this.#max = max;
    this.#window_ms = window_ms;
  }

  /** @param amount of what is counted; what does not fit is not counted either. */
  take(name: string, now_ms: number, amount = 1): boolean {
    const known = this.#used.get(name);
    const entry = known && now_ms - known.since < this.#window_ms ? known : { since: now_ms, count: 0 };
    if (entry !== known) this.#used.set(name, entry);
    if (entry.count + amount > this.#max) return false;
    entry.count += amount;
    return true;
  }
}
