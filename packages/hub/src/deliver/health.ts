import { HOUR_MS, MINUTE_MS } from "@lunas/domain";

/** Failures in a row at which the shop is told. At the last of them the endpoint is paused, which is told too. */
export const ALERTS_AT = [50, 70, 90, 100] as const;
const PAUSE_AFTER_FAILURES = 100;
const PAUSE_AFTER_MS = 72 * HOUR_MS;
/** The time of the last success is kept this exactly: a healthy endpoint costs no write for each delivery. */
const LAST_SUCCESS_PRECISION_MS = 1 * MINUTE_MS;

export interface Health {
  readonly failures_in_row: number;
  readonly first_failure_at: number | null;
  readonly last_success_at: number | null;
}

export interface HealthChange {
  readonly next: Health;
  /** Whether `next` is worth writing. */
  readonly changed: boolean;
  /** A success came after failures: the endpoint is back. */
  readonly recovered: boolean;
  /** The highest of `ALERTS_AT` that was reached. */
  readonly alert: number | undefined;
}

/**
 * Reads an endpoint's health off its latest attempts, in the order in which they ended.
 * @param now business time.
 */
export function healthAfter(health: Health, delivered: readonly boolean[], now: number): HealthChange {
  let { failures_in_row, first_failure_at, last_success_at } = health;
  let recovered = false;
  let alert: number | undefined;
  for (const success of delivered) {
    if (success) {
      recovered ||= failures_in_row > 0;
      alert = undefined;
      failures_in_row = 0;
      first_failure_at = null;
      if (last_success_at === null || Math.abs(now - last_success_at) >= LAST_SUCCESS_PRECISION_MS) last_success_at = now;
    } else {
      failures_in_row += 1;
      first_failure_at ??= now;
      alert = ALERTS_AT.find((count) => count === failures_in_row) ?? alert;
    }
  }
  const changed =
    failures_in_row !== health.failures_in_row || first_failure_at !== health.first_failure_at || last_success_at !== health.last_success_at;
  return { next: { failures_in_row, first_failure_at, last_success_at }, changed, recovered, alert };
}

/** Whether an endpoint has failed so long that it is paused; its events are kept. */
export function shouldPause(health: Health, now: number): boolean {
  return health.failures_in_row >= PAUSE_AFTER_FAILURES || (health.first_failure_at !== null && now - health.first_failure_at >= PAUSE_AFTER_MS);
}
