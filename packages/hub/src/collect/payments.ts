import { COLLECTED_STATUSES, deriveReference, invariant, LunasError, money, type Outcome, type PaymentAnswer, wholeUnits } from "@lunas/domain";
import { sql } from "kysely";
import type { Hub } from "../hub.ts";
import { armJob, jobKey, PRIORITY } from "../store/jobs.ts";
import { ROUTE, type Tx } from "../store/index.ts";
import { type AvailableMethod, chooseMethod } from "./accounts.ts";
import { askGateway, type Asked, refuseOnHold } from "./ask.ts";
import { wishClosed } from "./closing.ts";
import { rederiveOrder } from "./derive.ts";
import { OPEN_PATIENCE_MS } from "./opening.ts";
import { getOrder } from "./orders.ts";
import { plannedPoll } from "./planned-poll.ts";
import { findBundle, findPayment, lockOrder, type OrderBundle, type PaymentRow, readBundle } from "./rows.ts";
import { closingWish, mayStillBePaid } from "./still-payable.ts";
import { rememberUnmatched } from "./transactions.ts";
import { isToBeReplaced } from "./unusable.ts";

export interface NewPayment {
  readonly method: string;
  readonly account?: string | undefined;
  readonly callback_url?: string | undefined;
}

export interface Opened {
  readonly bundle: OrderBundle;
  readonly payment: PaymentRow;
}

/**
 * Opens a payment of an order. Older payments that are still live are canceled at their gateway first.
 * The row and its derived reference are committed before the gateway is called; whatever happens then, the row is found and asked about.
 */
export async function createPayment(
  hub: Hub,
  shop_id: string,
  order_id: string,
  wish: NewPayment,
  cause: string,
  begin: (tx: Tx, id: string) => Promise<void>,
): Promise<Opened> {
  refuseOnHold(hub);
  const chosen = await chooseMethod(hub, shop_id, wish.method, wish.account);
  const before = await getOrder(hub, shop_id, order_id);
  refuseUnlessPayable(hub, before);
  checkAmount(before, chosen);
  for (const older of before.payments) if (mayStillBePaid(hub, older)) await clearTheWay(hub, older, cause);
  const payment = await insertPayment(hub, order_id, chosen, wish, null, begin);
  return openPayment(hub, payment.id, "open", cause);
}

/** Calls the gateway for a submitted payment, or continues to after a crash or an unclear answer. */
export async function openPayment(hub: Hub, payment_id: string, how: "open" | "continue", cause: string): Promise<Opened> {
  const asked = await askGateway(hub, payment_id, how, cause, PRIORITY.money);
  if (!asked.asked) {
    await scheduleNext(hub, asked.payment, asked.waiting_until);
    const why = asked.under_way
      ? "The payment is being opened by another request."
      : "The account's call budget is used up for the moment; the payment is opened as soon as it allows.";
    throw new LunasError("gateway_unclear", { detail: why, extra: { payment_id } });
  }
  const { outcome, payment, bundle } = asked;
  await scheduleNext(hub, payment, asked.waiting_until);
  if (payment.status === "failed" && outcome.certainty === "did_not") {
    const { refusal } = outcome;
    throw new LunasError(refusal.code === "amount" ? "amount_not_supported" : "gateway_refused", {
      detail: refusal.message,
      extra: { payment_id },
      ...(refusal.fields ? { errors: refusal.fields } : {}),
    });
  }
  if (payment.status === "submitted" || isUnusable(outcome)) {
    throw new LunasError("gateway_unclear", { detail: reasonOf(outcome), extra: { payment_id } });
  }
  return { bundle, payment };
}

function isUnusable(outcome: Outcome<PaymentAnswer>): boolean {
  return outcome.certainty === "did" && outcome.value.unusable === true;
}

function reasonOf(outcome: Outcome<PaymentAnswer>): string {
  if (outcome.certainty === "unknown") return `The gateway gave no clear answer (${outcome.reason}). The payment is kept and is being asked about.`;
  if (outcome.certainty === "did_not") return `The gateway cannot do it now (${outcome.refusal.message}). The payment is tried again.`;
  return "The gateway holds this payment but cannot show how to pay it. It is canceled there, and another one is opened.";
}

