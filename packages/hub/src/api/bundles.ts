import { LunasError } from "@lunas/domain";
import { findBundle, type OrderBundle, type OrderRow, type PaymentRow, type RefundRow } from "../collect/rows.ts";
import { orderView, paymentView, type PaymentView } from "../collect/views.ts";
import type { Hub } from "../hub.ts";
import type { Db } from "../store/index.ts";

/** What many orders' views stand on, in four queries however many they are. */
export async function bundlesOf(db: Db, orders: readonly OrderRow[]): Promise<Map<string, OrderBundle>> {
  if (orders.length === 0) return new Map();
  const ids = orders.map((order) => order.id);
  const payments = await db.selectFrom("payments").selectAll().where("order_id", "in", ids).orderBy("attempt").execute();
  const collected = [...new Set(payments.filter((payment) => payment.collected > 0n).map((payment) => payment.order_id))];
  const refunds =
    collected.length > 0
      ? await db.selectFrom("refunds").selectAll().where("order_id", "in", collected).orderBy("created_at").orderBy("id").execute()
      : [];
  const accounts = [...new Set(payments.map((payment) => payment.account_id))];
  const slugs = accounts.length > 0 ? await db.selectFrom("accounts").select(["id", "slug"]).where("id", "in", accounts).execute() : [];
  const names = new Map(slugs.map((row) => [row.id, row.slug]));
  const byOrder = Map.groupBy(payments, (payment) => payment.order_id);
  const refundsByOrder = Map.groupBy(refunds, (refund) => refund.order_id);
  return new Map(
    orders.map((order) => [order.id, { order, payments: byOrder.get(order.id) ?? [], refunds: refundsByOrder.get(order.id) ?? [], slugs: names }]),
  );
}

export async function orderViews(hub: Hub, db: Db, orders: readonly OrderRow[]) {
  const bundles = await bundlesOf(db, orders);
  return orders.map((order) => orderView(hub, bundles.get(order.id)!));
}

export async function paymentViews(hub: Hub, db: Db, payments: readonly PaymentRow[]): Promise<PaymentView[]> {
  if (payments.length === 0) return [];
  const order_ids = [...new Set(payments.map((payment) => payment.order_id))];
  const orders = await db.selectFrom("orders").selectAll().where("id", "in", order_ids).execute();
  const bundles = await bundlesOf(db, orders);
  return payments.map((payment) => paymentView(hub, bundles.get(payment.order_id)!, payment));
}

/** A payment of this shop as it is now. @throws LunasError not_found */
export async function readPayment(hub: Hub, shop_id: string, payment_id: string): Promise<{ bundle: OrderBundle; payment: PaymentRow }> {
  const found = await hub.store.read(async (db) => {
    const row = await db.selectFrom("payments").select("order_id").where("id", "=", payment_id).where("shop_id", "=", shop_id).executeTakeFirst();
    return row && findBundle(db, shop_id, row.order_id);
  });
  const payment = found?.payments.find((one) => one.id === payment_id);
  if (!found || !payment) throw new LunasError("not_found", { detail: `There is no payment ${payment_id} in this shop.` });
  return { bundle: found, payment };
}

/** @throws LunasError not_found */
export async function readRefund(hub: Hub, shop_id: string, refund_id: string): Promise<RefundRow> {
  const row = await hub.store.read((db) =>
    db.selectFrom("refunds").selectAll().where("id", "=", refund_id).where("shop_id", "=", shop_id).executeTakeFirst(),
  );
  if (!row) throw new LunasError("not_found", { detail: `There is no refund ${refund_id} in this shop.` });
  return row;
}
