import type { Clock } from "@lunas/domain";
import { OffsetClock, invariant } from "@lunas/domain";
import type { Settings } from "./database.ts";

export interface ClockReading {
  /** Grows with every change of the offset. */
  readonly version: number;
  readonly offset_ms: number;
  /** Business time, UTC ms. */
  readonly now: number;
}

/** The clock that everything in the sandbox lives by. It only moves forward, and it survives a restart. */
export class BusinessClock implements Clock {
  #clock: OffsetClock;
  #settings: Settings;
  #version: number;
  #waiters = new Set<() => void>();

  constructor(base: Clock, settings: Settings) {
    this.#settings = settings;
    this.#clock = new OffsetClock(base, settings.number("clock_offset_ms") ?? 0);
    this.#version = settings.number("clock_version") ?? 1;
  }

  now(): number {
    return this.#clock.now();
  }

  read(): ClockReading {
    return { version: this.#version, offset_ms: this.#clock.offset_ms, now: this.now() };
  }

  advance(by_ms: number): void {
    invariant(by_ms >= 0, "the business clock only moves forward");
    this.#setOffset(this.#clock.offset_ms + by_ms);
  }

  /** Back to real time: the one way in which it may step back. */
  reset(): void {
    this.#setOffset(0);
  }

  #setOffset(offset_ms: number): void {
    this.#clock.setOffset(offset_ms);
    this.#version += 1;
    this.#settings.set("clock_offset_ms", offset_ms);
    this.#settings.set("clock_version", this.#version);
    for (const wake of this.#waiters) wake();
  }

  /** The reading as soon as its version differs from `after`, or after `wait_ms` of real time. */
  async changed(after: number, wait_ms: number, signal: AbortSignal): Promise<ClockReading> {
    if (this.#version !== after || wait_ms <= 0 || signal.aborted) return this.read();
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#waiters.delete(done);
        signal.removeEventListener("abort", done);
        resolve();
      };
      const timer = setTimeout(done, wait_ms);
      this.#waiters.add(done);
      signal.addEventListener("abort", done);
    });
    return this.read();
  }
}
