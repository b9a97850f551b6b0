import { amountNumber, type Currency, money, type PaymentAction, rfc3339 } from "@lunas/domain";
import type { Hub } from "../hub.ts";
import { checkoutToken } from "./checkout-token.ts";
import type { OrderBundle, OrderRow, PaymentRow, RefundRow } from "./rows.ts";

/** What the outside sees, in the API's answers and in the events. Amounts in major units, times in RFC 3339. */

type ViewHub = Pick<Hub, "publicUrl" | "vault">;

const time = (at: number | null): string | null => (at === null ? null : rfc3339(at));
const number = (minor: bigint, currency: Currency): number => amountNumber(money(minor, currency));

export type OrderView = ReturnType<typeof orderOnly> & { payments: PaymentView[] };
export type PaymentView = ReturnType<typeof paymentView>;
export type RefundView = ReturnType<typeof refundView>;

export function checkoutUrl(hub: ViewHub, order_id: string): string {
  return `${hub.publicUrl}/pay/${checkoutToken(hub.vault, order_id)}`;
}

export function orderOnly(hub: ViewHub, order: OrderRow) {
  return {
    id: order.id,
    object: "order" as const,
    reference: order.reference,
    amount: number(order.amount, order.currency),
    currency: order.currency,
    items: order.items.map((item) => ({ name: item.name, quantity: item.quantity, price: Number(item.price), sku: item.sku })),
    customer: order.customer,
    description: order.description,
    return_url: order.return_url,
    metadata: order.metadata,
    payment_status: order.payment_status,
    closed: order.closed,
    fulfillment_status: order.fulfillment_status,
    amount_paid: number(order.amount_paid, order.currency),
    amount_refunded: number(order.amount_refunded, order.currency),
    amount_reversed: number(order.amount_reversed, order.currency),
    checkout_url: checkoutUrl(hub, order.id),
    expires_at: rfc3339(order.expires_at),
    created_at: rfc3339(order.created_at),
    updated_at: rfc3339(order.updated_at),
  };
}

export function orderView(hub: ViewHub, bundle: OrderBundle): OrderView {
  return { ...orderOnly(hub, bundle.order), payments: bundle.payments.map((payment) => paymentView(hub, bundle, payment)) };
}

export function paymentView(hub: ViewHub, bundle: OrderBundle, payment: PaymentRow) {
  const { currency } = payment;
  return {
    id: payment.id,
    object: "payment" as const,
    order_id: payment.order_id,
    order_reference: bundle.order.reference,
    status: payment.status,
    flags: payment.flags,
    method: payment.method,
    provider: payment.provider,
    account: bundle.slugs.get(payment.account_id) ?? payment.account_id,
    provider_reference: payment.reference,
    provider_id: payment.provider_id,
    amount: number(payment.amount, currency),
    currency,
    amount_paid: number(payment.collected, currency),
    amount_refunded: number(payment.refunded, currency),
    amount_reversed: number(payment.reversed, currency),
    actions: payment.actions.map((action) => actionView(hub, payment, action)),
    expires_at: rfc3339(payment.expires_at),
    paid_at: time(payment.paid_at),
    waiting_for_quota_until: time(payment.waiting_for_quota_until),
    needs_attention: payment.needs_attention,
    created_at: rfc3339(payment.created_at),
    updated_at: rfc3339(payment.updated_at),
    refunds: bundle.refunds.filter((refund) => refund.payment_id === payment.id).map(refundView),
  };
}

/** QR images come from our own origin, so that a checkout page needs no other and the gateway does not see the buyer. */
function actionView(hub: ViewHub, payment: PaymentRow, action: PaymentAction) {
  switch (action.type) {
    case "qr":
      return {
        type: "qr" as const,
        image_url: `${checkoutUrl(hub, payment.order_id)}/payments/${payment.id}/qr.png`,
        qr_string: action.qr_string ?? null,
      };
    case "snap_token":
      return {
        type: "snap_token" as const,
        token: action.token,
        client_key: payment.handles["client_key"] ?? "",
        script_url: payment.handles["script_url"] ?? "",
      };
    default:
      return action;
  }
}

export function refundView(refund: RefundRow) {
  return {
    id: refund.id,
    object: "refund" as const,
    payment_id: refund.payment_id,
    order_id: refund.order_id,
    amount: number(refund.amount, refund.currency),
    currency: refund.currency,
    reason: refund.reason,
    status: refund.status,
    origin: refund.origin,
    provider_reference: refund.provider_key,
    waiting_for_quota_until: time(refund.waiting_for_quota_until),
    needs_attention: refund.needs_attention,
    created_at: rfc3339(refund.created_at),
    succeeded_at: time(refund.succeeded_at),
  };
}
