import { money, parseAmount, type OpenIntent, type PaymentSubject } from "@lunas/domain";
import type { OrderRow, PaymentRow } from "./rows.ts";

/** @param transactions other transactions under its reference that are to be asked about too. */
export function paymentSubject(payment: PaymentRow, transactions: readonly string[] = []): PaymentSubject {
  return {
    id: payment.id,
    reference: payment.reference,
    ...(payment.provider_id ? { provider_id: payment.provider_id } : {}),
    ...(transactions.length > 0 ? { transactions } : {}),
    handles: payment.handles,
    method: payment.method,
    amount: money(payment.amount, payment.currency),
    expires_at: payment.expires_at,
  };
}

/** @param first whether the gateway has never been called for this payment: otherwise it continues and never charges blindly. */
export function openIntent(order: OrderRow, payment: PaymentRow, first: boolean): OpenIntent {
  return {
    ...paymentSubject(payment),
    order_reference: order.reference,
    items: order.items.flatMap((item) => {
      const price = parseAmount(item.price, order.currency);
      return price.ok ? [{ name: item.name, quantity: item.quantity, price: price.money, ...(item.sku ? { sku: item.sku } : {}) }] : [];
    }),
    customer: order.customer,
    ...(order.description ? { description: order.description } : {}),
    ...(payment.callback_url ? { callback_url: payment.callback_url } : {}),
    ...(order.return_url ? { return_url: order.return_url } : {}),
    ...(first || payment.submitted_at === null ? {} : { submitted_at: payment.submitted_at }),
  };
}
