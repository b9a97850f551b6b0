import { createHash } from "node:crypto";
import { ROUTE, VERDICT } from "../index.ts";
import type { Insertable } from "kysely";
import type { BodyKeeping, NotificationRecord, OrdersTable, ShopsTable, Store } from "../index.ts";

let made = 0;

/** A name that no other test of this process uses. */
export function unique(prefix: string): string {
  made += 1;
  return `${prefix}_${made}`;
}

export function shop(id = unique("shp")): ShopsTable {
  return { id, name: "Toko", created_at: 1_790_000_000_000 };
}

export function order(shop_id: string, values: Partial<Insertable<OrdersTable>> = {}): Insertable<OrdersTable> {
  const id = values.id ?? unique("ord");
  return {
    id,
    shop_id,
    reference: id,
    amount: 44_000n,
    currency: "IDR",
    items: "[]",
    customer: "{}",
    description: null,
    return_url: null,
    metadata: "{}",
    expires_at: 1_790_000_000_000,
    closed: null,
    checkout_hash: createHash("sha256").update(id).digest().subarray(0, 16),
    amount_paid: 0n,
    amount_refunded: 0n,
    amount_reversed: 0n,
    payment_status: "unpaid",
    fulfillment_status: "none",
    version: 1,
    created_at: 1_790_000_000_000,
    updated_at: 1_790_000_000_000,
    ...values,
  };
}

/** Bodies without a seal, one after another with their lengths, so that a test sees what was kept. */
export const KEEPING: BodyKeeping = {
  seal: (bodies) => Buffer.from(JSON.stringify(bodies.map((body) => Buffer.from(body).toString("latin1")))),
  keep_until: 1_797_776_000_000,
};

export function record(store: Store, records: readonly NotificationRecord[]): Promise<{ readonly repeated: boolean }[]> {
  return store.recordNotifications(records, KEEPING);
}

/** A notification whose key and body follow from its text. */
export function notification(text: string, values: Partial<NotificationRecord> = {}): NotificationRecord {
  return {
    account_id: "acc_1",
    shop_id: "shp_1",
    verdict: VERDICT.weak,
    route: ROUTE.new,
    dedupe: createHash("sha256").update(text).digest().subarray(0, 16),
    reference: text,
    provider_id: null,
    event_key: `${text}:settlement`,
    claim: "paid",
    remote_address: "127.0.0.1",
    received_at: 1_790_000_000_000,
    body: new TextEncoder().encode(`body of ${text}`),
    ...values,
  };
}

/** A promise and the means to settle it from elsewhere. */
export function gate(): { readonly passed: Promise<void>; readonly open: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { passed: promise, open: resolve };
}
