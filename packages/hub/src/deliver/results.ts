import { type Kysely, sql } from "kysely";
import { emitEvent } from "../collect/emit.ts";
import type { Hub } from "../hub.ts";
import type { Database, Tx } from "../store/index.ts";
import { firstWithin } from "./attempts.ts";
import { type ClaimedDelivery, type EndpointRow, jsonRows } from "./claim.ts";
import { healthAfter, type HealthChange, shouldPause } from "./health.ts";
import type { AttemptFault } from "./outcome.ts";
import { holdDeliveries } from "./operations.ts";
import { rearmExhausted } from "./rearm.ts";

/** What one attempt came to. */
export interface AttemptResult {
  readonly delivery: ClaimedDelivery;
  /** Business time. */
  readonly started_at: number;
  readonly elapsed_ms: number;
  readonly status: number | null;
  readonly fault: AttemptFault | null;
  readonly response_body: string | null;
  readonly verdict: "delivered" | "retry" | "gone" | "exhausted";
  /** Business time of the next attempt, with `retry`. */
  readonly due_at: number | null;
}

/** What writing a result has brought about beside itself. */
export interface SavedResult {
  /** The endpoint is paused or disabled now. */
  readonly stopped: boolean;
  /** Deliveries became due: events about the endpoint, or what it had missed. */
  readonly more_due: boolean;
}

type Change = { readonly stopped: Set<string>; more_due: boolean };

/** Writes the results of many attempts in one commit: the deliveries with their first attempts, further ones, and the health of their endpoints. */
export async function saveResults(hub: Hub, results: readonly AttemptResult[]): Promise<SavedResult[]> {
  // In the order of the rows: neighbours lie on the same pages, and of two commits at once none waits for the other crosswise.
  const sorted = results.toSorted((a, b) => (a.delivery.id < b.delivery.id ? -1 : 1));
  const { stopped, more_due } = await hub.store.write(async (tx) => {
    await saveAttempts(hub, tx, sorted, await saveDeliveries(hub, tx, sorted));
    return saveHealth(hub, tx, results);
  });
  const alike = Map.groupBy(results, ({ verdict, fault }) => `${verdict} ${fault ?? "none"}`);
  for (const [of, { length }] of alike) {
    const [outcome, fault] = of.split(" ") as [string, string];
    hub.metrics.count("lunas_delivery_attempts_total", { outcome, fault }, length);
  }
  return results.map((result) => ({ stopped: stopped.has(result.delivery.endpoint_id), more_due }));
}

const FIRST_COLUMNS = [
  ["first_trigger", "trigger"],
  ["first_at", "started_at"],
  ["first_elapsed_ms", "elapsed_ms"],
  ["first_status", "answer"],
  ["first_fault", "fault"],
  ["first_body", "body"],
] as const;

const STATUS_AFTER = { delivered: "delivered", retry: "due", gone: "exhausted", exhausted: "exhausted" } as const;

/**
 * The attempt counts in any case, because it was made. The delivery moves on only if it is still ours: whoever has paused it, armed it anew or
 * taken it over after our lease has the say, except that what was delivered needs no more attempts, unless somebody wished for one since.
 * @returns the number of the attempt, by delivery, where it is not written down with its delivery: it is not the first, or late.
 */
async function saveDeliveries(hub: Hub, tx: Tx, results: readonly AttemptResult[]): Promise<Map<string, number>> {
  const rows = jsonRows(
    hub.store,
    results.map((one) => [
      one.delivery.id,
      one.delivery.lease_until,
      one.delivery.generation,
      STATUS_AFTER[one.verdict],
      one.due_at,
      one.delivery.trigger,
      one.started_at,
      Math.round(one.elapsed_ms),
      one.status,
      one.fault,
      one.response_body,
    ]),
  );
  const now = hub.clocks.business.now();
  const ours = sql`deliveries.lease_until = mine.lease AND deliveries.lease_until > ${now} AND deliveries.generation = mine.generation`;
  const done = sql`mine.status = 'delivered' AND deliveries.generation = mine.generation`;
  const since = firstWithin(now);
  const firstColumns = FIRST_COLUMNS.map(
    ([column, of]) =>
      sql`${sql.ref(column)} = CASE WHEN deliveries.attempts = 0 AND deliveries.id >= ${since} THEN mine.${sql.ref(of)} ELSE deliveries.${sql.ref(column)} END`,
  );
  const { rows: counted } = await sql<{ id: string; attempts: number }>`
    UPDATE deliveries SET
      status = CASE WHEN ${done} THEN 'delivered' WHEN deliveries.status = 'due' AND ${ours} THEN mine.status ELSE deliveries.status END,
      step = CASE WHEN ${ours} THEN deliveries.step + 1 ELSE deliveries.step END,
      due_at = CASE WHEN ${ours} THEN COALESCE(mine.due_at, deliveries.due_at) ELSE deliveries.due_at END,
      lease_until = CASE WHEN (${done}) OR (${ours}) THEN NULL ELSE deliveries.lease_until END,
      delivered_at = CASE WHEN mine.status = 'delivered' THEN mine.started_at + mine.elapsed_ms ELSE deliveries.delivered_at END,
      attempts = deliveries.attempts + 1, ${sql.join(firstColumns)}
    FROM (SELECT value->>0 AS id, CAST(value->>1 AS BIGINT) AS lease, CAST(value->>2 AS BIGINT) AS generation, value->>3 AS status,
        CAST(value->>4 AS BIGINT) AS due_at, value->>5 AS "trigger", CAST(value->>6 AS BIGINT) AS started_at, CAST(value->>7 AS BIGINT) AS elapsed_ms,
        CAST(value->>8 AS BIGINT) AS answer, value->>9 AS fault, value->>10 AS body FROM ${rows}) AS mine
    WHERE deliveries.id = mine.id RETURNING deliveries.id, deliveries.attempts`.execute(tx);
  return new Map(counted.filter((row) => row.attempts > 1 || row.id < since).map((row) => [row.id, row.attempts]));
}

