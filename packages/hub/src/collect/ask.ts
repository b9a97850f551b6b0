import { invariant, LunasError, type Outcome, type PaymentAnswer } from "@lunas/domain";
import type { Hub } from "../hub.ts";
import { accountById, gatewayOf, type OpenAccount } from "./accounts.ts";
import { type Applied, applyPaymentFinding } from "./apply.ts";
import { type Grant, takeCall } from "./budget.ts";
import { closeUnopened, failOpening, OPENING_STATUSES, openingUnderWayUntil } from "./opening.ts";
import { findBundle, findPayment, type OrderBundle, type PaymentRow } from "./rows.ts";
import { openIntent, paymentSubject } from "./subject.ts";

/** What came of turning to the gateway about a payment. */
export type Asked =
  | ({ readonly asked: true; readonly outcome: Outcome<PaymentAnswer> } & Applied)
  /** Not now: the budget is spent, or (`under_way`) somebody else is at its opening, which must not be called for twice at once. */
  | { readonly asked: false; readonly waiting_until: number; readonly payment: PaymentRow; readonly under_way?: true };

export type PaymentOperation = "open" | "continue" | "get" | "cancel" | "expire";

/**
 * Turns to the gateway about a payment, within the account's budget, and applies what it says. The one way by which a payment's
 * state can change. No transaction is open while it asks.
 */
export async function askGateway(hub: Hub, payment_id: string, wished: PaymentOperation, cause: string, priority: number): Promise<Asked> {
  if (wished !== "get") refuseOnHold(hub);
  const { payment, bundle } = await load(hub, payment_id);
  const operation = stillFits(wished, payment) ? wished : "get";
  const until = operation === "continue" ? openingUnderWayUntil(payment) : undefined;
  if (until !== undefined && hub.clocks.business.now() < until) return { asked: false, under_way: true, waiting_until: until, payment };
  const account = await accountById(hub, payment.account_id);
  const grant = await takeCall(hub, account, priority);
  if (!grant.granted) return { asked: false, ...(await showWaiting(hub, payment, grant)) };
  const asked_at = hub.clocks.business.now();
  const outcome = await call(hub, account, bundle, payment, operation);
  const recorded = operation === "continue" ? "open" : operation;
  const applied = await applyPaymentFinding(hub, payment, { operation: recorded, outcome, cause, asked_at });
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
  hub: Hub,
  account: OpenAccount,
  bundle: OrderBundle,
  payment: PaymentRow,
  operation: PaymentOperation,
): Promise<Outcome<PaymentAnswer>> {
  const gateway = gatewayOf(hub, account);
  const subject = paymentSubject(payment);
  switch (operation) {
    case "open":
      return gateway.open(openIntent(bundle.order, payment, true));
    case "continue":
      return gateway.open(openIntent(bundle.order, payment, false));
    case "get":
      return gateway.get(subject);
    case "cancel":
      return gateway.cancel(subject);
    case "expire":
      return gateway.expire(subject);
  }
}

async function load(hub: Hub, payment_id: string): Promise<{ payment: PaymentRow; bundle: OrderBundle }> {
  return hub.store.read(async (db) => {
    const payment = await findPayment(db, undefined, payment_id);
    invariant(payment, `payment ${payment_id} is gone`);
    const bundle = await findBundle(db, undefined, payment.order_id);
    invariant(bundle, `order ${payment.order_id} is gone`);
    return { payment, bundle };
  });
}

async function showWaiting(
  hub: Hub,
  payment: PaymentRow,
  grant: Extract<Grant, { granted: false }>,
): Promise<{ waiting_until: number; payment: PaymentRow }> {
  await hub.store.write((tx) => tx.updateTable("payments").set({ waiting_for_quota_until: grant.until }).where("id", "=", payment.id).execute());
  return { waiting_until: grant.until, payment: { ...payment, waiting_for_quota_until: grant.until } };
}

/** A restored database may be older than the world: until it has caught up, nothing that moves money is sent. */
export function refuseOnHold(hub: Pick<Hub, "hold">): void {
  if (hub.hold.reason !== undefined) throw new LunasError("on_hold", { detail: `The hub is on hold (${hub.hold.reason}).` });
}
