import { SECOND_MS } from "@lunas/domain";
import { askGateway } from "../collect/ask.ts";
import type { Hub } from "../hub.ts";
import { PRIORITY } from "../store/jobs.ts";
import type { Question } from "./unsettled.ts";

/** Payments of one account that got no clear answer. */
export interface Unclear {
  readonly payments: number;
  /** What came instead, last. */
  readonly why: string;
}

/** Payments of one account that are asked about at the same time. How fast is the account's budget. */
const AT_ONCE = 8;
/** Unclear answers before a payment counts as unclear. */
const TRIES_MAX = 5;
const FIRST_WAIT_MS = 50;
const WAIT_MAX_MS = 2 * SECOND_MS;
/** A wait for the budget is no try, but it is not endless: a quota of the day may be used up. */
const BUDGET_WAITS_MAX = 120;
/** After so many payments in a row without a clear answer the account is not asked any more: it has no clear one to give. */
const IN_A_ROW_MAX = 16;

/** Asks about payments of one account, within its budget. @returns what stayed unclear, if anything did. */
export async function askAccount(hub: Hub, questions: readonly Question[]): Promise<Unclear | undefined> {
  let unclear = 0;
  let in_a_row = 0;
  let why = "";
  await inParallel(questions, AT_ONCE, async ({ payment_id }) => {
    const problem = in_a_row >= IN_A_ROW_MAX ? why : await askPatiently(hub, payment_id);
    in_a_row = problem === undefined ? 0 : in_a_row + 1;
    if (problem === undefined) return;
    unclear += 1;
    why = problem;
  });
  return unclear === 0 ? undefined : { payments: unclear, why };
}

/**
 * Clear is what the gateway holds of the payment, and that it does not know it. A key that it refuses, a rate limit and the like say nothing about
 * the payment: it is asked for again, a little later each time.
 * @returns what stood in the way of a clear answer, or undefined.
 */
async function askPatiently(hub: Hub, payment_id: string): Promise<string | undefined> {
  let why = "";
  let waits = 0;
  for (let tries = 0; tries < TRIES_MAX;) {
    const answer = await askOnce(hub, payment_id);
    if (answer === "clear") return undefined;
    why = answer.why;
    if (!answer.budget) tries += 1;
    else if ((waits += 1) > BUDGET_WAITS_MAX) return why;
    if (tries < TRIES_MAX) await pause(Math.max(answer.wait_ms, answer.budget ? FIRST_WAIT_MS : FIRST_WAIT_MS * 2 ** tries));
  }
  return why;
}

type Answer = "clear" | { readonly why: string; readonly wait_ms: number; readonly budget: boolean };

async function askOnce(hub: Hub, payment_id: string): Promise<Answer> {
  const asked = await askGateway(hub, payment_id, "get", "reconcile", PRIORITY.notified).catch((error: unknown) => error as Error);
  if (asked instanceof Error) {
    hub.log.error({ err: asked, payment_id }, "a payment could not be asked about");
    return { why: asked.message, wait_ms: 0, budget: false };
  }
  if (asked.waiting_until !== undefined) {
    return { why: "the account's call budget is used up", wait_ms: asked.waiting_until - hub.clocks.business.now(), budget: true };
  }
  if (!asked.asked || asked.verdict === "superseded") return { why: "it changed while it was asked about", wait_ms: 0, budget: false };
  const { outcome } = asked;
  if (outcome.certainty === "did") return "clear";
  if (outcome.certainty === "unknown") return { why: outcome.reason, wait_ms: 0, budget: false };
  const { code, message, retry_after_s = 0 } = outcome.refusal;
  if (code === "not_found") return "clear";
  return { why: `${code}: ${message}`, wait_ms: retry_after_s * SECOND_MS, budget: false };
}

/** Runs `act` on each item, so many at a time. */
export async function inParallel<T>(items: readonly T[], at_once: number, act: (item: T) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < items.length) await act(items[next++]!);
  };
  await Promise.all(Array.from({ length: Math.min(at_once, items.length) }, worker));
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.min(ms, WAIT_MAX_MS)));
}
