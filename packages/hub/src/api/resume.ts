import { LIVE_STATUSES, LunasError } from "@lunas/domain";
import { openPayment } from "../collect/payments.ts";
import { sendRefund } from "../collect/refunds.ts";
import type { OrderBundle, PaymentRow } from "../collect/rows.ts";
import { hurryReplacement, isToBeReplaced, isUnusable } from "../collect/unusable.ts";
import { paymentView, type PaymentView, refundView, type RefundView } from "../collect/views.ts";
import type { Hub } from "../hub.ts";
import { readPayment, readRefund } from "./bundles.ts";

/**
 * Goes on with a payment that an earlier request of the same key began, also where another was opened in its place since.
 * The gateway is asked, never charged blindly again.
 */
export async function resumePayment(hub: Hub, shop_id: string, payment_id: string): Promise<PaymentView> {
  const { bundle, payment: begun } = await readPayment(hub, shop_id, payment_id);
  const payment = lastInPlaceOf(bundle, begun);
  if (payment.status === "created" || payment.status === "submitted") {
    if (payment.wanted !== "open") {
      throw new LunasError("gateway_unclear", { detail: "This payment is being closed at its gateway.", extra: { payment_id: payment.id } });
    }
    const opened = await openPayment(hub, payment.id, "continue", "api");
    return paymentView(hub, opened.bundle, opened.payment);
  }
  if (payment.status === "failed") throw await refusalOf(hub, payment);
  const live = LIVE_STATUSES.includes(payment.status);
  const replacing = live ? isUnusable(payment) : isToBeReplaced(payment) && isPayable(hub, bundle);
  if (replacing) {
    if (live) await hurryReplacement(hub, payment);
    throw new LunasError("gateway_unclear", {
      detail: "The gateway holds this payment but cannot show how to pay it. Another one is being opened in its place.",
      extra: { payment_id: payment.id },
    });
  }
  return paymentView(hub, bundle, payment);
}

function lastInPlaceOf(bundle: OrderBundle, begun: PaymentRow): PaymentRow {
  let last = begun;
  for (const payment of bundle.payments) if (payment.replaces === last.id) last = payment;
  return last;
}

function isPayable(hub: Hub, { order, payments }: OrderBundle): boolean {
  return order.closed === null && hub.clocks.business.now() < order.expires_at && payments.every((payment) => payment.collected === 0n);
}

/** The same refusal that the request would have met had it not been interrupted. */
async function refusalOf(hub: Hub, payment: PaymentRow): Promise<LunasError> {
  const answer = await hub.store.read((db) =>
    db
      .selectFrom("answers")
      .select("summary")
      .where("subject_id", "=", payment.id)
      .where("operation", "=", "open")
      .where("certainty", "=", "did_not")
      .orderBy("id", "desc")
      .limit(1)
      .executeTakeFirst(),
  );
  const { refusal, message } = (answer?.summary ?? {}) as { refusal?: string; message?: string };
  return new LunasError(refusal === "amount" ? "amount_not_supported" : "gateway_refused", {
    detail: message ?? "The payment has failed at the gateway.",
    extra: { payment_id: payment.id },
  });
}

/** Goes on with a refund: sent with the same key, or asked about, so that it never goes out twice. */
export async function resumeRefund(hub: Hub, shop_id: string, refund_id: string): Promise<RefundView> {
  const refund = await readRefund(hub, shop_id, refund_id);
  const open = refund.status === "created" || refund.status === "unknown";
  return refundView(open ? await sendRefund(hub, refund.id, "api") : refund);
}
