import { invariant, type Refusal } from "@lunas/domain";
import type { Hub } from "../hub.ts";
import { tellPayment } from "./apply.ts";
import { findPayment, lockOrder, type OrderBundle, type PaymentRow, readBundle } from "./rows.ts";

/** The gateway has not yet said that it knows it. */
export const OPENING_STATUSES: readonly PaymentRow["status"][] = ["created", "submitted"];

/** How long a call that opens a payment may take before somebody else picks it up: longer than all of a connector's time-outs. */
export const OPEN_PATIENCE_MS = 60_000;

/** Until when the first call that opens it may be on its way, or undefined once something came of it. */
export function openingUnderWayUntil(payment: PaymentRow): number | undefined {
  const answered = payment.last_asked_at !== null || payment.waiting_for_quota_until !== null;
  return answered || payment.submitted_at === null ? undefined : payment.submitted_at + OPEN_PATIENCE_MS;
}

/** Refusals that say nothing about this payment: it stays submitted and is tried again. */
const PASSING: readonly Refusal["code"][] = ["rate_limited"];

/** The gateway surely did not open it: the payment has failed, and no money can come of it. */
export async function failOpening(
  hub: Hub,
  before: PaymentRow,
  refusal: Refusal,
  cause: string,
): Promise<{ payment: PaymentRow; bundle: OrderBundle }> {
  const failed = await hub.store.write(async (tx) => {
    const order = await lockOrder(hub.store, tx, before.order_id);
    const payment = await findPayment(tx, undefined, before.id);
    invariant(payment, `payment ${before.id} is gone`);
    if (!OPENING_STATUSES.includes(payment.status) || payment.version !== before.version || PASSING.includes(refusal.code))
      return { payment, bundle: await readBundle(tx, order) };
    const after: PaymentRow = {
      ...payment,
      status: "failed",
      wanted: null,
      version: payment.version + 1,
      updated_at: hub.clocks.business.now(),
      needs_attention: refusal.code === "unauthorized" ? "the gateway refuses this account's credentials" : payment.needs_attention,
    };
    await tx
      .updateTable("payments")
      .set({ status: after.status, wanted: null, version: after.version, updated_at: after.updated_at, needs_attention: after.needs_attention })
      .where("id", "=", after.id)
      .execute();
    const bundle = await tellPayment(hub, tx, order, payment, after, cause, null);
    return { payment: after, bundle };
  });
  hub.signals.emit({ kind: "order", order_id: before.order_id });
  hub.signals.emit({ kind: "deliveries" });
  return failed;
}

/**
 * The gateway does not know a payment that is to be closed, and no call that could still open it is on its way: then it is closed. Until
 * then it stays, because what is canceled too early could come to life at the gateway.
 */
export async function closeUnopened(hub: Hub, before: PaymentRow, cause: string): Promise<{ payment: PaymentRow; bundle: OrderBundle } | undefined> {
  if (!OPENING_STATUSES.includes(before.status) || before.wanted === "open" || before.wanted === null) return undefined;
  const closed = await hub.store.write(async (tx) => {
    const order = await lockOrder(hub.store, tx, before.order_id);
    const payment = await findPayment(tx, undefined, before.id);
    invariant(payment, `payment ${before.id} is gone`);
    if (payment.version !== before.version || payment.wanted === "open" || payment.wanted === null) return undefined;
    const now = hub.clocks.business.now();
    const calls = tx
      .selectFrom("answers")
      .select((eb) => eb.fn.max("answered_at").as("answered_at"))
      .where("subject_id", "=", payment.id)
      .where("operation", "=", "open");
    const last_call = Math.max(payment.submitted_at ?? payment.created_at, (await calls.executeTakeFirst())?.answered_at ?? 0);
    if (now - last_call < OPEN_PATIENCE_MS) return undefined;
    const status = payment.wanted === "cancel" ? ("canceled" as const) : ("expired" as const);
    const after: PaymentRow = { ...payment, status, wanted: null, version: payment.version + 1, updated_at: now };
    await tx.updateTable("payments").set({ status, wanted: null, version: after.version, updated_at: now }).where("id", "=", after.id).execute();
    return { payment: after, bundle: await tellPayment(hub, tx, order, payment, after, cause, null) };
  });
  if (!closed) return undefined;
  hub.signals.emit({ kind: "order", order_id: before.order_id });
  hub.signals.emit({ kind: "deliveries" });
  return closed;
}
