import type { Store } from "../store/index.ts";

/** Characters that are kept, over all bodies: what a hub tells of in a few minutes, when it has much to tell. */
const KEPT_CHARS = 16 * 1024 * 1024;

/**
 * The texts of the events that were committed last. Mostly they are sent at once, and need not be read from where they have just been written. An
 * event never changes: what is here is what is there.
 */
export class RecentBodies {
  readonly #kept_chars: number;
  readonly #bodies = new Map<string, string>();
  #chars = 0;

  constructor(kept_chars: number = KEPT_CHARS) {
    this.#kept_chars = kept_chars;
  }

  /** Only of an event that is committed. The oldest make room. */
  keep(event_id: string, body: string): void {
    this.#chars -= this.#bodies.get(event_id)?.length ?? 0;
    this.#bodies.delete(event_id);
    this.#bodies.set(event_id, body);
    this.#chars += body.length;
    for (const [oldest, text] of this.#bodies) {
      if (this.#chars <= this.#kept_chars) return;
      this.#bodies.delete(oldest);
      this.#chars -= text.length;
    }
  }

  get(event_id: string): string | undefined {
    return this.#bodies.get(event_id);
  }
}

const kept = new WeakMap<Store, RecentBodies>();

/** Those that were committed through this store. What another hub commits is read. */
export function recentBodies(store: Store): RecentBodies {
  let bodies = kept.get(store);
  if (!bodies) kept.set(store, (bodies = new RecentBodies()));
  return bodies;
}
