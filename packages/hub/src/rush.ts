import type { Hub, Signals } from "./hub.ts";

/** Arrivals are counted in windows of this length. */
const WINDOW_MS = 100;
/** More notifications than this in one window are a rush: two thousand a second, which leaves little time for anything else. */
const ARRIVALS = 200;

/**
 * In a rush answering comes first: what has been answered is on the disk and can wait, and a provider that gets no answer comes again and
 * makes the rush worse. Whoever works in the background then takes a little (`RUSH_SHARE`) and rests (`RUSH_REST_MS`), so that
 * nothing waits for ever however long it lasts.
 */
export const RUSH_REST_MS = 50;
export const RUSH_SHARE = 4;

/** Whether this window, or the one before it, saw a rush. */
class RushMeter {
  #arrived = 0;
  #before = 0;
  #since = performance.now();

  note(): void {
    this.#turn();
    this.#arrived += 1;
  }

  get on(): boolean {
    this.#turn();
    return this.#arrived >= ARRIVALS || this.#before >= ARRIVALS;
  }

  #turn(): void {
    const now = performance.now();
    const passed = now - this.#since;
    if (passed < WINDOW_MS) return;
    this.#before = passed < 2 * WINDOW_MS ? this.#arrived : 0;
    this.#arrived = 0;
    this.#since = now;
  }
}

const meters = new WeakMap<Signals, RushMeter>();

/** One for a hub: it counts the signals of its inbox. */
export function rushOf({ signals }: Pick<Hub, "signals">): { readonly on: boolean } {
  let meter = meters.get(signals);
  if (!meter) {
    const made = new RushMeter();
    signals.on("inbox", () => made.note());
    meters.set(signals, (meter = made));
  }
  return meter;
}
