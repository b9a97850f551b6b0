import { sql } from "kysely";
import type { Store } from "./store.ts";

const HOLD = "hold";
const KNOWN_UNTIL = "hold_known_until";
/** Events are numbered above this, so that a restored hub does not give new ones the numbers of those that its database has forgotten. */
export const SEQUENCE_FLOOR = "event_sequence_floor";

/**
 * Where the latest moment stands that a database knows of: a column, its table, and the key that sorts by time; without one all are looked at.
 * All of them are there in every version: a copy of an older one is marked before it is migrated. What an attempt that failed would add is left out:
 * to know less of the end is the safe side.
 */
const LATEST: readonly (readonly [column: string, table: string, key?: string])[] = [
  ["answered_at", "answers", "id"],
  ["at", "transitions", "id"],
  ["created_at", "orders", "id"],
  ["started_at", "attempts"],
  ["delivered_at", "deliveries"],
  ["last_received_at", "notifications", "seq"],
];

const FLOOR_EPOCH_MS = Date.UTC(2026, 0, 1);

/**
 * What goes with a hold, as statements without parameters, for either engine: until when the database knows what its hub did (the first hold's
 * stands), and the floor of the events' numbers. The floor is a time in seconds: a copy does not know how often copies were restored before it, but no
 * subject has an event each second for years.
 */
export function holdStatements(now_ms: number): string[] {
  const floor = Math.max(0, Math.floor((now_ms - FLOOR_EPOCH_MS) / 1000));
  const moments = LATEST.map(([column, table, key]) =>
    key === undefined
      ? `SELECT MAX(${column}) AS moment FROM ${table}`
      : `SELECT (SELECT ${column} FROM ${table} ORDER BY ${key} DESC LIMIT 1) AS moment`,
  );
  return [
    `INSERT INTO meta (name, value) SELECT '${KNOWN_UNTIL}', CAST(MAX(moment) AS TEXT) FROM (${moments.join(" UNION ALL ")}) AS moments
      WHERE moment IS NOT NULL HAVING MAX(moment) IS NOT NULL ON CONFLICT (name) DO NOTHING`,
    `INSERT INTO meta (name, value) VALUES ('${SEQUENCE_FLOOR}', '${floor}') ON CONFLICT (name) DO UPDATE SET value =
      CASE WHEN CAST(excluded.value AS BIGINT) > CAST(meta.value AS BIGINT) THEN excluded.value ELSE meta.value END`,
  ];
}

/**
 * Puts the hub on hold: nothing that moves money is sent until it is cleared. A database that was restored from a copy starts like this,
 * because the copy does not know what was done after it was made.
 * @param reason a word for the operator, such as `restored`. A hold that is there keeps its first reason.
 */
export async function setHold(store: Store, reason: string, now_ms: number = Date.now()): Promise<void> {
  await store.write(async (tx) => {
    for (const statement of holdStatements(now_ms)) await sql.raw(statement).execute(tx);
    await tx
      .insertInto("meta")
      .values({ name: HOLD, value: reason })
      .onConflict((conflict) => conflict.column("name").doNothing())
      .execute();
  });
}

/** Until when the database surely knew what its hub did, when it was put on hold; undefined when that is not on record, or it never did anything. */
export async function readKnownUntil(store: Store): Promise<number | undefined> {
  const row = await store.read((db) => db.selectFrom("meta").select("value").where("name", "=", KNOWN_UNTIL).executeTakeFirst());
  return row && Number(row.value);
}

/** The reason of the hold, or undefined when there is none. */
export async function readHold(store: Store): Promise<string | undefined> {
  const row = await store.read((db) => db.selectFrom("meta").select("value").where("name", "=", HOLD).executeTakeFirst());
  return row?.value;
}

export async function clearHold(store: Store): Promise<void> {
  await store.write((tx) => tx.deleteFrom("meta").where("name", "in", [HOLD, KNOWN_UNTIL]).execute());
}
