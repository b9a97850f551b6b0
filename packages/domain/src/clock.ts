/**
 * Two clocks. *Business* time decides what is due and what has expired; in development the sandbox moves it.
 * *Wall* time goes into signatures, tokens and logs. Both are UTC milliseconds.
 */
export interface Clock {
  now(): number;
}

export interface Clocks {
  readonly business: Clock;
  readonly wall: Clock;
}

export const systemClock: Clock = { now: () => Date.now() };

/** A clock that runs with another one, shifted by an offset that can be set. */
export class OffsetClock implements Clock {
  #base: Clock;
  #offset_ms: number;

  constructor(base: Clock = systemClock, offset_ms = 0) {
    this.#base = base;
    this.#offset_ms = offset_ms;
  }

  now(): number {
    return this.#base.now() + this.#offset_ms;
  }

  get offset_ms(): number {
    return this.#offset_ms;
  }

  setOffset(offset_ms: number): void {
    this.#offset_ms = offset_ms;
  }
}

/** A clock that stands still until it is told to move: for tests and simulation. */
export class ManualClock implements Clock {
  #now_ms: number;

  constructor(now_ms = Date.UTC(2026, 6, 17, 3, 0, 0)) {
    this.#now_ms = now_ms;
  }

  now(): number {
    return this.#now_ms;
  }

  advance(by_ms: number): void {
    this.#now_ms += by_ms;
  }

  set(now_ms: number): void {
    this.#now_ms = now_ms;
  }
}

/** RFC 3339 in UTC, as our wire has it. */
export function rfc3339(at_ms: number): string {
  return new Date(at_ms).toISOString();
}
