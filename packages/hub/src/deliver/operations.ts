import { type EventType, LunasError } from "@lunas/domain";
import { sql } from "kysely";
import { emitEvent } from "../collect/emit.ts";
import type { Hub } from "../hub.ts";
import type { DeliveriesTable, Tx } from "../store/index.ts";
import type { DeliveryRow, EndpointRow } from "./claim.ts";
import { openSecrets, type StoredSecret } from "./secrets.ts";
import { makeSecret } from "./signature.ts";

/** What people do with endpoints and deliveries, by the API or the command line. */

/** An old secret still signs for this long after a rotation. */
const OVERLAP_MS = 24 * 3_600_000;
const LIVE_SECRETS_MAX = 3;
const PAGE = 500;

export interface NewEndpoint {
  readonly url: string;
  readonly events: readonly EventType[] | null;
  readonly description: string | null;
}

const secretContext = (id: string): string => `endpoint:${id}`;

export async function createEndpoint(hub: Hub, shop_id: string, wish: NewEndpoint): Promise<{ endpoint: EndpointRow; secret: string }> {
  const id = hub.newId("endpoint");
  const now = hub.clocks.business.now();
  const secret = makeSecret(hub.random);
  const row = {
    id,
    shop_id,
    url: wish.url,
    description: wish.description,
    format: "standard",
    status: "active" as const,
    paused_reason: null,
    secrets: hub.vault.seal(secretContext(id), JSON.stringify([{ secret, expires_at: null } satisfies StoredSecret])),
    failures_in_row: 0,
    first_failure_at: null,
    last_success_at: null,
    version: 1,
    created_at: now,
    updated_at: now,
  };
  await hub.store.write((tx) =>
    tx
      .insertInto("endpoints")
      .values({ ...row, events: JSON.stringify(wish.events) })
      .execute(),
  );
  return { endpoint: { ...row, events: wish.events === null ? null : [...wish.events] }, secret };
}

/** An endpoint of this shop that was not deleted. @throws LunasError not_found */
export function findEndpoint(tx: Pick<Tx, "selectFrom">, shop_id: string, endpoint_id: string): Promise<EndpointRow> {
  return readEndpoint(tx, shop_id, endpoint_id, "");
}

/** The same, to be changed: nobody else writes it, or events for it, until the commit. */
function holdEndpoint(hub: Hub, tx: Tx, shop_id: string, endpoint_id: string): Promise<EndpointRow> {
  return readEndpoint(tx, shop_id, endpoint_id, hub.store.engine.forUpdate);
}

async function readEndpoint(tx: Pick<Tx, "selectFrom">, shop_id: string, endpoint_id: string, hold: string): Promise<EndpointRow> {
  const row = await tx
    .selectFrom("endpoints")
    .selectAll()
    .where("id", "=", endpoint_id)
    .where("shop_id", "=", shop_id)
    .where("status", "!=", "deleted")
    .modifyEnd(sql.raw(hold))
    .executeTakeFirst();
  if (!row) throw new LunasError("not_found", { detail: `There is no endpoint ${endpoint_id} in this shop.` });
  return row;
}

export type EndpointChange = { readonly [K in keyof NewEndpoint]?: NewEndpoint[K] | undefined };

/** What is left out stays. What waits is sent to the new URL. */
export async function updateEndpoint(hub: Hub, shop_id: string, endpoint_id: string, wish: EndpointChange): Promise<EndpointRow> {
  const endpoint = await hub.store.write(async (tx) => {
    const found = await holdEndpoint(hub, tx, shop_id, endpoint_id);
    const events = wish.events === undefined ? found.events : wish.events;
    const next = {
      url: wish.url ?? found.url,
      description: wish.description === undefined ? found.description : wish.description,
      version: found.version + 1,
      updated_at: hub.clocks.business.now(),
    };
    await tx
      .updateTable("endpoints")
      .set({ ...next, events: JSON.stringify(events) })
      .where("id", "=", found.id)
      .execute();
    return { ...found, ...next, events: events === null ? null : [...events] };
  });
  hub.signals.emit({ kind: "endpoint", endpoint_id });
  return endpoint;
}

