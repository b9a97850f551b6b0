/** How many of something each name may have in a window of time. In memory: it bounds the disk, not the truth. */
export class Quota {
  readonly #max: number;
  readonly #window_ms: number;
  #used = new Map<string, { since: number; count: number }>();

  constructor(max: number, window_ms: number) {
    this.#max = max;
    this.#window_ms = window_ms;
  }

  take(name: string, now_ms: number): boolean {
    const entry = this.#used.get(name);
    if (!entry || now_ms - entry.since >= this.#window_ms) {
      this.#used.set(name, { since: now_ms, count: 1 });
      return true;
    }
    entry.count += 1;
    return entry.count <= this.#max;
  }
}
