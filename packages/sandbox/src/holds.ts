/** Connections that a fault holds for some real time. Closing or a test ends the wait early. */
export class Holds {
  #waiting = new Set<() => void>();
  #watchers: (() => void)[] = [];
  #closed = false;

  /** Resolves after `ms` of real time, or when released. */
  async pause(ms: number): Promise<void> {
    if (this.#closed) return;
    await new Promise<void>((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(end);
        resolve();
      };
      const timer = setTimeout(end, ms);
      this.#waiting.add(end);
      for (const watcher of this.#watchers.splice(0)) watcher();
    });
  }

  /** Resolves when something is held. */
  async held(): Promise<void> {
    if (this.#waiting.size > 0 || this.#closed) return;
    await new Promise<void>((resolve) => this.#watchers.push(resolve));
  }

  /** Lets everything go that is held now. */
  release(): void {
    for (const end of this.#waiting) end();
  }

  close(): void {
    this.#closed = true;
    this.release();
    for (const watcher of this.#watchers.splice(0)) watcher();
  }
}