/** A new secret signs first; the one before it signs too until its overlap is over. */
export async function rotateSecret(hub: Hub, shop_id: string, endpoint_id: string): Promise<{ endpoint: EndpointRow; secret: string }> {
  const secret = makeSecret(hub.random);
  const now = hub.clocks.business.now();
  const endpoint = await hub.store.write(async (tx) => {
    const found = await holdEndpoint(hub, tx, shop_id, endpoint_id);
    const older = openSecrets(hub, found)
      .map((one) => ({ ...one, expires_at: one.expires_at ?? now + OVERLAP_MS }))
      .filter((one) => one.expires_at > now);
    const list: StoredSecret[] = [{ secret, expires_at: null }, ...older].slice(0, LIVE_SECRETS_MAX);
    const change = { secrets: hub.vault.seal(secretContext(found.id), JSON.stringify(list)), version: found.version + 1, updated_at: now };
    await tx.updateTable("endpoints").set(change).where("id", "=", found.id).execute();
    return { ...found, ...change };
  });
  hub.signals.emit({ kind: "endpoint", endpoint_id });
  return { endpoint, secret };
}

/** Nothing is sent until it is resumed; its events are kept. */
export async function pauseEndpoint(hub: Hub, shop_id: string, endpoint_id: string, why: string): Promise<EndpointRow> {
  const endpoint = await hub.store.write(async (tx) => {
    const found = await holdEndpoint(hub, tx, shop_id, endpoint_id);
    if (found.status !== "active") return found;
    await holdDeliveries(tx, found.id);
    return change(hub, tx, found, { status: "paused", paused_reason: why });
  });
  hub.signals.emit({ kind: "endpoint", endpoint_id });
  return endpoint;
}

/** Sends again, and all that was kept meanwhile; what was exhausted on its schedule gets one more run of it. */
export async function resumeEndpoint(hub: Hub, shop_id: string, endpoint_id: string): Promise<EndpointRow> {
  const endpoint = await hub.store.write(async (tx) => {
    const found = await holdEndpoint(hub, tx, shop_id, endpoint_id);
    const resumed = await change(hub, tx, found, { status: "active", paused_reason: null, failures_in_row: 0, first_failure_at: null });
    await rearm(hub, tx, "replay", false)
      .where("endpoint_id", "=", found.id)
      .where((eb) => eb.or([eb("status", "=", "paused"), eb.and([eb("status", "=", "exhausted"), eb("trigger", "=", "schedule")])]))
      .execute();
    return resumed;
  });
  hub.signals.emit({ kind: "deliveries" });
  return endpoint;
}

/** Takes an endpoint away. What was sent to it stays on record. */
export async function deleteEndpoint(hub: Hub, shop_id: string, endpoint_id: string): Promise<void> {
  await hub.store.write(async (tx) => {
    const found = await holdEndpoint(hub, tx, shop_id, endpoint_id);
    await holdDeliveries(tx, found.id);
    await change(hub, tx, found, { status: "deleted" });
  });
  hub.signals.emit({ kind: "endpoint", endpoint_id });
}

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

async function change(hub: Hub, tx: Tx, endpoint: EndpointRow, fields: Partial<Omit<EndpointRow, "events">>): Promise<EndpointRow> {
  const set = { ...fields, version: endpoint.version + 1, updated_at: hub.clocks.business.now() };
  await tx.updateTable("endpoints").set(set).where("id", "=", endpoint.id).execute();
  return { ...endpoint, ...set };
}

async function holdDeliveries(tx: Tx, endpoint_id: string): Promise<void> {
  await tx
    .updateTable("deliveries")
    .set({ status: "paused", lease_until: null })
    .where("endpoint_id", "=", endpoint_id)
    .where("status", "=", "due")
    .execute();
}

/**
 * Due now, from the beginning of the schedule.
 * @param again an attempt that is under way now does not count: another one is made after it.
 */
function rearm(hub: Hub, tx: Tx, trigger: DeliveriesTable["trigger"], again: boolean) {
  return tx.updateTable("deliveries").set((eb) => ({
    status: "due" as const,
    due_at: hub.clocks.business.now(),
    step: 0,
    trigger,
    lease_until: null,
    generation: again ? eb("generation", "+", 1) : eb.ref("generation"),
  }));
}

function newDelivery(hub: Hub, shop_id: string, event_id: string, endpoint_id: string, trigger: DeliveriesTable["trigger"]): DeliveryRow {
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
    last_status: null,
    last_fault: null,
    delivered_at: null,
    created_at: now,
  };
}
