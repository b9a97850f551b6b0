import { CLOSED_STATUSES, LIVE_STATUSES } from "@lunas/domain";
import type { Hub } from "../hub.ts";
import type { PaymentRow } from "./rows.ts";

type PayableHub = Pick<Hub, "providers" | "clocks">;

/**
 * Whether money may still come of it: it is open, or it is a hosted page that is not known to be closed. The end of an attempt on a page is
 * not the end of the page: until its time is over its buyer may try again on it (midtrans.md §3).
 */
export function mayStillBePaid(hub: PayableHub, payment: PaymentRow): boolean {
  if (LIVE_STATUSES.includes(payment.status)) return true;
  const kind = hub.providers.get(payment.provider)?.capabilities.methods[payment.method]?.kind;
  const open = CLOSED_STATUSES.includes(payment.status) && payment.opened_at !== null && payment.closed_at === null;
  return kind === "hosted" && open && hub.clocks.business.now() < payment.expires_at;
}

/** How it is to be closed at its gateway, while it is not yet known to be. */
export function closingWish(hub: PayableHub, payment: PaymentRow): "cancel" | "expire" | undefined {
  if (payment.wanted !== "cancel" && payment.wanted !== "expire") return undefined;
  return mayStillBePaid(hub, payment) ? payment.wanted : undefined;
}

/** A wish is fulfilled or void once no money can come of the payment any more. */
export function wantedAfter(hub: PayableHub, after: PaymentRow): PaymentRow["wanted"] {
  return after.status === "submitted" || after.status === "created" ? after.wanted : (closingWish(hub, after) ?? null);
}
