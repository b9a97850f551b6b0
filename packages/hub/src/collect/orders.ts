import { type Currency, LunasError, type Money, parseAmount } from "@lunas/domain";
import type { Hub } from "../hub.ts";
import { armJob, PRIORITY } from "../store/jobs.ts";
import { isUniqueViolation, type Tx } from "../store/index.ts";
import { checkoutHash, checkoutToken } from "./checkout-token.ts";
import { findBundle, type OrderBundle, type OrderRow } from "./rows.ts";

export interface NewOrder {
  readonly reference: string;
  readonly amount: Money;
  readonly items: readonly { readonly name: string; readonly quantity: number; readonly price: number | string; readonly sku?: string | undefined }[];
  readonly customer: OrderRow["customer"];
  readonly description?: string | undefined;
  readonly return_url?: string | undefined;
  readonly expires_in_s: number;
  readonly metadata: Record<string, unknown>;
}

/** Writes an order down. `begin` runs in the same transaction, so that a request that is repeated after a crash finds what it began. */
export async function createOrder(hub: Hub, shop_id: string, order: NewOrder, begin: (tx: Tx, id: string) => Promise<void>): Promise<OrderBundle> {
  const id = hub.newId("order");
  const now = hub.clocks.business.now();
  const row: OrderRow = {
    id,
    shop_id,
    reference: order.reference,
    amount: order.amount.minor,
    currency: order.amount.currency,
    items: order.items.map((item) => ({ name: item.name, quantity: item.quantity, price: String(item.price), sku: item.sku ?? null })),
    customer: order.customer,
    description: order.description ?? null,
    return_url: order.return_url ?? null,
    metadata: order.metadata,
    expires_at: now + order.expires_in_s * 1000,
    closed: null,
    checkout_hash: checkoutHash(checkoutToken(hub.vault, id)),
    amount_paid: 0n,
    amount_refunded: 0n,
    amount_reversed: 0n,
    payment_status: "unpaid",
    fulfillment_status: "none",
    version: 1,
    created_at: now,
    updated_at: now,
  };
  try {
    await hub.store.write(async (tx) => {
      await tx
        .insertInto("orders")
        .values({ ...row, items: JSON.stringify(row.items), customer: JSON.stringify(row.customer), metadata: JSON.stringify(row.metadata) })
        .execute();
      await armJob(tx, { kind: "order.expire", subject_id: id, due_at: row.expires_at, priority: PRIORITY.poll });
      await begin(tx, id);
    });
  } catch (error) {
    if (isUniqueViolation(error)) await refuseTaken(hub, shop_id, order.reference, error);
    throw error;
  }
  return { order: row, payments: [], refunds: [], slugs: new Map() };
}

async function refuseTaken(hub: Hub, shop_id: string, reference: string, cause: unknown): Promise<void> {
  const existing = await hub.store.read((db) =>
    db.selectFrom("orders").select("id").where("shop_id", "=", shop_id).where("reference", "=", reference).executeTakeFirst(),
  );
  if (!existing) return;
  throw new LunasError("reference_taken", {
    detail: `The reference "${reference}" belongs to the order ${existing.id}.`,
    extra: { existing_id: existing.id },
    cause,
  });
}

export async function getOrder(hub: Hub, shop_id: string, order_id: string): Promise<OrderBundle> {
  const bundle = await hub.store.read((db) => findBundle(db, shop_id, order_id));
  if (!bundle) throw new LunasError("not_found", { detail: `There is no order ${order_id} in this shop.` });
  return bundle;
}

/** An amount of our wire as money, or the error that names the field. */
export function requireAmount(input: number | string, currency: Currency, field: string): Money {
  const parsed = parseAmount(input, currency);
  if (!parsed.ok) throw new LunasError("invalid_request", { errors: [{ field, message: parsed.message }] });
  if (parsed.money.minor <= 0n) throw new LunasError("invalid_request", { errors: [{ field, message: "must be greater than 0" }] });
  return parsed.money;
}
