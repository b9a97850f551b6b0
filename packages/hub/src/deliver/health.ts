import { HOUR_MS } from "@lunas/domain";

/** Failures in a row at which the shop is told. */
export const ALERTS_AT = [50, 70, 90, 100] as const;
const PAUSE_AFTER_FAILURES = 100;
const PAUSE_AFTER_MS = 72 * HOUR_MS;

/** Whether an endpoint has failed so long that it is paused; its events are kept. */
export function shouldPause(health: { readonly failures_in_row: number; readonly first_failure_at: number | null }, now: number): boolean {
  return health.failures_in_row >= PAUSE_AFTER_FAILURES || (health.first_failure_at !== null && now - health.first_failure_at >= PAUSE_AFTER_MS);
}
