import { type RawBuilder, sql, type Selectable } from "kysely";
import { recentBodies } from "../collect/recent-bodies.ts";
import type { DeliveriesTable, EndpointsTable, Store, Tx } from "../store/index.ts";

export type DeliveryRow = Selectable<DeliveriesTable>;
export type EndpointRow = Selectable<EndpointsTable>;

/** What a try needs to know of its delivery. */
export type ClaimedDelivery = Pick<DeliveryRow, "id" | "event_id" | "endpoint_id" | "attempts" | "step" | "trigger" | "generation"> & {
  lease_until: number;
};
/** What a try needs to know of its endpoint. */
export type Target = Pick<EndpointRow, "id" | "url" | "format" | "secrets" | "status" | "version">;

export interface ClaimRequest {
  /** Business time. */
  readonly now_ms: number;
  readonly lease_ms: number;
  /** Deliveries at most, over all endpoints. */
  readonly total: number;
  /** How many an endpoint may be given now: none while its breaker is open or its lane is full. */
  room(endpoint_id: string): number;
}

export interface Claim {
  readonly deliveries: readonly ClaimedDelivery[];
  /** By id of the event: the exact text to send. */
  readonly bodies: ReadonlyMap<string, string>;
  readonly targets: ReadonlyMap<string, Target>;
  /** Some that are due were left, for want of room. */
  readonly more: boolean;
  /** When the next one falls due, as far as none is due now. */
  readonly next_due_at: number | undefined;
}

/** Endpoints whose deliveries are claimed by one statement. */
const ENDPOINTS_PER_STATEMENT = 16;
/** A lease that ends later than this was given before the clock was set back. */
const CLOCK_SKEW_MS = 10 * 60_000;

/**
 * Takes due deliveries and holds them for `lease_ms`, with all that is needed to send them; those whose holder died are due again. Each endpoint
 * is served by itself from its own range of the index, so a backlog of one, however long, costs the others nothing.
 */
export async function claimDeliveries(store: Store, request: ClaimRequest): Promise<Claim> {
  const { now_ms, lease_ms } = request;
  return store.write(async (tx) => {
    const waiting = await endpointsWaiting(tx, now_ms);
    const due = waiting.filter((one) => one.first <= now_ms);
    const roomy = due.map(({ endpoint_id }) => ({ endpoint_id, room: request.room(endpoint_id) })).filter((one) => one.room > 0);
    const free = freeOf(request);
    const ready = await freeSince(tx, store, roomy, now_ms, free);
    const wants = share(ready, request.total);
    const deliveries: ClaimedDelivery[] = [];
    for (let from = 0; from < wants.length; from += ENDPOINTS_PER_STATEMENT) {
      deliveries.push(...(await take(tx, store, wants.slice(from, from + ENDPOINTS_PER_STATEMENT), now_ms, now_ms + lease_ms, free)));
    }
    const taken = new Map<string, number>();
    for (const { endpoint_id } of deliveries) taken.set(endpoint_id, (taken.get(endpoint_id) ?? 0) + 1);
    const later = waiting.flatMap((one) => one.later ?? []);
    return {
      deliveries,
      bodies: await readBodies(tx, store, deliveries),
      targets: await readTargets(tx, store, [...taken.keys()]),
      more: due.length > roomy.length || ready.length > wants.length || wants.some(({ endpoint_id, limit }) => taken.get(endpoint_id) === limit),
      next_due_at: later.length > 0 ? Math.min(...later) : undefined,
    };
  });
}

interface Want {
  readonly endpoint_id: string;
  readonly limit: number;
}

/** Each endpoint gets its room, but no more than its equal part of what is left for all; the longest waiting first. */
function share(free: readonly Free[], total: number): Want[] {
  const wants: Want[] = [];
  let left = total;
  const roomy = free.toSorted((a, b) => a.due_at - b.due_at);
  for (const [index, { endpoint_id, room }] of roomy.entries()) {
    const limit = Math.min(room, Math.ceil(left / (roomy.length - index)));
    if (limit <= 0) break;
    wants.push({ endpoint_id, limit });
    left -= limit;
  }
  return wants;
}

interface Waiting {
  readonly endpoint_id: string;
  readonly first: number;
  /** When the next one falls due that is not due now. */
  readonly later: number | null;
}

