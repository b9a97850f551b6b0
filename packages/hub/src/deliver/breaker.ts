import { MINUTE_MS, SECOND_MS } from "@lunas/domain";

/** A breaker per endpoint: after so many failures in a window nothing is tried, then one probe decides. Waiting is not an attempt. */
export const BREAKER = { window_ms: 5 * MINUTE_MS, requests_min: 10, failed_share: 0.7, open_ms: 30 * SECOND_MS } as const;

/** Pure data; all times are those of one clock, which may be set back. */
export interface Breaker {
  /** Tries of the window, the oldest first: when, and whether they failed. */
  readonly tries: readonly { readonly at: number; readonly failed: boolean }[];
  readonly open_until: number | undefined;
  readonly probing: boolean;
}

const TRIES_KEPT = 50;
/** While a probe is under way, whoever else asks is told to come back after this. */
const PROBE_WAIT_MS = 1 * SECOND_MS;

export function newBreaker(): Breaker {
  return { tries: [], open_until: undefined, probing: false };
}

export type Permit =
  | { readonly go: true }
  /** This one decides: `begin` must be kept as the breaker. */
  | { readonly go: "probe"; readonly begin: Breaker }
  | { readonly go: false; readonly wait_ms: number };

/** Whether a try may begin now. */
export function permit(breaker: Breaker, now: number): Permit {
  if (breaker.open_until === undefined) return { go: true };
  const wait_ms = breaker.open_until - now;
  // A longer wait than it was opened for means that the clock was set back: then it may try at once.
  if (wait_ms > 0 && wait_ms <= BREAKER.open_ms) return { go: false, wait_ms };
  if (breaker.probing) return { go: false, wait_ms: PROBE_WAIT_MS };
  return { go: "probe", begin: { ...breaker, probing: true } };
}

/** A success closes it, whoever had it: also one that was under way when it opened. */
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
  const { tries } = breaker;
  const kept: { at: number; failed: boolean }[] = [];
  for (let i = Math.max(0, tries.length + 1 - TRIES_KEPT); i < tries.length; i += 1)
    if (Math.abs(now - tries[i]!.at) < BREAKER.window_ms) kept.push(tries[i]!);
  kept.push({ at: now, failed });
  return kept;
}
