import fc from "fast-check";
import { decide, type Machine } from "./machine.ts";
import { COLLECTED_STATUSES, paymentMachine, type PaymentInput, type PaymentObservation, type PaymentStatus } from "./payment.ts";

/*
 * For payment-history.test.ts: a model of the provider (midtrans.md §10), a model of the hub around the pure machine,
 * and schedules that join them in every disorder.
 */

// ---- the provider ----

/** Its words, told apart where their past matters: a refused attempt may be tried again, money taken back may not. */
export const LEGAL = {
  none: ["pending", "authorize", "capture", "challenge", "deny_attempt", "failure"],
  pending: ["settlement", "capture", "challenge", "deny_attempt", "expire", "cancel_open"],
  // A denied attempt on a hosted page can be followed by another one of the same order.
  deny_attempt: ["pending", "capture", "challenge", "expire", "cancel_open"],
  authorize: ["capture", "cancel_open", "expire", "deny_final"],
  challenge: ["capture", "deny_final", "cancel_open"],
  capture: ["settlement", "cancel_void"],
  settlement: ["partial_refund", "refund", "partial_chargeback", "chargeback", "deny_final"],
  partial_refund: ["partial_refund", "refund", "chargeback"],
  partial_chargeback: ["chargeback"],
  refund: ["chargeback"],
  // Late money: it comes after the provider had closed the transaction.
  expire: ["settlement"],
  cancel_open: ["settlement"],
  failure: ["settlement"],
  // The bank takes a settlement back and pays after all, or the buyer pays again.
  deny_final: ["settlement"],
  cancel_void: [],
  chargeback: [],
} as const;
export type Word = keyof typeof LEGAL;

export const OBSERVED: Record<Exclude<Word, "none">, PaymentObservation> = {
  pending: "pending",
  authorize: "authorized",
  challenge: "authorized",
  capture: "paid",
  settlement: "paid",
  partial_refund: "partially_refunded",
  refund: "refunded",
  // How much it took is not told: no money counts as gone that is not known to be gone.
  partial_chargeback: "paid",
  chargeback: "reversed",
  deny_attempt: "failed",
  deny_final: "failed",
  failure: "failed",
  cancel_open: "canceled",
  cancel_void: "canceled",
  expire: "expired",
};

const AMOUNT = 100;

export interface Truth {
  readonly word: Word;
  readonly refunded: number;
  readonly reversed: number;
}

export function advance(truth: Truth, choice: number): Truth {
  const edges: readonly Word[] = LEGAL[truth.word];
  const word = edges[choice % Math.max(1, edges.length)];
  if (word === undefined) return truth;
  const { refunded } = truth;
  switch (word) {
    case "partial_refund":
      return refunded + 10 < AMOUNT ? { word, refunded: refunded + 10, reversed: 0 } : truth;
    case "refund":
      return { word, refunded: AMOUNT, reversed: 0 };
    case "chargeback":
    case "deny_final":
    case "cancel_void":
      return { word, refunded, reversed: AMOUNT - refunded };
    default:
      return { word, refunded, reversed: 0 };
  }
}

// ---- the hub ----

export interface Rules {
  readonly machine: Machine<PaymentStatus, PaymentInput>;
  /** An answer counts only if nothing changed since before its question. */
  readonly compare_and_set: boolean;
  /** What a notification claims is taken for true, instead of being a reason to ask. */
  readonly believe_claims: boolean;
}
export const OURS: Rules = { machine: paymentMachine, compare_and_set: true, believe_claims: false };

export interface State {
  readonly status: PaymentStatus;
  readonly refunded: number;
  readonly reversed: number;
}
export interface Told extends State {
  readonly sequence: number;
  readonly from: PaymentStatus;
}

export class Hub {
  state: State = { status: "submitted", refunded: 0, reversed: 0 };
  readonly told: Told[] = [{ ...this.state, sequence: 1, from: "created" }];
  readonly rules: Rules;

  constructor(rules: Rules) {
    this.rules = rules;
  }

  get version(): number {
    return this.told.length;
  }

  apply(truth: Truth, version_read: number): void {
    if (truth.word === "none" || (this.rules.compare_and_set && version_read !== this.version)) return;
    const before = this.state;
    const decision = decide(this.rules.machine, before.status, OBSERVED[truth.word]);
    if (decision === "stale") return;
    const status = decision === "same" ? before.status : decision.to;
    const collected = COLLECTED_STATUSES.includes(status);
    const refunded = collected ? Math.max(before.refunded, truth.refunded) : 0;
    const reversed = status === "reversed" ? truth.reversed || AMOUNT - refunded : 0;
    if (status === before.status && refunded === before.refunded && reversed === before.reversed) return;
    this.state = { status, refunded, reversed };
    this.told.push({ ...this.state, sequence: this.told.length + 1, from: before.status });
  }
}