async function saveAttempts(hub: Hub, tx: Tx, results: readonly AttemptResult[], numbers: ReadonlyMap<string, number>): Promise<void> {
  const kept = results.filter((one) => numbers.has(one.delivery.id));
  if (kept.length === 0) return;
  const rows = jsonRows(
    hub.store,
    kept.map((one) => [
      hub.newId("attempt"),
      one.delivery.id,
      numbers.get(one.delivery.id)!,
      one.delivery.trigger,
      one.started_at,
      Math.round(one.elapsed_ms),
      one.status,
      one.fault,
      one.response_body,
    ]),
  );
  await sql`
    INSERT INTO attempts (id, delivery_id, number, "trigger", started_at, elapsed_ms, status, fault, response_body)
    SELECT value->>0, value->>1, CAST(value->>2 AS BIGINT), value->>3, CAST(value->>4 AS BIGINT), CAST(value->>5 AS BIGINT),
      CAST(value->>6 AS BIGINT), value->>7, value->>8 FROM ${rows}`.execute(tx);
}

type Watched = Pick<EndpointRow, "id" | "shop_id" | "url" | "status" | "failures_in_row" | "first_failure_at" | "last_success_at">;

/** An endpoint's row is written only when its health has changed: a healthy one costs a read for the whole group. */
async function saveHealth(hub: Hub, tx: Tx, results: readonly AttemptResult[]): Promise<Change> {
  const now = hub.clocks.business.now();
  const groups = Map.groupBy(results, (result) => result.delivery.endpoint_id);
  const change: Change = { stopped: new Set(), more_due: false };
  const after = (endpoint: Watched): HealthChange =>
    healthAfter(
      endpoint,
      groups.get(endpoint.id)!.map((result) => result.verdict === "delivered"),
      now,
    );
  const worth = (endpoint: Watched): boolean =>
    after(endpoint).changed || after(endpoint).recovered || groups.get(endpoint.id)!.some((one) => one.verdict === "gone");
  const seen = await readHealth(hub, tx, [...groups.keys()], false);
  const changing = seen.filter(worth).map((endpoint) => endpoint.id);
  if (changing.length === 0) return change;
  // Read again and held, so that two hubs count to a hundred together.
  for (const endpoint of await readHealth(hub, tx, changing, true)) {
    const health = after(endpoint);
    await tx.updateTable("endpoints").set(health.next).where("id", "=", endpoint.id).execute();
    if (health.recovered) change.more_due = (await rearmExhausted(tx, endpoint.id, now)) || change.more_due;
    const gone = groups.get(endpoint.id)!.some((one) => one.verdict === "gone");
    if (endpoint.status !== "active") continue;
    if (gone) await stop(hub, tx, endpoint, "disabled", "it answered 410 Gone");
    else if (shouldPause(health.next, now)) await stop(hub, tx, endpoint, "paused", whyPaused(health.next.failures_in_row));
    else if (health.alert !== undefined) await alert(hub, tx, endpoint, health.alert);
    else continue;
    if (gone || shouldPause(health.next, now)) change.stopped.add(endpoint.id);
    change.more_due = true;
  }
  return change;
}

async function readHealth(hub: Hub, tx: Kysely<Database>, ids: readonly string[], hold: boolean): Promise<Watched[]> {
  const listed = jsonRows(
    hub.store,
    ids.map((id) => [id]),
  );
  const { rows } = await sql<Watched>`
    SELECT id, shop_id, url, status, failures_in_row, first_failure_at, last_success_at FROM endpoints
    WHERE id IN (SELECT value->>0 FROM ${listed}) ORDER BY id ${sql.raw(hold ? hub.store.engine.forUpdate : "")}`.execute(tx);
  return rows;
}

function whyPaused(failures_in_row: number): string {
  return `${failures_in_row} ${failures_in_row === 1 ? "failure" : "failures"} in a row`;
}

async function stop(hub: Hub, tx: Tx, endpoint: Watched, status: "paused" | "disabled", why: string): Promise<void> {
  await tx
    .updateTable("endpoints")
    .set({ status, paused_reason: why, updated_at: hub.clocks.business.now() })
    .where("id", "=", endpoint.id)
    .execute();
  await holdDeliveries(tx, endpoint.id, hub.clocks.business.now());
  await emitEvent(hub, tx, {
    shop_id: endpoint.shop_id,
    type: "endpoint.paused",
    subject: { type: "endpoint", id: endpoint.id },
    data: { endpoint: { id: endpoint.id, url: endpoint.url, status, reason: why } },
  });
}

async function alert(hub: Hub, tx: Tx, endpoint: Watched, failures_in_row: number): Promise<void> {
  await emitEvent(hub, tx, {
    shop_id: endpoint.shop_id,
    type: "endpoint.failing",
    subject: { type: "endpoint", id: endpoint.id },
    data: { endpoint: { id: endpoint.id, url: endpoint.url, failures_in_row } },
  });
}
