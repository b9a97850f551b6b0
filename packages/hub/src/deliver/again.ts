import { LunasError } from "@lunas/domain";
import type { Insertable } from "kysely";
import { emitEvent } from "../collect/emit.ts";
import type { Hub } from "../hub.ts";
import type { DeliveriesTable, Tx } from "../store/index.ts";
import type { DeliveryRow, EndpointRow } from "./claim.ts";
import { findEndpoint } from "./operations.ts";
import { rearm } from "./rearm.ts";

/** How people have events sent again, by the API or the command line. */

const PAGE = 500;

export interface ReplayWish {
  /** Business time: events from then on. */
  readonly since?: number | undefined;
  /** `missing`: what the endpoint has not got. `all`: what it has got, too. */
  readonly only: "missing" | "all";
}

/** Sends past events of an endpoint again, each under its own webhook-id. Also those from before the endpoint was there, with `since`. */
export async function replayEndpoint(
  hub: Hub,
  shop_id: string,
  endpoint_id: string,
  wish: ReplayWish,
): Promise<{ rearmed: number; created: number }> {
  const { since, only } = wish;
  if (only === "all" && since === undefined)
    throw new LunasError("invalid_request", { errors: [{ field: "since", message: 'is required with only: "all"' }] });
  const rearmed = await hub.store.write(async (tx) => {
    const found = await requireActive(tx, shop_id, endpoint_id);
    let query = rearm(hub, tx, "replay", only === "all").where("endpoint_id", "=", found.id);
    query = only === "all" ? query.where("status", "in", ["exhausted", "paused", "delivered"]) : query.where("status", "in", ["exhausted", "paused"]);
    if (since !== undefined)
      query = query.where("event_id", "in", tx.selectFrom("events").select("id").where("shop_id", "=", shop_id).where("occurred_at", ">=", since));
    return Number((await query.executeTakeFirst()).numUpdatedRows);
  });
  const created = since === undefined ? 0 : await createMissing(hub, shop_id, endpoint_id, since);
  hub.signals.emit({ kind: "deliveries" });
  return { rearmed, created };
}

/** Deliveries of events that the endpoint never had a row for, in the order in which they happened, a page in each transaction. */
async function createMissing(hub: Hub, shop_id: string, endpoint_id: string, since: number): Promise<number> {
  let created = 0;
  for (let after = ""; ;) {
    const page = await hub.store.write(async (tx) => {
      const endpoint = await requireActive(tx, shop_id, endpoint_id);
      const events = await tx
        .selectFrom("events")
        .select(["id", "type", "position"])
        .where("shop_id", "=", shop_id)
        .where("occurred_at", ">=", since)
        .where("position", ">", after)
        .where("id", "not in", tx.selectFrom("deliveries").select("event_id").where("endpoint_id", "=", endpoint_id))
        .orderBy("position")
        .limit(PAGE)
        .execute();
      const wanted = events.filter((event) => event.type !== "endpoint.test" && (endpoint.events === null || endpoint.events.includes(event.type)));
      if (wanted.length > 0) {
        const rows = wanted.map((event) => newDelivery(hub, shop_id, event.id, endpoint_id, "replay"));
        await tx
          .insertInto("deliveries")
          .values(rows)
          .onConflict((oc) => oc.columns(["event_id", "endpoint_id"]).doNothing())
          .execute();
      }
      return { count: wanted.length, last: events.at(-1)?.position, full: events.length === PAGE };
    });
    created += page.count;
    if (!page.full || page.last === undefined) return created;
    after = page.last;
  }
}

/**
 * Sends an event again: a new attempt with the same webhook-id, whatever became of the ones before.
 * @param endpoint_id only there, also if it was not told the first time; otherwise wherever it went.
 */
export async function resendEvent(hub: Hub, shop_id: string, event_id: string, endpoint_id: string | undefined): Promise<DeliveryRow[]> {
  const rows = await hub.store.write(async (tx) => {
    const event = await tx.selectFrom("events").select("id").where("id", "=", event_id).where("shop_id", "=", shop_id).executeTakeFirst();
    if (!event) throw new LunasError("not_found", { detail: `There is no event ${event_id} in this shop.` });
    const endpoints = endpoint_id === undefined ? await activeReceivers(tx, event_id) : [(await requireActive(tx, shop_id, endpoint_id)).id];
    if (endpoints.length === 0)
      throw new LunasError("wrong_state", { detail: "No active endpoint was told of this event; name one with `endpoint_id`." });
    const fresh = endpoints.map((id) => newDelivery(hub, shop_id, event_id, id, "resend"));
    await tx
      .insertInto("deliveries")
      .values(fresh)
      .onConflict((oc) => oc.columns(["event_id", "endpoint_id"]).doNothing())
      .execute();
    await rearm(hub, tx, "resend", true).where("event_id", "=", event_id).where("endpoint_id", "in", endpoints).execute();
    return tx.selectFrom("deliveries").selectAll().where("event_id", "=", event_id).where("endpoint_id", "in", endpoints).orderBy("id").execute();
  });
  hub.signals.emit({ kind: "deliveries" });
  return rows;
}

async function activeReceivers(tx: Tx, event_id: string): Promise<string[]> {
  const rows = await tx
    .selectFrom("deliveries")
    .innerJoin("endpoints", "endpoints.id", "deliveries.endpoint_id")
    .select("endpoints.id")
    .where("deliveries.event_id", "=", event_id)
    .where("endpoints.status", "=", "active")
    .execute();
  return rows.map((row) => row.id);
}

/** Sends an `endpoint.test` event to one endpoint. */
export async function testEndpoint(hub: Hub, shop_id: string, endpoint_id: string): Promise<DeliveryRow> {
  const delivery = await hub.store.write(async (tx) => {
    const found = await requireActive(tx, shop_id, endpoint_id);
    const event_id = await emitEvent(hub, tx, {
      shop_id,
      type: "endpoint.test",
      subject: { type: "endpoint", id: found.id },
      data: { endpoint: { id: found.id, url: found.url } },
      endpoint_id: found.id,
    });
    return tx.selectFrom("deliveries").selectAll().where("event_id", "=", event_id).where("endpoint_id", "=", found.id).executeTakeFirstOrThrow();
  });
  hub.signals.emit({ kind: "deliveries" });
  return delivery;
}

async function requireActive(tx: Tx, shop_id: string, endpoint_id: string): Promise<EndpointRow> {
  const found = await findEndpoint(tx, shop_id, endpoint_id);
  if (found.status !== "active") throw new LunasError("wrong_state", { detail: `The endpoint is ${found.status}; resume it first.` });
  return found;
}

function newDelivery(
  hub: Hub,
  shop_id: string,
  event_id: string,
  endpoint_id: string,
  trigger: DeliveriesTable["trigger"],
): Insertable<DeliveriesTable> {
  const now = hub.clocks.business.now();
  return {
    id: hub.newId("delivery"),
    shop_id,
    event_id,
    endpoint_id,
    status: "due",
    attempts: 0,
    step: 0,
    trigger,
    due_at: now,
    lease_until: null,
    generation: 0,
    delivered_at: null,
    created_at: now,
  };
}
