import { rfc3339 } from "@lunas/domain";
import { readAttempts } from "../deliver/attempts.ts";
import type { DeliveryRow } from "../deliver/claim.ts";
import { deliveryStatus } from "../deliver/status.ts";
import type { Db } from "../store/index.ts";

/** Deliveries with every attempt, and the type of what they deliver. @param now business time. */
export async function readDeliveryViews(db: Db, rows: readonly DeliveryRow[], now: number) {
  if (rows.length === 0) return [];
  const attempts = await readAttempts(db, rows);
  const events = await db
    .selectFrom("events")
    .select(["id", "type"])
    .where("id", "in", [...new Set(rows.map((row) => row.event_id))])
    .execute();
  const types = new Map(events.map((event) => [event.id, event.type]));
  const tried = Map.groupBy(attempts, (attempt) => attempt.delivery_id);
  return rows.map((row) => ({
    id: row.id,
    object: "delivery" as const,
    event_id: row.event_id,
    event_type: types.get(row.event_id) ?? "",
    endpoint_id: row.endpoint_id,
    status: deliveryStatus(row, now),
    attempts: (tried.get(row.id) ?? []).map((attempt) => ({
      number: attempt.number,
      trigger: attempt.trigger,
      started_at: rfc3339(attempt.started_at),
      elapsed_ms: attempt.elapsed_ms,
      status: attempt.status,
      fault: attempt.fault,
      response_body: attempt.response_body,
    })),
    due_at: row.status === "due" ? rfc3339(row.due_at) : null,
    delivered_at: row.delivered_at === null ? null : rfc3339(row.delivered_at),
  }));
}