// ---- how they meet ----

/** One thing that happens next. Numbers choose among what is there at that moment. */
export type Act =
  | { readonly act: "provider"; readonly choice: number }
  /** One of all notifications so far arrives: late, early, again. Those never chosen are lost. */
  | { readonly act: "notification"; readonly which: number }
  /** We ask, by schedule or because a buyer waits; the provider's answer is on its way from now on. */
  | { readonly act: "ask" }
  /** One of the answers on their way arrives, in any order; it may arrive once more if `again`. */
  | { readonly act: "answer"; readonly which: number; readonly again: boolean }
  | { readonly act: "lose_answer"; readonly which: number };

const choice = fc.nat(59);
export const acts = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.record({ act: fc.constant("provider" as const), choice }) },
    { weight: 2, arbitrary: fc.record({ act: fc.constant("notification" as const), which: choice }) },
    { weight: 2, arbitrary: fc.record({ act: fc.constant("ask" as const) }) },
    { weight: 3, arbitrary: fc.record({ act: fc.constant("answer" as const), which: choice, again: fc.boolean() }) },
    { weight: 1, arbitrary: fc.record({ act: fc.constant("lose_answer" as const), which: choice }) },
  ),
  { maxLength: 40 },
);

export interface Outcome {
  readonly truth: Truth;
  /** Every word that the provider has had for it. */
  readonly history: readonly Word[];
  readonly hub: Hub;
}

export function play(script: readonly Act[], rules: Rules): Outcome {
  let truth: Truth = { word: "none", refunded: 0, reversed: 0 };
  const notifications: Truth[] = [];
  const on_their_way: { truth: Truth; version_read: number }[] = [];
  const hub = new Hub(rules);
  const ask = (): unknown => on_their_way.push({ truth, version_read: hub.version });
  const pick = (which: number): number => which % Math.max(1, on_their_way.length);

  for (const act of script) {
    if (act.act === "provider") {
      truth = advance(truth, act.choice);
      notifications.push(truth);
    } else if (act.act === "notification") {
      const claim = notifications[act.which % Math.max(1, notifications.length)];
      if (claim && rules.believe_claims) hub.apply(claim, hub.version);
      else if (claim) ask();
    } else if (act.act === "ask") {
      ask();
    } else {
      const answer = on_their_way[pick(act.which)];
      if (answer && act.act === "answer") hub.apply(answer.truth, answer.version_read);
      if (act.act === "lose_answer" || !act.again) on_their_way.splice(pick(act.which), 1);
    }
  }
  for (const answer of on_their_way) hub.apply(answer.truth, answer.version_read);
  // The last question: nothing else is on its way.
  hub.apply(truth, hub.version);
  return { truth, history: notifications.map(({ word }) => word), hub };
}

/** What takes back money that was there. */
const TAKES_BACK: readonly Word[] = ["chargeback", "deny_final", "cancel_void"];

/** The provider's last word in our words: money that we saw and that is gone was taken back, whatever the provider calls it. */
function projected({ truth, hub }: Outcome): PaymentStatus {
  if (truth.word === "none") return "submitted";
  const observed = OBSERVED[truth.word];
  const saw_money = hub.told.some(({ status }) => COLLECTED_STATUSES.includes(status));
  return saw_money && (observed === "failed" || observed === "canceled") ? "reversed" : observed;
}

export function problems(outcome: Outcome): string[] {
  const { truth, history, hub } = outcome;
  const found: string[] = [];
  if (hub.told.some(({ status }) => status === "reversed") && !history.some((word) => TAKES_BACK.includes(word)))
    found.push("told as taken back, which it never was");
  if (hub.state.status !== projected(outcome)) found.push(`ours is ${hub.state.status}, the provider's is ${truth.word}`);
  if (COLLECTED_STATUSES.includes(hub.state.status) && hub.state.refunded !== truth.refunded)
    found.push(`${hub.state.refunded} refunded, the provider says ${truth.refunded}`);
  if (hub.state.status === "reversed" && hub.state.reversed !== truth.reversed)
    found.push(`${hub.state.reversed} reversed, the provider says ${truth.reversed}`);
  for (const [index, told] of hub.told.entries()) {
    const before = hub.told[index - 1];
    if (told.sequence !== index + 1) found.push(`number ${told.sequence} told at place ${index + 1}`);
    if (before && told.from !== before.status) found.push(`told from ${told.from} after ${before.status}`);
    if (before && told.status === before.status && told.refunded === before.refunded && told.reversed === before.reversed)
      found.push(`${told.status} told twice`);
  }
  return found;
}
