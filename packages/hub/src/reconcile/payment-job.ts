import {
  CLOSED_STATUSES,
  invariant,
  LIVE_STATUSES,
  LunasError,
  MINUTE_MS,
  type Outcome,
  type PaymentAnswer,
  type Refusal,
  SECOND_MS,
  UNCONFIRMED_GAPS_MS,
} from "@lunas/domain";
import { chooseMethod } from "../collect/accounts.ts";
import { askGateway, type Asked, type Purpose, turnTo } from "../collect/ask.ts";
import { tellUnanswered } from "../collect/attention.ts";
import { DOUBT_MS, isInDoubt } from "../collect/evidence.ts";
import { insertPayment } from "../collect/payments.ts";
import { plannedPoll } from "../collect/planned-poll.ts";
import { findBundle, findPayment, lockOrder, type PaymentRow } from "../collect/rows.ts";
import { closingWish } from "../collect/still-payable.ts";
import { openClaims, readTransactions } from "../collect/transactions.ts";
import { flagUnconfirmed, UNCONFIRMED_FOR_MS, unconfirmedUntil } from "../collect/unconfirmed.ts";
import { nextFollowElsewhere } from "../collect/unmatched.ts";
import { isToBeReplaced, isUnusable, withoutReplacement } from "../collect/unusable.ts";
import type { Hub } from "../hub.ts";
import { type Job, PRIORITY } from "../store/jobs.ts";

/** What a job of a payment carries between its runs. */
export interface PaymentJobPayload {
  /** How many of the questions were asked that follow what a verified notification claims and no answer has confirmed. */
  claim_step?: number;
  /** When the next of these questions is planned: one that somebody asks for in between is not counted. */
  claim_due?: number;
  /** Unclear answers in a row. */
  unclear?: number;
  cause?: string;
}

export interface NextRun {
  readonly due_at: number | undefined;
  readonly payload: PaymentJobPayload;
  readonly priority: number;
}

/** Waits after unclear answers in a row; the last one repeats. */
const UNCLEAR_GAPS_MS: readonly number[] = [5 * SECOND_MS, 15 * SECOND_MS, 30 * SECOND_MS, 2 * MINUTE_MS, 10 * MINUTE_MS, 30 * MINUTE_MS];
/** After as many, a day's worth, nobody asks on about a payment that is over and has no question planned. */
const UNCLEAR_MAX = 50;
/** After as many in a row, which is after some forty minutes, a person is told. */
const UNCLEAR_TOLD = 7;
/** A payment that the gateway still calls pending this long after its time is expired there by command. */
const EXPIRE_BY_COMMAND_MS = 2 * MINUTE_MS;

/** Does what is due for a payment: continue an opening, finish a wish, or ask; and says when it is due again. */
export async function runPaymentJob(hub: Hub, job: Job): Promise<NextRun> {
  const payload = job.payload as PaymentJobPayload;
  const payment = await hub.store.read((db) => findPayment(db, undefined, job.subject_id));
  if (!payment) return { due_at: undefined, payload: {}, priority: PRIORITY.poll };
  const asked = await turnToGateway(hub, payment, job, payload.cause ?? "poll");
  if (!asked.asked) return { due_at: asked.waiting_until, payload, priority: job.priority };
  if (asked.verdict === "superseded") return { due_at: hub.clocks.business.now(), payload, priority: job.priority };
  await replaceOrGiveUp(hub, payment, asked.payment);
  // The budget was spent half-way, which is no unclear answer.
  if (asked.waiting_until !== undefined) return { due_at: asked.waiting_until, payload, priority: job.priority };
  return planNext(hub, asked.payment, asked, payload);
}

async function turnToGateway(hub: Hub, payment: PaymentRow, job: Job, cause: string): Promise<Asked> {
  const held = hub.hold.reason !== undefined;
  const now = hub.clocks.business.now();
  const opening = payment.status === "created" || payment.status === "submitted";
  const wish = closingWish(hub, payment);
  const ask = (operation: "continue" | "get", priority: number): Promise<Asked> =>
    turnTo(hub, payment.id, operation, { cause, priority, plans_next: true });
  // While on hold questions are allowed, commands are not.
  if (held) return ask("get", job.priority);
  if (opening && payment.wanted === "open") return ask("continue", PRIORITY.money);
  if (wish !== undefined) return command(hub, payment, wish, { cause, priority: PRIORITY.money });
  if (!LIVE_STATUSES.includes(payment.status)) return ask("get", job.priority);
  if (isUnusable(payment)) return command(hub, payment, "cancel", { cause: "it cannot be shown to the buyer", priority: PRIORITY.money });
  const asked = await ask("get", job.priority);
  return asked.asked && isOverdue(asked, now) ? command(hub, asked.payment, "expire", { cause: "expiry", priority: job.priority }) : asked;
}

