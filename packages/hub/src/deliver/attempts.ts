import { DAY_MS, firstIdAt } from "@lunas/domain";
import type { Selectable } from "kysely";
import type { AttemptsTable, Db } from "../store/index.ts";
import type { DeliveryRow } from "./claim.ts";

export type AttemptRow = Selectable<AttemptsTable>;

/**
 * The first attempt lies in its delivery's row; later ones, and those of before that was so, in a table. A delivery older than this has its first
 * there, too, so that whoever prunes old deliveries' rows need not come back to them.
 */
export const FIRST_WITHIN_MS = DAY_MS;

/** A first attempt is written into the row of a delivery from here on. @param now business time. */
export function firstWithin(now: number): string {
  return firstIdAt("delivery", now - FIRST_WITHIN_MS);
}

/** Of these deliveries, those of each in the order of their making. @param limit of those in the table, the newest. */
export async function readAttempts(db: Db, deliveries: readonly DeliveryRow[], limit?: number): Promise<AttemptRow[]> {
  const first = deliveries.flatMap((row) => firstAttempt(row) ?? []);
  const more = deliveries.filter((row) => row.attempts > 1 || (row.attempts === 1 && row.first_at === null)).map((row) => row.id);
  if (more.length === 0) return first;
  let query = db.selectFrom("attempts").selectAll().where("delivery_id", "in", more).orderBy("id", "desc");
  if (limit !== undefined) query = query.limit(limit);
  // By number: ids are as good as the clocks of the hubs that made them.
  return [...first, ...(await query.execute())].sort((one, other) => one.number - other.number);
}

/** A delivery has one first attempt: what follows the prefix of its id serves the attempt as well. */
function firstAttempt(row: DeliveryRow): AttemptRow | undefined {
  if (row.first_at === null) return undefined;
  return {
    id: `att_${row.id.slice(4)}`,
    delivery_id: row.id,
    number: 1,
    trigger: row.first_trigger!,
    started_at: row.first_at,
    elapsed_ms: row.first_elapsed_ms!,
    status: row.first_status,
    fault: row.first_fault,
    response_body: row.first_body,
  };
}
