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

  /** Sets the timer for what is due next. What the outbox has due now is on its way already; what an emulator has due now is done at once. */
  arm(): void {
    clearTimeout(this.#timer);
    if (this.#closed) return;
    const { emulators, outbox, clock } = this.#parts;
    const now = clock.now();
    const outgoing = outbox.nextDue();
    const times = [...emulators.values()].map((emulator) => emulator.nextDue()).filter((at) => at !== undefined);
    if (outgoing !== undefined && outgoing > now) times.push(outgoing);
    if (times.length === 0) return;
    const wait = Math.min(...times) - now;
    this.#timer = setTimeout(() => this.tick(), wait <= 0 ? 0 : Math.min(wait + 1, LONGEST_WAIT_MS));
    this.#timer.unref();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }
}
