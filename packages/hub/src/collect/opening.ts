import { invariant, type Refusal } from "@lunas/domain";
import type { Hub } from "../hub.ts";
import { tellPayment } from "./apply.ts";
import { withoutUnanswered } from "./attention.ts";
import { findPayment, lockOrder, type OrderBundle, type PaymentRow, readBundle } from "./rows.ts";

/** The gateway has not yet said that it knows it. */
export const OPENING_STATUSES: readonly PaymentRow["status"][] = ["created", "submitted"];

/** How long a call that opens a payment may take before somebody else picks it up: longer than all of a connector's time-outs. */
export const OPEN_PATIENCE_MS = 60_000;

/** The same for a call that goes on with an opening: it asks before it calls, and may ask after it once more. */
const CONTINUE_PATIENCE_MS = 90_000;

/** Until when a call that opens it may be on its way, or undefined once something came of it. */
export function openingUnderWayUntil(payment: PaymentRow): number | undefined {
  return payment.opening_until ?? undefined;
}

/**
 * Takes the opening of a payment for one call that goes on with it. Two at once would undo one another: a hosted page that is made again makes
 * void the one before, and nobody could say which of the two answers is the later one.
 * @returns whether it is the caller's: otherwise somebody else is at it, or it is over.
 */
export async function takeOpening(hub: Hub, before: PaymentRow): Promise<boolean> {
  return hub.store.write(async (tx) => {
    await lockOrder(hub.store, tx, before.order_id);
    const now = hub.clocks.business.now();
    const taken = await tx
      .updateTable("payments")
      .set({ opening_until: now + CONTINUE_PATIENCE_MS })
      .where("id", "=", before.id)
      .where("version", "=", before.version)
      .where("status", "in", [...OPENING_STATUSES])
      .where("wanted", "=", "open")
      .where((eb) => eb.or([eb("opening_until", "is", null), eb("opening_until", "<=", now)]))
      .executeTakeFirst();
    return taken.numUpdatedRows > 0n;
  });
}

/** Refusals that say nothing about this payment: it stays submitted and is tried again. */
const PASSING: readonly Refusal["code"][] = ["rate_limited"];

/** Refusals that will meet every payment of this account or method until a person does something about it. */
function attentionOf({ code, message }: Refusal): string | undefined {
  if (code === "unauthorized") return "the gateway refuses this account's credentials";
  return code === "unsupported" ? `the gateway does not take this method for this account (${message})` : undefined;
}

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
      needs_attention: attentionOf(refusal) ?? withoutUnanswered(payment.needs_attention),
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
    const needs_attention = withoutUnanswered(payment.needs_attention);
    const after: PaymentRow = { ...payment, status, wanted: null, needs_attention, version: payment.version + 1, updated_at: now };
    await tx
      .updateTable("payments")
      .set({ status, wanted: null, needs_attention, version: after.version, updated_at: now })
      .where("id", "=", after.id)
      .execute();
    return { payment: after, bundle: await tellPayment(hub, tx, order, payment, after, cause, null) };
  });
  if (!closed) return undefined;
  hub.signals.emit({ kind: "order", order_id: before.order_id });
  hub.signals.emit({ kind: "deliveries" });
  return closed;
}
