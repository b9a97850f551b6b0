import { type Gateway, invariant, LunasError, type Outcome, type PaymentAnswer } from "@lunas/domain";
import type { Hub } from "../hub.ts";
import { accountById, gatewayOf } from "./accounts.ts";
import { type Applied, applyPaymentFinding } from "./apply.ts";
import { CALLS_OF_TWO_STEPS, MeteredHttp, takeCall } from "./budget.ts";
import { closeUnopened, failOpening, OPENING_STATUSES, openingUnderWayUntil, takeOpening } from "./opening.ts";
import { findPayment, type OrderRow, type PaymentRow } from "./rows.ts";
import { openIntent, paymentSubject } from "./subject.ts";
import { idsToAsk, readTransactions } from "./transactions.ts";

/** What came of turning to the gateway about a payment. */
export type Asked =
  | ({
      readonly asked: true;
      readonly outcome: Outcome<PaymentAnswer>;
      /** The budget was spent before the operation came to an end: from here on it is worth going on. */
      readonly waiting_until?: number;
    } & Applied)
  /** Not now: the budget is spent, or (`under_way`) somebody else is at its opening, which must not be called for twice at once. */
  | { readonly asked: false; readonly waiting_until: number; readonly payment: PaymentRow; readonly under_way?: true };

export type PaymentOperation = "open" | "continue" | "get" | "cancel" | "expire";

/** They send a command and ask how it stands, or the other way round: where the gateway refuses the one, only the other says what has happened. */
const TWO_STEPS: readonly PaymentOperation[] = ["continue", "cancel", "expire"];

/** What a turn to the gateway is for. */
export interface Purpose {
  /** `api`, `buyer`, `poll`, `notification ntf_…`, … */
  readonly cause: string;
  readonly priority: number;
  /** The caller itself writes down when the next question is due. */
  readonly plans_next?: true;
}

/**
 * Turns to the gateway about a payment, within the account's budget, and applies what it says. The one way by which a payment's
 * state can change. No transaction is open while it asks.
 */
export async function askGateway(hub: Hub, payment_id: string, wished: PaymentOperation, cause: string, priority: number): Promise<Asked> {
  return turnTo(hub, payment_id, wished, { cause, priority });
}

/** As `askGateway`, for whoever has more to say of its purpose. */
export async function turnTo(hub: Hub, payment_id: string, wished: PaymentOperation, purpose: Purpose): Promise<Asked> {
  if (wished !== "get") refuseOnHold(hub);
  let { payment, others } = await load(hub, payment_id);
  let operation = stillFits(wished, payment) ? wished : "get";
  const until = operation === "continue" ? openingUnderWayUntil(payment) : undefined;
  if (until !== undefined && hub.clocks.business.now() < until) return { asked: false, under_way: true, waiting_until: until, payment };
  const account = await accountById(hub, payment.account_id);
  // Before anything is taken for it: what fails here has begun nothing.
  const order = operation === "open" || operation === "continue" ? await orderOf(hub, payment) : undefined;
  const calls = TWO_STEPS.includes(operation) ? CALLS_OF_TWO_STEPS : 1;
  const grant = await takeCall(hub, account, purpose.priority, calls);
  if (!grant.granted) return { asked: false, ...(await showWaiting(hub, payment, grant.until, operation === "open")) };
  const network = new MeteredHttp(hub, account, purpose.priority, calls);
  if (operation === "continue" && !(await takeOpening(hub, payment))) {
    ({ payment, others } = await load(hub, payment_id));
    if (stillFits(wished, payment)) {
      await network.giveBack();
      return { asked: false, under_way: true, waiting_until: openingUnderWayUntil(payment) ?? hub.clocks.business.now(), payment };
    }
    operation = "get";
  }
  const asked_at = hub.clocks.business.now();
  const outcome = await call(gatewayOf(hub, account, network.send), order, payment, operation, others);
  const asked = await take(hub, payment, operation, outcome, { ...purpose, asked_at });
  // Not before the answer is kept: whatever goes wrong here, it is not lost.
  await network.giveBack();
  if (network.waiting_until === undefined || outcome.certainty !== "unknown") return asked;
  return { ...asked, ...(await showWaiting(hub, asked.payment, network.waiting_until, false)) };
}