function refuseUnlessPayable(hub: Hub, { order, payments }: Pick<OrderBundle, "order" | "payments">): void {
  const held = order.amount_paid - order.amount_refunded - order.amount_reversed;
  if (held >= order.amount) throw new LunasError("wrong_state", { detail: `The order is ${order.payment_status}: there is nothing left to pay.` });
  if (order.closed !== null) throw new LunasError("wrong_state", { detail: `The order is ${order.closed} and takes no more payments.` });
  if (hub.clocks.business.now() >= order.expires_at) throw new LunasError("wrong_state", { detail: "The order's time is over." });
  if (payments.some((payment) => COLLECTED_STATUSES.includes(payment.status))) {
    throw new LunasError("wrong_state", {
      detail: `Money has moved for this order (${order.payment_status}); another payment of the full amount would be too much.`,
    });
  }
}

function checkAmount({ order }: OrderBundle, { method, account }: AvailableMethod): void {
  const { capabilities } = account.provider;
  if (!capabilities.currencies.includes(order.currency)) {
    throw new LunasError("amount_not_supported", {
      detail: `${account.provider.label} takes ${capabilities.currencies.join(", ")}, the order is in ${order.currency}.`,
    });
  }
  if (!capabilities.fractional_amounts && wholeUnits(money(order.amount, order.currency)) === undefined) {
    throw new LunasError("amount_not_supported", {
      detail: `${account.provider.label} takes whole ${order.currency} only; the order's amount has a fraction (${method}).`,
    });
  }
}

/** The older payment is canceled before another is opened; if it turns out paid, or nobody knows, no other is opened. */
async function clearTheWay(hub: Hub, older: PaymentRow, cause: string): Promise<void> {
  const closed = await closePayment(hub, older.id, "cancel", cause, PRIORITY.money);
  if (COLLECTED_STATUSES.includes(closed.payment.status)) {
    throw new LunasError("wrong_state", { detail: "The order's earlier payment has just turned out to be paid.", extra: { payment_id: older.id } });
  }
  if (mayStillBePaid(hub, closed.payment)) {
    throw new LunasError("gateway_unclear", {
      detail: "The order's earlier payment could not yet be canceled at its gateway. Repeat the request.",
      extra: { payment_id: older.id },
    });
  }
}

export async function insertPayment(
  hub: Hub,
  order_id: string,
  { method, account }: AvailableMethod,
  wish: Pick<NewPayment, "callback_url">,
  replaces: string | null,
  begin: (tx: Tx, id: string) => Promise<void>,
): Promise<PaymentRow> {
  const capability = account.provider.capabilities.methods[method];
  invariant(capability, `method ${method} has no capability`);
  return hub.store.write(async (tx) => {
    const order = await lockOrder(hub.store, tx, order_id);
    const { payments } = await readBundle(tx, order);
    if (payments.some((payment) => mayStillBePaid(hub, payment)))
      throw new LunasError("conflict", { detail: "Another payment of this order was opened just now." });
    // It was looked at before, but only under its lock it stays as it is: it may have been canceled or paid since.
    refuseUnlessPayable(hub, { order, payments });
    refuseLateReplacement(payments, replaces);
    const attempt = Math.max(0, ...payments.map((payment) => payment.attempt)) + 1;
    const now = hub.clocks.business.now();
    const lifetime_ms = Math.min(Math.max(order.expires_at - now, capability.expiry_s.min * 1000), capability.expiry_s.default * 1000);
    const row: PaymentRow = {
      id: hub.newId("payment"),
      shop_id: order.shop_id,
      order_id,
      account_id: account.row.id,
      provider: account.provider.name,
      method,
      attempt,
      reference: deriveReference(
        { purpose: "payment", shop_id: order.shop_id, order_reference: order.reference, line: 0, unit: 0, attempt },
        account.provider.capabilities.reference,
      ),
      provider_id: null,
      handles: {},
      actions: [],
      amount: order.amount,
      currency: order.currency,
      status: "submitted",
      flags: [],
      collected: 0n,
      refunded: 0n,
      reversed: 0n,
      buyer_fee: 0n,
      callback_url: wish.callback_url ?? null,
      expires_at: now + lifetime_ms,
      submitted_at: now,
      opened_at: null,
      paid_at: null,
      last_asked_at: null,
      wanted: "open",
      replaces,
      waiting_for_quota_until: null,
      needs_attention: null,
      opening_until: now + OPEN_PATIENCE_MS,
      closed_at: null,
      version: 1,
      created_at: now,
      updated_at: now,
    };
    await tx
      .insertInto("payments")
      .values({ ...row, handles: "{}", actions: "[]", flags: "[]" })
      .execute();
    await armJob(tx, { kind: "payment", subject_id: row.id, account_id: row.account_id, due_at: now + OPEN_PATIENCE_MS, priority: PRIORITY.money });
    await rederiveOrder(hub, tx, order, "payment opened", null);
    await meetParked(tx, row);
    await begin(tx, row.id);
    return row;
  });
}

