/**
 * One writes at a time: the store's own units of work, or the thread that takes notifications in. Whoever is in a hurry goes first, but not twice
 * while somebody else waits.
 */
export class WriteTurns {
  #taken = false;
  /** The one before was in a hurry. */
  #hurried = false;
  readonly #hurry: (() => void)[] = [];
  readonly #others: (() => void)[] = [];

  /** Resolves when it is the caller's turn, which ends with `end`. */
  async begin(hurry: boolean): Promise<void> {
    if (this.#taken) await new Promise<void>((resolve) => (hurry ? this.#hurry : this.#others).push(resolve));
    this.#taken = true;
    this.#hurried = hurry;
  }

  end(): void {
    const [first, second] = this.#hurried ? [this.#others, this.#hurry] : [this.#hurry, this.#others];
    const next = first.shift() ?? second.shift();
    // It stays taken until the next one has begun: nobody comes in between.
    if (next) next();
    else this.#taken = false;
  }
}
