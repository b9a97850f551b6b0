import { invariant } from "@lunas/domain";
import { emitEvent } from "../collect/emit.ts";
import type { Hub } from "../hub.ts";
import type { Tx } from "../store/index.ts";
import type { DeliveryRow, EndpointRow } from "./claim.ts";
import { ALERTS_AT, shouldPause } from "./health.ts";
import { rearmExhausted } from "./rearm.ts";

/** What one attempt came to. */
export interface AttemptResult {
  readonly delivery: DeliveryRow;
  readonly started_at: number;
  readonly elapsed_ms: number;
  readonly status: number | null;
  readonly fault: string | null;
  readonly response_body: string | null;
  readonly verdict: "delivered" | "retry" | "gone" | "exhausted";
  /** Business time of the next attempt, with `retry`. */
  readonly due_at: number | null;
}

/** Writes the results of many attempts in one commit: the attempt log, the deliveries, and the health of their endpoints. */
export async function saveResults(hub: Hub, results: readonly AttemptResult[]): Promise<void[]> {
  await hub.store.write(async (tx) => {
    await tx
      .insertInto("attempts")
      .values(
        results.map((result) => ({
          id: hub.newId("attempt"), delivery_id: result.delivery.id, number: result.delivery.attempts + 1, trigger: result.delivery.trigger,
          started_at: result.started_at, elapsed_ms: Math.round(result.elapsed_ms), status: result.status, fault: result.fault, response_body: result.response_body,
        })),
      )
      .execute();
    for (const result of results) await saveDelivery(tx, result);
    await saveHealth(hub, tx, results);
  });
  for (const result of results) hub.metrics.count("lunas_delivery_attempts_total", { outcome: result.verdict, fault: result.fault ?? "none" });
  return results.map(() => undefined);
}

async function saveDelivery(tx: Tx, result: AttemptResult): Promise<void> {
  const { delivery } = result;
  const status = result.verdict === "delivered" ? ("delivered" as const) : result.verdict === "retry" ? ("due" as const) : ("exhausted" as const);
  await tx
    .updateTable("deliveries")
    .set({
      status, attempts: delivery.attempts + 1, step: delivery.step + 1, lease_until: null, last_status: result.status, last_fault: result.fault,
      ...(result.verdict === "delivered" ? { delivered_at: result.started_at + Math.round(result.elapsed_ms) } : {}), ...(result.due_at === null ? {} : { due_at: result.due_at }),
    })
    .where("id", "=", delivery.id)
    // Not when it was paused, or armed anew by a person, while it was under way: that wish stands.
    .where("status", "=", "delivering")
    .execute();
}

/** The endpoint's row is written only when its health has changed: a healthy one costs no write. */
async function saveHealth(hub: Hub, tx: Tx, results: readonly AttemptResult[]): Promise<void> {
  const byEndpoint = Map.groupBy(results, (result) => result.delivery.endpoint_id);
  const now = hub.clocks.business.now();
  for (const [endpoint_id, group] of byEndpoint) {
    const endpoint = await tx.selectFrom("endpoints").selectAll().where("id", "=", endpoint_id).executeTakeFirst();
    invariant(endpoint, `endpoint ${endpoint_id} is gone`);
    const next = healthAfter(endpoint, group, now);
    if (!next) continue;
    await tx.updateTable("endpoints").set(next).where("id", "=", endpoint_id).execute();
    const recovered = endpoint.failures_in_row > 0 && next.failures_in_row === 0;
    if (recovered) await rearmExhausted(tx, endpoint_id, now);
    if (group.some((result) => result.verdict === "gone")) await stop(hub, tx, endpoint, "disabled", "it answered 410 Gone");
    else if (shouldPause(next, now)) await stop(hub, tx, endpoint, "paused", `${next.failures_in_row} failures in a row`);
    else if (ALERTS_AT.some((count) => endpoint.failures_in_row < count && next.failures_in_row >= count)) await alert(hub, tx, endpoint, next.failures_in_row);
  }
}

function healthAfter(endpoint: EndpointRow, group: readonly AttemptResult[], now: number) {
  let { failures_in_row, first_failure_at, last_success_at } = endpoint;
  for (const result of group) {
    if (result.verdict === "delivered") {
      failures_in_row = 0;
      first_failure_at = null;
      last_success_at = now;
    } else {
      failures_in_row += 1;
      first_failure_at ??= now;
    }
  }
  const unchanged = failures_in_row === endpoint.failures_in_row && endpoint.last_success_at !== null && now - endpoint.last_success_at < 60_000;
  return unchanged ? undefined : { failures_in_row, first_failure_at, last_success_at };
}

async function stop(hub: Hub, tx: Tx, endpoint: EndpointRow, status: "paused" | "disabled", why: string): Promise<void> {
  if (endpoint.status !== "active") return;
  await tx.updateTable("endpoints").set({ status, paused_reason: why, updated_at: hub.clocks.business.now() }).where("id", "=", endpoint.id).execute();
  await tx.updateTable("deliveries").set({ status: "paused", lease_until: null }).where("endpoint_id", "=", endpoint.id).where("status", "=", "due").execute();
  await emitEvent(hub, tx, {
    shop_id: endpoint.shop_id, type: "endpoint.paused", subject: { type: "endpoint", id: endpoint.id }, data: { endpoint: { id: endpoint.id, url: endpoint.url, status, reason: why } },
  });
}

async function alert(hub: Hub, tx: Tx, endpoint: EndpointRow, failures_in_row: number): Promise<void> {
  await emitEvent(hub, tx, {
    shop_id: endpoint.shop_id, type: "endpoint.failing", subject: { type: "endpoint", id: endpoint.id }, data: { endpoint: { id: endpoint.id, url: endpoint.url, failures_in_row } },
  });
}