/** Only the last payment of an order is replaced, and only while nobody has decided otherwise. */
function refuseLateReplacement(payments: readonly PaymentRow[], replaces: string | null): void {
  if (replaces === null) return;
  const last = payments.at(-1);
  if (!last || last.id !== replaces || !isToBeReplaced(last))
    throw new LunasError("conflict", { detail: "The payment is not to be replaced any more." });
}

/** Notifications that came before their payment was known (after a restore, say) are looked at again. */
async function meetParked(tx: Tx, payment: PaymentRow): Promise<void> {
  await tx
    .updateTable("notifications")
    .set({ route: ROUTE.new })
    .where("account_id", "=", payment.account_id)
    .where("reference", "=", payment.reference)
    .where("route", "=", ROUTE.parked)
    .execute();
  // It is matched when an answer makes it this payment's money: there may be more of it than one payment can have.
  await rememberUnmatched(tx, payment, payment.created_at);
}

/** How long a call that closes a payment may take before its job picks the wish up. */
const CLOSE_PATIENCE_MS = 30_000;

/** Cancels or expires a payment at its gateway. The wish is written down first, so that a crash does not forget it. */
export async function closePayment(hub: Hub, payment_id: string, how: "cancel" | "expire", cause: string, priority: number): Promise<Opened> {
  refuseOnHold(hub);
  await hub.store.write(async (tx) => {
    const found = await findPayment(tx, undefined, payment_id);
    invariant(found, `payment ${payment_id} is gone`);
    await lockOrder(hub.store, tx, found.order_id);
    const payment = await findPayment(tx, undefined, payment_id);
    invariant(payment, `payment ${payment_id} is gone`);
    if (mayStillBePaid(hub, payment)) await wishClosed(tx, payment, how, hub.clocks.business.now() + CLOSE_PATIENCE_MS);
  });
  const asked: Asked = await askGateway(hub, payment_id, how, cause, priority);
  // A refusal ("its state does not allow it"), an unclear answer, and a clear one that somebody else's answer overtook leave one thing to do: ask
  // how it stands. Whoever closed it and does not know so would leave the order without any payment that can be paid.
  const clear = asked.asked && asked.outcome.certainty === "did" && asked.verdict !== "superseded";
  const settled = clear ? asked : await askGateway(hub, payment_id, "get", cause, priority);
  const bundle = settled.asked ? settled.bundle : await hub.store.read((db) => findBundle(db, undefined, settled.payment.order_id));
  invariant(bundle, "the order is there");
  await scheduleNext(hub, settled.payment, undefined);
  return { bundle, payment: settled.payment };
}

/** Writes down when the gateway is asked next about this payment. `sooner` is for what was left unclear. */
export async function scheduleNext(hub: Hub, payment: PaymentRow, sooner: number | undefined): Promise<void> {
  const now = hub.clocks.business.now();
  const unclear = payment.status === "submitted" || closingWish(hub, payment) !== undefined;
  // It cannot be shown to the buyer, who is waiting: it is canceled and replaced at once.
  const unusable = payment.status === "pending" && isToBeReplaced(payment);
  const due_at = unusable ? now : unclear ? (sooner ?? now + 5_000) : plannedPoll(hub, payment, now);
  if (due_at === undefined) return;
  const job = { kind: "payment", subject_id: payment.id, account_id: payment.account_id, due_at, priority: PRIORITY.money };
  await hub.store.write((tx): Promise<unknown> => {
    // Whatever the job waits for, a buyer is waiting now.
    if (unusable) return armJob(tx, job);
    // Not while a worker is at it, and not over what a notification asked for meanwhile.
    return tx
      .updateTable("jobs")
      .set({ due_at })
      .where("key", "=", jobKey("payment", payment.id))
      .where("lease_until", "is", null)
      .where(sql`payload`, "=", "{}")
      .execute();
  });
  hub.signals.emit({ kind: "jobs" });
}