/** A command, and where it is refused or unclear the question how it stands. What has to wait for the budget is not asked about instead: that would spend it. */
async function command(hub: Hub, payment: PaymentRow, how: "cancel" | "expire", purpose: Purpose): Promise<Asked> {
  const planned = { ...purpose, plans_next: true } as const;
  const asked = await turnTo(hub, payment.id, how, planned);
  return !asked.asked || asked.outcome.certainty === "did" ? asked : turnTo(hub, payment.id, "get", planned);
}

/** The clock alone never expires a payment: the gateway is told to, and its answer counts. */
function isOverdue(asked: Extract<Asked, { asked: true }>, now: number): boolean {
  const { payment, outcome } = asked;
  if (payment.status !== "pending" || outcome.certainty !== "did") return false;
  const unchosen = outcome.value.evidence.provider_id === undefined;
  return now >= payment.expires_at + (unchosen ? 0 : EXPIRE_BY_COMMAND_MS);
}

async function planNext(hub: Hub, payment: PaymentRow, asked: Extract<Asked, { asked: true }>, payload: PaymentJobPayload): Promise<NextRun> {
  const now = hub.clocks.business.now();
  const planned = plannedPoll(hub, payment, now) ?? (await hub.store.read((db) => nextFollowElsewhere(db, payment, now)));
  const claimed = await isClaimed(hub, payment);
  const { certainty } = asked.outcome;
  const open = isUnfinished(hub, payment);
  // That it does not know the payment is an answer too. While something is still wanted of it, no answer is the last one.
  const clear = open ? certainty === "did" && claimed : certainty === "did" || isUnknownThere(asked.outcome);
  if (!clear) return planUnclear(hub, payment, asked.outcome, payload, { now, planned, open, claimed });
  if (isInDoubt(payment)) return { due_at: now + DOUBT_MS, payload, priority: PRIORITY.notified };
  if (claimed) {
    if (payload.claim_due !== undefined && now < payload.claim_due) return { due_at: payload.claim_due, payload, priority: PRIORITY.notified };
    const step = payload.claim_step ?? 0;
    const gap = UNCONFIRMED_GAPS_MS[step];
    const next = gap === undefined ? undefined : { ...payload, claim_step: step + 1, claim_due: now + gap, unclear: 0 };
    if (next) return { due_at: next.claim_due, payload: next, priority: PRIORITY.notified };
    await flagUnconfirmed(hub, payment.id, payload.cause ?? "notification");
  }
  const last_word = claimed ? now + UNCONFIRMED_FOR_MS : unconfirmedUntil(payment);
  const due_at = last_word !== undefined && last_word > now ? Math.min(last_word, planned ?? last_word) : planned;
  return { due_at: open ? now + UNCLEAR_GAPS_MS[0]! : due_at, payload: {}, priority: open ? PRIORITY.money : PRIORITY.poll };
}

/** Whether a verified notification says more of one of its transactions than the answers do. */
function isClaimed(hub: Hub, payment: PaymentRow): Promise<boolean> {
  return hub.store.read(async (db) => {
    const rows = await readTransactions(db, [payment.id]);
    if (rows.every((row) => row.claim === null)) return false;
    const refunds = await db.selectFrom("refunds").selectAll().where("payment_id", "=", payment.id).execute();
    return openClaims(payment, refunds, rows).length > 0;
  });
}

/** Refusals that say nothing about the payment, as good as no answer. */
const PASSING: readonly Refusal["code"][] = ["rate_limited", "unauthorized"];

/** Whether something is still to be done at the gateway: to open it, to close it, or to take back what cannot be shown. */
function isUnfinished(hub: Hub, payment: PaymentRow): boolean {
  const live = LIVE_STATUSES.includes(payment.status);
  return closingWish(hub, payment) !== undefined || (live && (payment.status === "submitted" || isUnusable(payment)));
}

function isUnknownThere(outcome: Outcome<PaymentAnswer>): boolean {
  return outcome.certainty === "did_not" && outcome.refusal.code === "not_found";
}

