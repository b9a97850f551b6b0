import { DAY_MS } from "@lunas/domain";

/** How long what is no fact about money is kept. */
export const RETENTION = { raw_bodies_ms: 90 * DAY_MS, quarantine_ms: 7 * DAY_MS, idempotency_ms: 7 * DAY_MS, attempts_ms: 90 * DAY_MS } as const;
