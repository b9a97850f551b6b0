import {
  CLOSED_STATUSES,
  COLLECTED_STATUSES,
  invariant,
  LIVE_STATUSES,
  LunasError,
  MINUTE_MS,
  nextPaidPoll,
  nextPaymentPoll,
  SECOND_MS,
  UNCONFIRMED_GAPS_MS,
} from "@lunas/domain";
import { chooseMethod } from "../collect/accounts.ts";
import { askGateway, type Asked } from "../collect/ask.ts";
import { flagUnconfirmed } from "../collect/unconfirmed.ts";
import { claimIsOpen, DOUBT_MS, isInDoubt } from "../collect/evidence.ts";
import { insertPayment } from "../collect/payments.ts";
import { findBundle, findPayment, type PaymentRow } from "../collect/rows.ts";
import type { Hub } from "../hub.ts";
import { type Job, PRIORITY } from "../store/jobs.ts";

/** What a job of a payment carries between its runs. */
export interface PaymentJobPayload {
  /** What a verified notification says of it, while no answer has confirmed it. */
  claim?: string;
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
/** A payment that the gateway still calls pending this long after its time is expired there by command. */
const EXPIRE_BY_COMMAND_MS = 2 * MINUTE_MS;

/** Does what is due for a payment: continue an opening, finish a wish, or ask; and says when it is due again. */
export async function runPaymentJob(hub: Hub, job: Job): Promise<NextRun> {
  const payload = job.payload as PaymentJobPayload;
  const payment = await hub.store.read((db) => findPayment(db, undefined, job.subject_id));
  if (!payment) return { due_at: undefined, payload: {}, priority: PRIORITY.poll };
  const asked = await turnToGateway(hub, payment, job, payload.cause ?? "poll");
  if (asked === undefined) return later(hub, hub.clocks.business.now() + MINUTE_MS, payload);
  if (!asked.asked) return { due_at: asked.waiting_until, payload, priority: job.priority };
  if (asked.verdict === "superseded") return { due_at: hub.clocks.business.now(), payload, priority: job.priority };
  if (asked.payment.handles["unusable"] && CLOSED_STATUSES.includes(asked.payment.status)) await openReplacement(hub, asked.payment);
  return planNext(hub, asked.payment, asked, payload);
}

async function turnToGateway(hub: Hub, payment: PaymentRow, job: Job, cause: string): Promise<Asked | undefined> {
  const held = hub.hold.reason !== undefined;
  const now = hub.clocks.business.now();
  const opening = payment.status === "created" || payment.status === "submitted";
  // While on hold questions are allowed, commands are not.
  if (held) return askGateway(hub, payment.id, "get", cause, job.priority);
  if (opening && payment.wanted === "open") return askGateway(hub, payment.id, "continue", cause, PRIORITY.money);
  if (!LIVE_STATUSES.includes(payment.status)) return askGateway(hub, payment.id, "get", cause, job.priority);
  if (payment.wanted === "cancel" || payment.wanted === "expire") return command(hub, payment, payment.wanted, cause, PRIORITY.money);
  if (payment.handles["unusable"]) return command(hub, payment, "cancel", "it cannot be shown to the buyer", PRIORITY.money);
  const asked = await askGateway(hub, payment.id, "get", cause, job.priority);
  return asked.asked && isOverdue(asked, now) ? command(hub, asked.payment, "expire", "expiry", job.priority) : asked;
}

/** A command, and where it is refused or unclear the question how it stands. */
async function command(hub: Hub, payment: PaymentRow, how: "cancel" | "expire", cause: string, priority: number): Promise<Asked> {
  const asked = await askGateway(hub, payment.id, how, cause, priority);
  return asked.asked && asked.outcome.certainty === "did" ? asked : askGateway(hub, payment.id, "get", cause, priority);
}

/** The clock alone never expires a payment: the gateway is told to, and its answer counts. */
function isOverdue(asked: Extract<Asked, { asked: true }>, now: number): boolean {
  const { payment, outcome } = asked;
  if (payment.status !== "pending" || outcome.certainty !== "did") return false;
  const unchosen = outcome.value.evidence.provider_id === undefined;
  return now >= payment.expires_at + (unchosen ? 0 : EXPIRE_BY_COMMAND_MS);
}

function later(hub: Hub, due_at: number, payload: PaymentJobPayload): NextRun {
  return { due_at: Math.max(due_at, hub.clocks.business.now()), payload, priority: PRIORITY.poll };
}

async function planNext(hub: Hub, payment: PaymentRow, asked: Extract<Asked, { asked: true }>, payload: PaymentJobPayload): Promise<NextRun> {
  const now = hub.clocks.business.now();
  const planned = plannedPoll(hub, payment, now);
  const open =
    LIVE_STATUSES.includes(payment.status) &&
    (payment.status === "submitted" || payment.wanted !== null || payment.handles["unusable"] !== undefined);
  const claimed = claimIsOpen(payment.status, payload.claim);
  const { outcome } = asked;
  // That it does not know the payment is an answer too, unless the payment is still to be opened or closed.
  const clear = outcome.certainty === "did" || (outcome.certainty === "did_not" && outcome.refusal.code === "not_found" && !open);
  if (!clear) {
    if (outcome.certainty === "did_not" && !open && !claimed) return { due_at: planned, payload: {}, priority: PRIORITY.poll };
    const unclear = (payload.unclear ?? 0) + 1;
    if (unclear > UNCLEAR_MAX && planned === undefined && !claimed && !LIVE_STATUSES.includes(payment.status))
      return { due_at: undefined, payload: {}, priority: PRIORITY.poll };
    const gap = UNCLEAR_GAPS_MS[Math.min(unclear, UNCLEAR_GAPS_MS.length) - 1]!;
    const wait = outcome.certainty === "did_not" ? (outcome.refusal.retry_after_s ?? 0) * SECOND_MS : 0;
    return { due_at: now + Math.max(gap, wait), payload: { ...payload, unclear }, priority: open ? PRIORITY.money : PRIORITY.poll };
  }
  if (isInDoubt(payment)) return { due_at: now + DOUBT_MS, payload, priority: PRIORITY.notified };
  if (claimed) {
    if (payload.claim_due !== undefined && now < payload.claim_due) return { due_at: payload.claim_due, payload, priority: PRIORITY.notified };
    const step = payload.claim_step ?? 0;
    const gap = UNCONFIRMED_GAPS_MS[step];
    const next = gap === undefined ? undefined : { ...payload, claim_step: step + 1, claim_due: now + gap, unclear: 0 };
    if (next) return { due_at: next.claim_due, payload: next, priority: PRIORITY.notified };
    await flagUnconfirmed(hub, payment.id, payload.claim ?? "", payload.cause ?? "notification");
  }
  return { due_at: open ? now + 5 * SECOND_MS : planned, payload: {}, priority: open ? PRIORITY.money : PRIORITY.poll };
}

function plannedPoll(hub: Hub, payment: PaymentRow, now: number): number | undefined {
  const kind = hub.providers.get(payment.provider)?.capabilities.methods[payment.method]?.polls ?? "va";
  if (COLLECTED_STATUSES.includes(payment.status)) return payment.paid_at === null ? undefined : nextPaidPoll(payment.paid_at, now);
  return nextPaymentPoll(kind, payment.opened_at ?? payment.created_at, payment.expires_at, now);
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

/** The gateway held a payment that could not be shown; it is known to be canceled, so another one may be opened in its place. */
async function openReplacement(hub: Hub, payment: PaymentRow): Promise<void> {
  const bundle = await hub.store.read((db) => findBundle(db, undefined, payment.order_id));
  invariant(bundle, "a payment has its order");
  const replaced = bundle.payments.some((other) => other.replaces === payment.id || LIVE_STATUSES.includes(other.status) || other.collected > 0n);
  if (replacedSoFar(bundle.payments, payment) >= UNUSABLE_MAX) return giveUpShowing(hub, payment);
  if (replaced || bundle.order.closed !== null || hub.clocks.business.now() >= bundle.order.expires_at) return;
  const slug = bundle.slugs.get(payment.account_id);
  try {
    const chosen = await chooseMethod(hub, payment.shop_id, payment.method, slug);
    const next = await insertPayment(hub, payment.order_id, chosen, { callback_url: payment.callback_url ?? undefined }, payment.id, async () => {});
    await askGateway(hub, next.id, "open", `in place of ${payment.id}`, PRIORITY.money);
  } catch (error) {
    if (!(error instanceof LunasError)) throw error;
  }
}
