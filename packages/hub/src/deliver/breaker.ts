import { MINUTE_MS, SECOND_MS } from "@lunas/domain";

/** A breaker per endpoint: after so many failures in a window nothing is tried, then one probe decides. Waiting is not an attempt. */
export const BREAKER = { window_ms: 5 * MINUTE_MS, requests_min: 10, failed_share: 0.7, open_ms: 30 * SECOND_MS } as const;

export interface Breaker {
  /** Tries of the window: when, and whether they failed. */
  readonly tries: readonly { readonly at: number; readonly failed: boolean }[];
  readonly open_until: number | undefined;
  readonly probing: boolean;
}

const TRIES_KEPT = 50;

export function newBreaker(): Breaker {
  return { tries: [], open_until: undefined, probing: false };
}

export interface Permit {
  readonly open: boolean;
  /** How long to wait, while open. */
  readonly wait_ms: number;
  /** This try is the one that decides. */
  readonly probe: boolean;
  readonly breaker: Breaker;
}

/** Whether a try may begin now. */
export function permit(breaker: Breaker, now: number): Permit {
  if (breaker.open_until === undefined) return { open: false, wait_ms: 0, probe: false, breaker };
  if (now < breaker.open_until) return { open: true, wait_ms: breaker.open_until - now, probe: false, breaker };
  if (breaker.probing) return { open: true, wait_ms: SECOND_MS, probe: false, breaker };
  return { open: false, wait_ms: 0, probe: true, breaker: { ...breaker, probing: true } };
}

export function onSuccess(breaker: Breaker, now: number): Breaker {
  if (breaker.open_until !== undefined) return newBreaker();
  return { ...breaker, tries: remember(breaker, now, false) };
}

export function onFailure(breaker: Breaker, now: number): Breaker {
  const tries = remember(breaker, now, true);
  if (breaker.open_until !== undefined) return { tries, open_until: now + BREAKER.open_ms, probing: false };
  const failed = tries.filter((one) => one.failed).length;
  const trips = tries.length >= BREAKER.requests_min && failed / tries.length >= BREAKER.failed_share;
  return { tries, open_until: trips ? now + BREAKER.open_ms : undefined, probing: false };
}

function remember(breaker: Breaker, now: number, failed: boolean): Breaker["tries"] {
  return [...breaker.tries.filter((one) => now - one.at < BREAKER.window_ms), { at: now, failed }].slice(-TRIES_KEPT);
}
