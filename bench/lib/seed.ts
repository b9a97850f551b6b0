import { sql } from "kysely";
import type { Hub } from "../../packages/hub/src/hub.ts";
import { emitEvent } from "../../packages/hub/src/collect/emit.ts";
import { insertEndpoint } from "../../packages/hub/src/provision.ts";

const PAGE = 500;
const HISTORY_PAGE = 50_000;
/** Made up, for the bench only. */
const ENDPOINT_SECRET = "whsec_bHVuYXMtZGVtby1zaG9wLWVuZHBvaW50LXNlY3JldA==";

/** Orders with one pending payment each, as they are after the buyer chose GoPay. @returns their references at the gateway. */
export async function seedPayments(hub: Hub, count: number, prefix: string): Promise<string[]> {
  const account = await hub.store.read((db) =>
    db.selectFrom("accounts").select(["id", "shop_id"]).where("slug", "=", "midtrans").executeTakeFirstOrThrow(),
  );
  const now = hub.clocks.business.now();
  const references: string[] = [];
  for (let from = 0; from < count; from += PAGE) {
    await hub.store.write(async (tx) => {
      for (let n = from; n < Math.min(count, from + PAGE); n += 1) {
        const reference = `${prefix}-${String(n).padStart(7, "0")}`;
        const order_id = hub.newId("order");
        references.push(reference);
        await tx
          .insertInto("orders")
          .values({
            id: order_id,
            shop_id: account.shop_id,
            reference,
            amount: 4_400_000n,
            currency: "IDR",
            items: "[]",
            customer: "{}",
            description: null,
            return_url: null,
            metadata: "{}",
            expires_at: now + 86_400_000,
            closed: null,
            checkout_hash: hub.random.bytes(16),
            amount_paid: 0n,
            amount_refunded: 0n,
            amount_reversed: 0n,
            payment_status: "pending",
            fulfillment_status: "none",
            version: 1,
            created_at: now,
            updated_at: now,
          })
          .execute();
        await tx
          .insertInto("payments")
          .values({
            id: hub.newId("payment"),
            shop_id: account.shop_id,
            order_id,
            account_id: account.id,
            provider: "midtrans",
            method: "gopay",
            attempt: 1,
            reference,
            provider_id: `tx-${reference}`,
            handles: "{}",
            actions: "[]",
            amount: 4_400_000n,
            currency: "IDR",
            status: "pending",
            flags: "[]",
            collected: 0n,
            refunded: 0n,
            reversed: 0n,
            buyer_fee: 0n,
            callback_url: null,
            expires_at: now + 900_000,
            submitted_at: now,
            opened_at: now,
            paid_at: null,
            last_asked_at: null,
            wanted: null,
            replaces: null,
            waiting_for_quota_until: null,
            needs_attention: null,
            version: 1,
            created_at: now,
            updated_at: now,
          })
          .execute();
      }
    });
  }
  return references;
}

