import type { Hub } from "../hub.ts";
import { armJob, PRIORITY } from "../store/jobs.ts";
import type { Tx } from "../store/index.ts";
import type { OrderBundle, PaymentRow } from "./rows.ts";
import { closingWish, mayStillBePaid } from "./still-payable.ts";
import { withoutReplacement } from "./unusable.ts";

/**
 * Writes down that a payment is to be closed, in a transaction that holds its order's lock: whoever applies an answer writes the whole row, and
 * could write over a wish that came without. Its job closes it from `due_at` on, until that is certain.
 */
export async function wishClosed(tx: Tx, payment: PaymentRow, how: "cancel" | "expire", due_at: number): Promise<PaymentRow> {
  const handles = withoutReplacement(payment);
  await tx
    .updateTable("payments")
    .set({ wanted: how, handles: JSON.stringify(handles) })
    .where("id", "=", payment.id)
    .execute();
  await armJob(tx, { kind: "payment", subject_id: payment.id, account_id: payment.account_id, due_at, priority: PRIORITY.money });
  return { ...payment, wanted: how, handles };
}

/** A paid order needs no other payment: what could still be paid of it is to be canceled, or its buyer pays twice. */
export async function closeWhatIsLeft(hub: Hub, tx: Tx, bundle: OrderBundle): Promise<OrderBundle> {
  if (bundle.order.payment_status !== "paid") return bundle;
  const payments: PaymentRow[] = [];
  for (const payment of bundle.payments) {
    const left = mayStillBePaid(hub, payment) && closingWish(hub, payment) === undefined;
    payments.push(left ? await wishClosed(tx, payment, "cancel", hub.clocks.business.now()) : payment);
  }
  return { ...bundle, payments };
}
