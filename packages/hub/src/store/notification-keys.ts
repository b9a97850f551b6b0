import { sql } from "kysely";
import { keyedRow } from "./sqlite-keys.ts";
import type { Store, Tx } from "./store.ts";

/** The number of the notification that is stored under a key, in the transaction of whatever depends on it. */
export async function notificationByKey(store: Store, tx: Tx, dedupe: Uint8Array): Promise<number | undefined> {
  const query = store.engine.name === "sqlite" ? keyedRow(dedupe) : sql<{ seq: number }>`SELECT seq FROM notifications WHERE dedupe = ${dedupe}`;
  const { rows } = await query.execute(tx);
  return rows[0]?.seq;
}
