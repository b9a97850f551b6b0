import { sql, type Selectable } from "kysely";
import type { DeliveriesTable, EndpointsTable, Store } from "../store/index.ts";

export type DeliveryRow = Selectable<DeliveriesTable>;
export type EndpointRow = Selectable<EndpointsTable>;

/**
 * Takes due deliveries and holds them for `lease_ms`; those whose holder died are due again.
 * @param except endpoints that have enough to do already, or whose breaker is open.
 */
export async function claimDeliveries(store: Store, now_ms: number, lease_ms: number, limit: number, except: readonly string[]): Promise<DeliveryRow[]> {
  const without = except.length > 0 ? sql`AND endpoint_id NOT IN (${sql.join(except)})` : sql``;
  return store.write(async (tx) => {
    await tx.updateTable("deliveries").set({ status: "due", lease_until: null }).where("status", "=", "delivering").where("lease_until", "<=", now_ms).execute();
    const { rows } = await sql<DeliveryRow>`
      UPDATE deliveries SET status = 'delivering', lease_until = ${now_ms + lease_ms}
      WHERE id IN (
        SELECT id FROM deliveries WHERE status = 'due' AND due_at <= ${now_ms} ${without}
        ORDER BY due_at LIMIT ${limit} ${sql.raw(store.engine.skipLocked)})
      RETURNING *`.execute(tx);
    return rows;
  });
}

/** Gives deliveries back that were not tried: waiting is not an attempt. */
export async function releaseDeliveries(store: Store, deliveries: readonly DeliveryRow[], due_at: number): Promise<void> {
  if (deliveries.length === 0) return;
  await store.write((tx) =>
    tx.updateTable("deliveries").set({ status: "due", lease_until: null, due_at }).where("id", "in", deliveries.map((one) => one.id)).where("status", "=", "delivering").execute(),
  );
}

/** Deliveries of an endpoint that is not active wait for its resume. */
export async function pauseDeliveries(store: Store, deliveries: readonly DeliveryRow[]): Promise<void> {
  if (deliveries.length === 0) return;
  await store.write((tx) =>
    tx.updateTable("deliveries").set({ status: "paused", lease_until: null }).where("id", "in", deliveries.map((one) => one.id)).where("status", "=", "delivering").execute(),
  );
}

/** Events and endpoints of deliveries, read together. */
export async function readParts(store: Store, deliveries: readonly DeliveryRow[]): Promise<{ bodies: Map<string, string>; endpoints: Map<string, EndpointRow> }> {
  const event_ids = [...new Set(deliveries.map((one) => one.event_id))];
  const endpoint_ids = [...new Set(deliveries.map((one) => one.endpoint_id))];
  return store.read(async (db) => {
    const events = await db.selectFrom("events").select(["id", "body"]).where("id", "in", event_ids).execute();
    const endpoints = await db.selectFrom("endpoints").selectAll().where("id", "in", endpoint_ids).execute();
    return { bodies: new Map(events.map((row) => [row.id, row.body])), endpoints: new Map(endpoints.map((row) => [row.id, row])) };
  });
}
