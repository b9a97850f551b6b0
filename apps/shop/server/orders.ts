import { randomInt } from "node:crypto";
import type { Database } from "better-sqlite3";
import type { Buyer, OrderItem, OrderStatus, OrderView, RefundView } from "./views.ts";

export interface OrderRow {
  id: string;
  checkout_id: string;
  customer: string;
  items: string;
  amount: number;
  payment_status: OrderStatus;
  payment_gateway_transaction_id: string | null;
  payment_method: string | null;
  amount_paid: number;
  amount_refunded: number;
  lunas_order_id: string | null;
  lunas_payment_id: string | null;
  checkout_url: string | null;
  problem: string | null;
  stock_taken_at: number | null;
  oversold: 0 | 1;
  closed: "canceled" | "expired" | null;
  created_at: number;
  updated_at: number;
}

export interface NewOrder {
  checkout_id: string;
  customer: Buyer;
  items: readonly { product_id: string; quantity: number }[];
}

/** Without the letters that are misread on the phone. */
const LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ";

/** `TL-` and ten letters: 49 bits, so that nobody guesses another buyer's order page. */
function newOrderId(): string {
  return `TL-${Array.from({ length: 10 }, () => LETTERS[randomInt(LETTERS.length)]).join("")}`;
}

export function findOrder(db: Database, id: string): OrderRow | undefined {
  return db.prepare<[string], OrderRow>("SELECT * FROM orders WHERE id = ?").get(id);
}

export type PlacedOrder =
  | { ok: true; order: OrderRow }
  | { ok: false; code: "unknown_product" | "out_of_stock" | "checkout_changed"; message: string };

/**
 * Writes the order down before anyone is asked to pay it. Prices are the shelf's, never the browser's.
 * The same `checkout_id` finds the order that was placed before.
 */
export function placeOrder(db: Database, wanted: NewOrder, now: number): PlacedOrder {
  const place = db.transaction((): PlacedOrder => {
    const lines: OrderItem[] = [];
    const customer = JSON.stringify(wanted.customer);
    const earlier = db.prepare<[string], OrderRow>("SELECT * FROM orders WHERE checkout_id = ?").get(wanted.checkout_id);
    if (earlier) {
      const bought = (JSON.parse(earlier.items) as OrderItem[]).map(({ product_id, quantity }) => ({ product_id, quantity }));
      const same = JSON.stringify(bought) === JSON.stringify(wanted.items.map(({ product_id, quantity }) => ({ product_id, quantity })));
      return same && earlier.customer === customer
        ? { ok: true, order: earlier }
        : { ok: false, code: "checkout_changed", message: "The cart has changed since this order was placed." };
    }
    for (const { product_id, quantity } of wanted.items) {
      const product = db
        .prepare<[string], { name: string; price: number; stock: number }>("SELECT name, price, stock FROM products WHERE id = ?")
        .get(product_id);
      if (!product) return { ok: false, code: "unknown_product", message: `There is no ${product_id} in this shop.` };
      if (product.stock < quantity) {
        return { ok: false, code: "out_of_stock", message: `Only ${Math.max(0, product.stock)} of ${product.name} are left.` };
      }
      lines.push({ product_id, name: product.name, quantity, price: product.price });
    }
    const amount = lines.reduce((sum, line) => sum + line.price * line.quantity, 0);
    const order = db
      .prepare<unknown[], OrderRow>(
        "INSERT INTO orders (id, checkout_id, customer, items, amount, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING *",
      )
      .get(newOrderId(), wanted.checkout_id, customer, JSON.stringify(lines), amount, now, now);
    return { ok: true, order: order! };
  });
  return place.immediate();
}

/** Keeps where the order is collected, or why it could not be started. Neither says anything of money. */
export function rememberCheckout(db: Database, id: string, known: { lunas_order_id?: string; checkout_url?: string; problem: string | null }): void {
  db.prepare(
    "UPDATE orders SET lunas_order_id = coalesce(?, lunas_order_id), checkout_url = coalesce(?, checkout_url), problem = ? WHERE id = ?",
  ).run(known.lunas_order_id ?? null, known.checkout_url ?? null, known.problem, id);
}

export interface RefundFacts {
  id: string;
  amount: number;
  status: string;
  reason: string | null;
}

export function rememberRefund(db: Database, order_id: string, refund: RefundFacts, now: number, options: { keep_status?: boolean } = {}): void {
  const conflict = options.keep_status ? "DO NOTHING" : "DO UPDATE SET status = excluded.status, amount = excluded.amount";
  db.prepare(`INSERT INTO refunds (id, order_id, amount, status, reason, created_at) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) ${conflict}`).run(
    refund.id,
    order_id,
    refund.amount,
    refund.status,
    refund.reason,
    now,
  );
}

export function listRefunds(db: Database, order_id: string): RefundView[] {
  return db
    .prepare<[string], RefundView>("SELECT id, amount, status, reason, created_at FROM refunds WHERE order_id = ? ORDER BY created_at, id")
    .all(order_id);
}

export function orderView(db: Database, row: OrderRow): OrderView {
  const { id, amount, payment_status, payment_gateway_transaction_id, payment_method, amount_paid, amount_refunded, checkout_url, problem } = row;
  return {
    id,
    amount,
    payment_status,
    payment_gateway_transaction_id,
    payment_method,
    amount_paid,
    amount_refunded,
    checkout_url,
    problem,
    customer: JSON.parse(row.customer) as Buyer,
    items: JSON.parse(row.items) as OrderItem[],
    stock_taken: row.stock_taken_at !== null,
    oversold: row.oversold === 1,
    paid_after_end: row.closed !== null && amount_paid > 0,
    refunds: listRefunds(db, id),
    created_at: row.created_at,
    updated_at: row.updated_at,
  };
}

/** The newest orders first, at most 100. */
export function listOrders(db: Database): OrderView[] {
  const rows = db.prepare<[], OrderRow>("SELECT * FROM orders ORDER BY created_at DESC, rowid DESC LIMIT 100").all();
  return rows.map((row) => orderView(db, row));
}
