import { COLLECTED_STATUSES, nextPaidPoll, nextPaymentPoll } from "@lunas/domain";
import type { Hub } from "../hub.ts";
import type { PaymentRow } from "./rows.ts";

/** When the schedule has the next question about a payment as it stands now; undefined when it has none. */
export function plannedPoll(hub: Pick<Hub, "providers">, payment: PaymentRow, now: number): number | undefined {
  if (COLLECTED_STATUSES.includes(payment.status)) return payment.paid_at === null ? undefined : nextPaidPoll(payment.paid_at, now);
  const kind = hub.providers.get(payment.provider)?.capabilities.methods[payment.method]?.polls ?? "va";
  return nextPaymentPoll(kind, payment.opened_at ?? payment.created_at, payment.expires_at, now);
}
