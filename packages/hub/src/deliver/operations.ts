import { type EventType, LunasError } from "@lunas/domain";
import { sql } from "kysely";
import type { Hub } from "../hub.ts";
import type { Tx } from "../store/index.ts";
import type { EndpointRow } from "./claim.ts";
import { rearm } from "./rearm.ts";
import { openSecrets, type StoredSecret } from "./secrets.ts";
import { isFree } from "./status.ts";
import { makeSecret } from "./signature.ts";

/** What people do with endpoints, by the API or the command line. */

/** An old secret still signs for this long after a rotation. */
const OVERLAP_MS = 24 * 3_600_000;
const LIVE_SECRETS_MAX = 3;

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
    await holdDeliveries(tx, found.id, hub.clocks.business.now());
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
    await holdDeliveries(tx, found.id, hub.clocks.business.now());
    await change(hub, tx, found, { status: "deleted" });
  });
  hub.signals.emit({ kind: "endpoint", endpoint_id });
}

async function change(hub: Hub, tx: Tx, endpoint: EndpointRow, fields: Partial<Omit<EndpointRow, "events">>): Promise<EndpointRow> {
  const set = { ...fields, version: endpoint.version + 1, updated_at: hub.clocks.business.now() };
  await tx.updateTable("endpoints").set(set).where("id", "=", endpoint.id).execute();
  return { ...endpoint, ...set };
}

/** What waits. What an attempt is under way for is given back by whoever makes it. */
export async function holdDeliveries(tx: Tx, endpoint_id: string, now: number): Promise<void> {
  await tx
    .updateTable("deliveries")
    .set({ status: "paused", lease_until: null })
    .where("endpoint_id", "=", endpoint_id)
    .where("status", "=", "due")
    .where(isFree(now))
    .execute();
}