/** Old notifications with their bodies, routed and done: what a hub has after a month of many. */
export async function seedHistory(hub: Hub, count: number): Promise<{ seeded: number }> {
  const account = await hub.store.read((db) =>
    db.selectFrom("accounts").select(["id", "shop_id"]).where("slug", "=", "midtrans").executeTakeFirstOrThrow(),
  );
  const now = hub.clocks.business.now();
  const sqlite = hub.store.engine.name === "sqlite";
  for (let from = 0; from < count; from += HISTORY_PAGE) {
    const to = Math.min(count, from + HISTORY_PAGE);
    const numbers = sqlite
      ? sql`(WITH RECURSIVE g(n) AS (SELECT ${from + 1} UNION ALL SELECT n + 1 FROM g WHERE n < ${to}) SELECT n FROM g) AS g`
      : sql`generate_series(${from + 1}::bigint, ${to}::bigint) AS g(n)`;
    // Keys as `localDigest` makes them: a minute, of the month before, then a digest.
    const minute = Math.floor(from / HISTORY_PAGE) * 60;
    const key = sqlite
      ? sql`CAST(unhex(printf('%08x', ${minute} + n % 60)) || randomblob(12) AS BLOB)`
      : sql`decode(lpad(to_hex(${minute}::bigint + n % 60), 8, '0') || substr(md5(random()::text), 1, 24), 'hex')`;
    const body = sqlite ? sql`randomblob(8000)` : sql`decode(repeat(md5(random()::text), 500), 'hex')`;
    await hub.store.write(async (tx) => {
      const { rows } = await sql<{ last: number | null }>`SELECT MAX(seq) AS last FROM notifications`.execute(tx);
      const last = rows[0]?.last ?? 0;
      await sql`INSERT INTO notifications (account_id, shop_id, verdict, route, dedupe, reference, provider_id, event_key, claim, payment_id, remote_address, received_at, last_received_at, repeats)
        SELECT ${account.id}, ${account.shop_id}, 0, 1, ${key}, 'OLD-' || n, 'tx-' || n, 'k' || n, 'paid', 'pay_' || n, '127.0.0.1', ${now}, ${now}, 0 FROM ${numbers}`.execute(
        tx,
      );
      if (sqlite)
        await sql`INSERT INTO notification_keys (dedupe, seq) SELECT dedupe, seq FROM notifications WHERE seq > ${last} ORDER BY dedupe`.execute(tx);
      // Bodies lie in batches, as when sixty come in a commit.
      await sql`INSERT INTO notification_batches (keep_until, sealed) SELECT ${now + FUTURE_MS}, ${body} FROM ${numbers} WHERE n % 60 = 0`.execute(
        tx,
      );
      await sql`UPDATE notifications SET batch = (SELECT MAX(id) FROM notification_batches), place = seq % 60 WHERE seq > ${last}`.execute(tx);
    });
  }
  // A database that has grown for a month has been vacuumed.
  await vacuum(hub, ["notifications", "notification_batches"]);
  return { seeded: count };
}

/** By so much the hub's clock is put on when deliveries are to fall due. */
export const FUTURE_MS = 86_400_000;

/**
 * Events with one delivery each, spread over endpoints at these URLs, due only after `FUTURE_MS`.
 * @param strangers the endpoints are new to the hub; otherwise it knows those at the same URLs from the round before, as it does those of a shop.
 */
export async function seedDeliveries(hub: Hub, urls: readonly string[], count: number, strangers: boolean): Promise<{ seeded: number }> {
  const shop = await hub.store.read((db) => db.selectFrom("shops").select("id").executeTakeFirstOrThrow());
  const endpoints = await hub.store.write(async (tx) => {
    await tx.deleteFrom("deliveries").execute();
    const active = strangers ? [] : await tx.selectFrom("endpoints").select(["id", "url"]).where("status", "=", "active").execute();
    const known = urls.map((url) => active.find((endpoint) => endpoint.url === url)?.id);
    if (known.every((id) => id !== undefined)) return known;
    await tx.updateTable("endpoints").set({ status: "deleted" }).execute();
    const ids: string[] = [];
    for (const url of urls) ids.push(await insertEndpoint(hub, tx, shop.id, url, ENDPOINT_SECRET, null));
    return ids;
  });
  for (let from = 0; from < count; from += PAGE) {
    await hub.store.write(async (tx) => {
      for (let n = from; n < Math.min(count, from + PAGE); n += 1) {
        const subject = { type: "order", id: hub.newId("order") } as const;
        const data = { order: { id: subject.id, reference: `INV-${n}`, amount: 44_000, padding: "x".repeat(600) } };
        await emitEvent(hub, tx, { shop_id: shop.id, type: "order.paid", subject, data, endpoint_id: endpoints[n % endpoints.length]! });
      }
      await sql`UPDATE deliveries SET due_at = due_at + ${FUTURE_MS - 60_000} WHERE due_at < ${hub.clocks.business.now() + 1_000}`.execute(tx);
    });
  }
  await vacuum(hub, ["deliveries", "events", "attempts"]);
  return { seeded: count };
}

/** What seeding leaves behind is nobody's work: otherwise the server would be at that while a round is measured. */
async function vacuum(hub: Hub, tables: readonly string[]): Promise<void> {
  if (hub.store.engine.name === "sqlite") return;
  await hub.store.read((db) => sql`VACUUM (ANALYZE) ${sql.raw(tables.join(", "))}`.execute(db));
}