/** No answer, a refusal to say, or one that does not bring about what is wanted: it is asked again, later each time, and a person is told. */
async function planUnclear(
  hub: Hub,
  payment: PaymentRow,
  outcome: Outcome<PaymentAnswer>,
  payload: PaymentJobPayload,
  { now, planned, open, claimed }: { now: number; planned: number | undefined; open: boolean; claimed: boolean },
): Promise<NextRun> {
  const over = !LIVE_STATUSES.includes(payment.status);
  const refused = outcome.certainty === "did_not";
  const said = refused && !PASSING.includes(outcome.refusal.code);
  if (said && !open && !claimed && (over || planned !== undefined)) return { due_at: planned, payload: {}, priority: PRIORITY.poll };
  const unclear = (payload.unclear ?? 0) + 1;
  if (unclear >= UNCLEAR_TOLD && (open || planned === undefined)) await tellUnanswered(hub, payment, reasonOf(payment, outcome));
  if (unclear > UNCLEAR_MAX && planned === undefined && !claimed && !open && over) return { due_at: undefined, payload: {}, priority: PRIORITY.poll };
  const gap = UNCLEAR_GAPS_MS[Math.min(unclear, UNCLEAR_GAPS_MS.length) - 1]!;
  const wait = refused ? (outcome.refusal.retry_after_s ?? 0) * SECOND_MS : 0;
  return { due_at: now + Math.max(gap, wait), payload: { ...payload, unclear }, priority: open ? PRIORITY.money : PRIORITY.poll };
}

function reasonOf(payment: PaymentRow, outcome: Outcome<PaymentAnswer>): string {
  if (outcome.certainty === "unknown") return outcome.reason;
  if (outcome.certainty === "did_not") return outcome.refusal.message;
  return payment.wanted === null ? `it is still ${payment.status}` : `that it is closed is not confirmed; it is ${payment.status}`;
}

/** How many payments in a row that cannot be shown are opened in each other's place, the first one included. */
const UNUSABLE_MAX = 3;

function replacedSoFar(payments: readonly PaymentRow[], payment: PaymentRow): number {
  const before = payments.find((other) => other.id === payment.replaces);
  return before === undefined ? 1 : 1 + replacedSoFar(payments, before);
}

async function giveUpShowing(hub: Hub, payment: PaymentRow): Promise<void> {
  if (payment.needs_attention !== null) return;
  const needs_attention = `the gateway cannot show how to pay by ${payment.method}: ${UNUSABLE_MAX} payments in a row were canceled for that`;
  await hub.store.write((tx) => tx.updateTable("payments").set({ needs_attention }).where("id", "=", payment.id).execute());
  hub.signals.emit({ kind: "order", order_id: payment.order_id });
}

/**
 * The gateway held a payment that could not be shown, and this very run has canceled it there: another one is opened in its place. One that
 * was closed in any other way is not replaced, neither now nor by a later poll: nobody asks for it any more.
 */
async function replaceOrGiveUp(hub: Hub, before: PaymentRow, after: PaymentRow): Promise<void> {
  if (!isToBeReplaced(after) || !CLOSED_STATUSES.includes(after.status)) return;
  const canceled_now = isToBeReplaced(before) && LIVE_STATUSES.includes(before.status) && before.wanted === null && hub.hold.reason === undefined;
  if (canceled_now && (await openReplacement(hub, after))) return;
  await hub.store.write(async (tx) => {
    await lockOrder(hub.store, tx, after.order_id);
    const payment = await findPayment(tx, undefined, after.id);
    invariant(payment, `payment ${after.id} is gone`);
    await tx
      .updateTable("payments")
      .set({ handles: JSON.stringify(withoutReplacement(payment)) })
      .where("id", "=", payment.id)
      .execute();
  });
}

/** @returns whether another one was opened, or is being opened, in its place. */
async function openReplacement(hub: Hub, payment: PaymentRow): Promise<boolean> {
  const bundle = await hub.store.read((db) => findBundle(db, undefined, payment.order_id));
  invariant(bundle, "a payment has its order");
  if (replacedSoFar(bundle.payments, payment) >= UNUSABLE_MAX) {
    await giveUpShowing(hub, payment);
    return false;
  }
  try {
    const chosen = await chooseMethod(hub, payment.shop_id, payment.method, bundle.slugs.get(payment.account_id));
    const next = await insertPayment(hub, payment.order_id, chosen, { callback_url: payment.callback_url ?? undefined }, payment.id, async () => {});
    await askGateway(hub, next.id, "open", `in place of ${payment.id}`, PRIORITY.money);
    return true;
  } catch (error) {
    if (!(error instanceof LunasError)) throw error;
    return false;
  }
}
