import { type Action, type Lunas, LunasError, type Order, type Payment } from "@lunas/sdk";
import type { Database } from "better-sqlite3";
import { explain, type Refusal } from "./lunas-problem.ts";
import { rememberCheckout, type OrderRow } from "./orders.ts";
import type { Buyer, OrderItem, TransactionView, Way } from "./views.ts";

export interface Shop {
  db: Database;
  lunas: Lunas;
  /** Where buyers find this shop, without a slash at its end. */
  publicUrl: () => string;
  now: () => number;
  /** The operator's log. */
  report: (message: string, error: unknown) => void;
  /** Told after an order has changed. */
  changed: (order_id: string) => void;
}

type SnapAction = Extract<Action, { type: "snap_token" }>;

const snapOf = (payment: Payment): SnapAction | undefined => payment.actions.find((action) => action.type === "snap_token");

/** The hub's order of ours: made once, found again by every repetition, because key and reference are the order's own id. */
async function openOrder(shop: Shop, order: OrderRow): Promise<Order> {
  if (order.lunas_order_id) return shop.lunas.orders.get(order.lunas_order_id);
  const wanted = {
    reference: order.id,
    amount: order.amount,
    currency: "IDR",
    items: (JSON.parse(order.items) as OrderItem[]).map(({ product_id, name, quantity, price }) => ({ sku: product_id, name, quantity, price })),
    customer: JSON.parse(order.customer) as Buyer,
    description: `Toko Lestari ${order.id}`,
    return_url: `${shop.publicUrl()}/orders/${order.id}`,
  };
  try {
    return await shop.lunas.orders.create(wanted, { idempotencyKey: `order-${order.id}` });
  } catch (error) {
    // The answer was lost so long ago that the hub has forgotten the key, but not the order.
    const made = error instanceof LunasError && error.code === "reference_taken" ? await shop.lunas.orders.findByReference(order.id) : undefined;
    if (made) return made;
    throw error;
  }
}

/** A token for Snap's popup: that of the payment that is open already, or of a new one. */
async function snapToken(shop: Shop, order: OrderRow, hubOrder: Order): Promise<SnapAction> {
  const open = hubOrder.payments.find((payment) => payment.method === "snap" && payment.status === "pending" && snapOf(payment));
  const payment =
    open ??
    // The key counts the payments, so that a repetition of this attempt finds its payment and the next attempt gets a new one.
    (await shop.lunas.orders.createPayment(hubOrder.id, { method: "snap" }, { idempotencyKey: `snap-${order.id}-${hubOrder.payments.length}` }));
  const action = snapOf(payment);
  if (!action) throw new Error(`payment ${payment.id} of method snap has no snap_token`);
  return action;
}

/** Makes an order payable: gives where the buyer pays it, or why not. The order itself is kept in any case. */
export async function startPayment(shop: Shop, order: OrderRow, way: Way): Promise<TransactionView | Refusal> {
  try {
    const hubOrder = await openOrder(shop, order);
    rememberCheckout(shop.db, order.id, { lunas_order_id: hubOrder.id, checkout_url: hubOrder.checkout_url, problem: null });
    const answer: TransactionView = { order_id: order.id, redirect_url: hubOrder.checkout_url };
    if (way === "redirect") return answer;
    const { token, client_key, script_url } = await snapToken(shop, order, hubOrder);
    return { ...answer, transaction_token: token, client_key, script_url };
  } catch (error) {
    shop.report(`order ${order.id}: the payment could not be started`, error);
    const refusal = explain(error);
    rememberCheckout(shop.db, order.id, { problem: refusal.message });
    return { ...refusal, order_id: order.id };
  }
}
