import type { Hub, Signals } from "./hub.ts";

/** Arrivals are counted in windows of this length. */
const WINDOW_MS = 20;
/** More notifications than this in one window are a rush: two thousand a second, which leaves little time for anything else. */
const ARRIVALS = 40;
/** A rush that pauses for less than this goes on: work that was begun in a short silence would meet what comes after it. */
const HOLD_MS = 250;

/**
 * In a rush answering comes first: what has been answered is on the disk and can wait, and a provider that gets no answer comes again and
 * makes the rush worse. Whoever works in the background then takes a little (`RUSH_SHARE`) and rests (`RUSH_REST_MS`), so that
 * nothing waits for ever however long it lasts.
 */
export const RUSH_REST_MS = 250;
export const RUSH_SHARE = 1;

/** Whether there was a rush within the last moments. */
class RushMeter {
  #arrived = 0;
  #since = performance.now();
  #until = 0;

  note(): void {
    const now = performance.now();
    if (now - this.#since >= WINDOW_MS) {
      this.#arrived = 0;
      this.#since = now;
    }
    this.#arrived += 1;
    if (this.#arrived >= ARRIVALS) this.#until = now + HOLD_MS;
  }

  get on(): boolean {
    return performance.now() < this.#until;
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