/** Endpoints that have something due, now or later, under way or not: three looks into the index for each, however much is due. */
async function endpointsWaiting(tx: Tx, now_ms: number): Promise<Waiting[]> {
  const { rows } = await sql<Waiting>`
    WITH RECURSIVE waiting (endpoint_id) AS (
      SELECT MIN(endpoint_id) FROM deliveries WHERE status = 'due'
      UNION ALL
      SELECT (SELECT MIN(d.endpoint_id) FROM deliveries d WHERE d.status = 'due' AND d.endpoint_id > waiting.endpoint_id) FROM waiting
      WHERE waiting.endpoint_id IS NOT NULL)
    SELECT endpoint_id, (SELECT MIN(d.due_at) FROM deliveries d WHERE d.status = 'due' AND d.endpoint_id = waiting.endpoint_id) AS first,
      (SELECT MIN(d.due_at) FROM deliveries d WHERE d.status = 'due' AND d.endpoint_id = waiting.endpoint_id AND d.due_at > ${now_ms}) AS later
    FROM waiting WHERE endpoint_id IS NOT NULL`.execute(tx);
  return rows;
}

/** What nobody is at: it was never claimed, or whoever did is too late, or the clock was set back since. */
function freeOf({ now_ms, lease_ms }: ClaimRequest): RawBuilder<unknown> {
  return sql`(lease_until IS NULL OR lease_until <= ${now_ms} OR lease_until > ${now_ms + lease_ms + CLOCK_SKEW_MS})`;
}

interface Free {
  readonly endpoint_id: string;
  readonly room: number;
  readonly due_at: number;
}

/** Since when each of them has waited that has something that nobody is at. What is under way is passed by: a lane holds little. */
async function freeSince(
  tx: Tx,
  store: Store,
  roomy: readonly { readonly endpoint_id: string; readonly room: number }[],
  now_ms: number,
  free: RawBuilder<unknown>,
): Promise<Free[]> {
  if (roomy.length === 0) return [];
  const rooms = jsonRows(
    store,
    roomy.map((one) => [one.endpoint_id, one.room]),
  );
  const { rows } = await sql<{ [K in keyof Free]: Free[K] | null }>`
    SELECT value->>0 AS endpoint_id, CAST(value->>1 AS BIGINT) AS room, (SELECT due_at FROM deliveries
      WHERE status = 'due' AND endpoint_id = value->>0 AND due_at <= ${now_ms} AND ${free} ORDER BY due_at LIMIT 1) AS due_at FROM ${rooms}`.execute(
    tx,
  );
  return rows.filter((row): row is Free => row.due_at !== null);
}

async function take(
  tx: Tx,
  store: Store,
  wants: readonly Want[],
  now_ms: number,
  lease_until: number,
  free: RawBuilder<unknown>,
): Promise<ClaimedDelivery[]> {
  const { skipLocked, rowAddress, atAddresses } = store.engine;
  const ranges = wants.map(
    ({
      endpoint_id,
      limit,
    }) => sql`SELECT * FROM (SELECT ${sql.raw(rowAddress)} AS address FROM deliveries WHERE status = 'due' AND endpoint_id = ${endpoint_id} AND due_at <= ${now_ms} AND ${free}
      ORDER BY due_at LIMIT ${limit} ${sql.raw(skipLocked)}) AS range_of_endpoint`,
  );
  // By address, which spares a look-up for each row: what is locked does not move, and what was changed at this very moment is left to the next claim.
  // MATERIALIZED: PostgreSQL must not run the subquery again for each row, which would take more than was asked for.
  const { rows } = await sql<ClaimedDelivery>`
    WITH taken AS MATERIALIZED (${sql.join(ranges, sql` UNION ALL `)})
    UPDATE deliveries SET lease_until = ${lease_until} WHERE ${sql.raw(atAddresses[0])}SELECT address FROM taken${sql.raw(atAddresses[1])}
    RETURNING id, event_id, endpoint_id, attempts, step, "trigger", generation, lease_until`.execute(tx);
  // Ids sort by time of making: what happened first is sent first, as far as that goes.
  return rows.sort((a, b) => (a.id < b.id ? -1 : 1));
}

