import type { Emulator } from "@lunas/domain";
import type { BusinessClock } from "./business-clock.ts";
import type { Outbox } from "./outbox.ts";

/** A timer is never set for longer, so that a clock moved from outside is noticed at last. */
const LONGEST_WAIT_MS = 60_000;

interface Parts {
  readonly clock: BusinessClock;
  readonly emulators: ReadonlyMap<string, Emulator>;
  readonly outbox: Outbox;
}

/** Does what is due when it is due: one timer for all emulators and the outbox. */
export class Ticker {
  #parts: Parts;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(parts: Parts) {
    this.#parts = parts;
    parts.outbox.onChange = () => this.arm();
  }

  /** Does what is due now. */
  tick(): void {
    if (this.#closed) return;
    for (const emulator of this.#parts.emulators.values()) emulator.tick();
    this.#parts.outbox.wake();
    this.arm();
  }

  /** Sets the timer for what is due next, where that is in the future: what is due now is on its way already. */
  arm(): void {
    clearTimeout(this.#timer);
    if (this.#closed) return;
    const { emulators, outbox, clock } = this.#parts;
    const now = clock.now();
    const times = [outbox.nextDue(), ...[...emulators.values()].map((emulator) => emulator.nextDue())].filter((at) => at !== undefined);
    const next = times.filter((at) => at > now).sort((a, b) => a - b)[0];
    if (next === undefined) return;
    this.#timer = setTimeout(() => this.tick(), Math.min(next - now + 1, LONGEST_WAIT_MS));
    this.#timer.unref();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }
}