async function take(
  hub: Hub,
  payment: PaymentRow,
  operation: PaymentOperation,
  outcome: Outcome<PaymentAnswer>,
  { cause, asked_at, plans_next }: Purpose & { readonly asked_at: number },
): Promise<Extract<Asked, { asked: true }>> {
  const recorded = operation === "continue" ? "open" : operation;
  const finding = { operation: recorded, outcome, cause, asked_at, ...(plans_next ? { plans_next } : {}) } as const;
  const applied = await applyPaymentFinding(hub, payment, finding);
  if (recorded === "open" && outcome.certainty === "did_not") {
    const failed = await failOpening(hub, payment, outcome.refusal, cause);
    return { asked: true, outcome, ...applied, ...failed };
  }
  if (outcome.certainty === "did_not" && outcome.refusal.code === "not_found") {
    return { asked: true, outcome, ...applied, ...(await closeUnopened(hub, payment, cause)) };
  }
  return { asked: true, outcome, ...applied };
}

/** A payment that is open, over or to be closed since it was looked at is not opened any more: a hosted page would come to life again. */
function stillFits(operation: PaymentOperation, payment: PaymentRow): boolean {
  return (operation !== "open" && operation !== "continue") || (OPENING_STATUSES.includes(payment.status) && payment.wanted === "open");
}

function call(
  gateway: Gateway,
  order: OrderRow | undefined,
  payment: PaymentRow,
  operation: PaymentOperation,
  others: readonly string[],
): Promise<Outcome<PaymentAnswer>> {
  const subject = paymentSubject(payment, others);
  switch (operation) {
    case "open":
    case "continue":
      invariant(order, "a payment is opened for its order");
      return gateway.open(openIntent(order, payment, operation === "open"));
    case "get":
      return gateway.get(subject);
    case "cancel":
      return gateway.cancel(subject);
    case "expire":
      return gateway.expire(subject);
  }
}

/** @returns with `others`: the transactions under its reference that are asked about beside its own. */
async function load(hub: Hub, payment_id: string): Promise<{ payment: PaymentRow; others: string[] }> {
  return hub.store.read(async (db) => {
    const payment = await findPayment(db, undefined, payment_id);
    invariant(payment, `payment ${payment_id} is gone`);
    return { payment, others: idsToAsk(payment, await readTransactions(db, [payment_id])) };
  });
}

async function orderOf(hub: Hub, payment: PaymentRow): Promise<OrderRow> {
  const order = await hub.store.read((db) => db.selectFrom("orders").selectAll().where("id", "=", payment.order_id).executeTakeFirst());
  invariant(order, `order ${payment.order_id} is gone`);
  return order;
}

/** @param unsent whether it was to be the first call that opens it: then none is on its way, and whoever comes may go on. */
async function showWaiting(hub: Hub, payment: PaymentRow, until: number, unsent: boolean): Promise<{ waiting_until: number; payment: PaymentRow }> {
  const waiting = { waiting_for_quota_until: until, ...(unsent ? { opening_until: null } : {}) };
  await hub.store.write((tx) => tx.updateTable("payments").set(waiting).where("id", "=", payment.id).execute());
  return { waiting_until: until, payment: { ...payment, ...waiting } };
}

/** A restored database may be older than the world: until it has caught up, nothing that moves money is sent. */
export function refuseOnHold(hub: Pick<Hub, "hold">): void {
  if (hub.hold.reason !== undefined) throw new LunasError("on_hold", { detail: `The hub is on hold (${hub.hold.reason}).` });
}