async function readBodies(tx: Tx, store: Store, deliveries: readonly ClaimedDelivery[]): Promise<Map<string, string>> {
  const recent = recentBodies(store);
  const bodies = new Map<string, string>();
  const missing = new Set<string>();
  for (const { event_id } of deliveries) {
    const body = recent.get(event_id);
    if (body === undefined) missing.add(event_id);
    else bodies.set(event_id, body);
  }
  if (missing.size === 0) return bodies;
  const { rows } = await sql<{ id: string; body: string }>`SELECT id, body FROM events WHERE id IN (${listed(store, [...missing])})`.execute(tx);
  for (const row of rows) bodies.set(row.id, row.body);
  return bodies;
}

/** What endpoints are now: whether they are active, and their versions. */
export async function readStates(store: Store, ids: readonly string[]): Promise<Pick<Target, "id" | "status" | "version">[]> {
  const { rows } = await store.read((db) =>
    sql<Pick<Target, "id" | "status" | "version">>`SELECT id, status, version FROM endpoints WHERE id IN (${listed(store, ids)})`.execute(db),
  );
  return rows;
}

async function readTargets(tx: Tx, store: Store, ids: readonly string[]): Promise<Map<string, Target>> {
  if (ids.length === 0) return new Map();
  const { rows } = await sql<Target>`SELECT id, url, format, secrets, status, version FROM endpoints WHERE id IN (${listed(store, ids)})`.execute(tx);
  return new Map(rows.map((row) => [row.id, row]));
}

/** A list as one parameter: the statement's text, and so its plan, is the same for every length. */
function listed(store: Store, ids: readonly string[]): RawBuilder<unknown> {
  return sql`SELECT value->>0 FROM ${jsonRows(
    store,
    ids.map((id) => [id]),
  )}`;
}

/** Rows as one parameter, each an array: `value->>0` is the first field, as text on PostgreSQL. */
export function jsonRows(store: Store, rows: readonly (readonly (string | number | null)[])[]): RawBuilder<unknown> {
  const [before, after] = store.engine.jsonRows;
  return sql`${sql.raw(before)}${JSON.stringify(rows)}${sql.raw(after)}`;
}

/** Gives deliveries back that were not tried: waiting is not an attempt. */
export async function releaseDeliveries(store: Store, deliveries: readonly ClaimedDelivery[], due_at: number): Promise<void> {
  if (deliveries.length === 0) return;
  await store.write((tx) => giveUp(tx, store, deliveries, sql`status = 'due', due_at = ${due_at}`));
}

/**
 * Deliveries of an endpoint that is not active wait for its resume. If it was resumed since they were claimed, they are due again.
 * @returns whether that was so.
 */
export async function pauseDeliveries(store: Store, deliveries: readonly ClaimedDelivery[]): Promise<boolean> {
  if (deliveries.length === 0) return false;
  const ids = [...new Set(deliveries.map((one) => one.endpoint_id))];
  return store.write(async (tx) => {
    // Held until the commit: a resume comes before, and is seen, or after, and arms what is paused here.
    const { rows } = await sql<Pick<Target, "id" | "status">>`
      SELECT id, status FROM endpoints WHERE id IN (${listed(store, ids)}) ORDER BY id ${sql.raw(store.engine.forShare)}`.execute(tx);
    const active = new Set(rows.filter((one) => one.status === "active").map((one) => one.id));
    const due = deliveries.filter((one) => active.has(one.endpoint_id));
    await giveUp(tx, store, due, sql`status = 'due'`);
    await giveUp(
      tx,
      store,
      deliveries.filter((one) => !active.has(one.endpoint_id)),
      sql`status = 'paused'`,
    );
    return due.length > 0;
  });
}

async function giveUp(tx: Tx, store: Store, deliveries: readonly ClaimedDelivery[], change: RawBuilder<unknown>): Promise<void> {
  if (deliveries.length === 0) return;
  const held = jsonRows(
    store,
    deliveries.map((one) => [one.id, one.lease_until]),
  );
  await sql`UPDATE deliveries SET ${change}, lease_until = NULL
    FROM (SELECT value->>0 AS id, CAST(value->>1 AS BIGINT) AS lease FROM ${held}) AS given
    WHERE deliveries.id = given.id AND deliveries.status = 'due' AND deliveries.lease_until = given.lease`.execute(tx);
}
