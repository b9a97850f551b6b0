import { invariant, type OrderFacts, type PaymentFacts } from "@lunas/domain";
import type { Selectable } from "kysely";
import type { AccountsTable, Db, OrdersTable, PaymentsTable, RefundsTable, Store, Tx } from "../store/index.ts";

export type OrderRow = Selectable<OrdersTable>;
export type PaymentRow = Selectable<PaymentsTable>;
export type RefundRow = Selectable<RefundsTable>;
export type AccountRow = Selectable<AccountsTable>;

/** An order with all that its derived values stand on, read together. */
export interface OrderBundle {
  readonly order: OrderRow;
  /** Oldest first. */
  readonly payments: readonly PaymentRow[];
  readonly refunds: readonly RefundRow[];
  /** Slug of each account that a payment went through. */
  readonly slugs: ReadonlyMap<string, string>;
}

/**
 * Reads an order for change. On PostgreSQL the order's row is locked until the end of the transaction, so that
 * two changes of its payments are one after the other; SQLite has one writer anyway.
 */
export async function lockOrder(store: Store, tx: Tx, order_id: string): Promise<OrderRow> {
  const query = tx.selectFrom("orders").selectAll().where("id", "=", order_id);
  const order = await (store.engine.name === "postgres" ? query.forUpdate() : query).executeTakeFirst();
  invariant(order, `order ${order_id} is gone`);
  return order;
}

/** @param known as it was read before: the slugs of its accounts are not asked for again. */
export async function readBundle(db: Db | Tx, order: OrderRow, known?: OrderBundle): Promise<OrderBundle> {
  // Sorted here: for the few rows of an order SQLite's own sorting takes ten times as long as finding them.
  const payments = (await db.selectFrom("payments").selectAll().where("order_id", "=", order.id).execute()).sort((a, b) => a.attempt - b.attempt);
  const refunds = payments.some((payment) => payment.collected > 0n) ? await readRefunds(db, order.id) : [];
  const accountIds = [...new Set(payments.map((payment) => payment.account_id))];
  if (known && accountIds.every((id) => known.slugs.has(id))) return { order, payments, refunds, slugs: known.slugs };
  const slugs = accountIds.length ? await db.selectFrom("accounts").select(["id", "slug"]).where("id", "in", accountIds).execute() : [];
  return { order, payments, refunds, slugs: new Map(slugs.map((row) => [row.id, row.slug])) };
}

/** Oldest first. */
export async function readRefunds(db: Db | Tx, order_id: string): Promise<RefundRow[]> {
  const rows = await db.selectFrom("refunds").selectAll().where("order_id", "=", order_id).execute();
  return rows.sort((a, b) => a.created_at - b.created_at || (a.id < b.id ? -1 : 1));
}

export async function findBundle(db: Db | Tx, shop_id: string | undefined, order_id: string): Promise<OrderBundle | undefined> {
  let query = db.selectFrom("orders").selectAll().where("id", "=", order_id);
  if (shop_id !== undefined) query = query.where("shop_id", "=", shop_id);
  const order = await query.executeTakeFirst();
  return order && readBundle(db, order);
}

export async function findPayment(db: Db | Tx, shop_id: string | undefined, payment_id: string): Promise<PaymentRow | undefined> {
  let query = db.selectFrom("payments").selectAll().where("id", "=", payment_id);
  if (shop_id !== undefined) query = query.where("shop_id", "=", shop_id);
  return query.executeTakeFirst();
}

export function orderFacts(order: OrderRow): OrderFacts {
  return { amount: order.amount, closed: order.closed ?? undefined };
}

export function paymentFacts(payment: PaymentRow): PaymentFacts {
  return { status: payment.status, collected: payment.collected, refunded: payment.refunded, reversed: payment.reversed };
}
