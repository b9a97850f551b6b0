import { asBuffer, encodeParameter } from "./codec.ts";
import type { SqliteConnection } from "./sqlite-dialect.ts";
import type { SqliteKeys } from "./sqlite-keys.ts";
import type { BodyKeeping, NotificationRecord } from "./store.ts";

const INSERT = `INSERT INTO notifications
  (account_id, shop_id, verdict, route, dedupe, reference, provider_id, event_key, claim, remote_address, received_at, last_received_at, repeats, batch, place)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?)`;
const NEXT_BATCH = "SELECT COALESCE(MAX(id), 0) + 1 AS id FROM notification_batches";
const INSERT_BATCH = "INSERT INTO notification_batches (id, keep_until, sealed) VALUES (?, ?, ?)";
/** A repetition is counted and, unless it is quarantined or parked, is new work again. The key again: the row may be gone, or another one by now. */
const REPEAT = `UPDATE notifications SET repeats = repeats + 1, last_received_at = MAX(last_received_at, ?),
  route = CASE WHEN route IN (1, 4) THEN 0 ELSE route END WHERE seq = ? AND dedupe = ?`;

const text = encodeParameter as (value: string | null) => string | null;

/** For each record whether it was there before. Runs in an open transaction; the statements are our own, without a builder: this is the hottest path. */
export function recordOnSqlite(
  connection: SqliteConnection,
  keys: SqliteKeys,
  records: readonly NotificationRecord[],
  { seal, keep_until }: BodyKeeping,
): { readonly repeated: boolean }[] {
  const mark = keys.mark;
  try {
    const { id } = connection.prepare(NEXT_BATCH).get() as { id: bigint };
    const bodies: Uint8Array[] = [];
    const results = records.map((record) => {
      if (isRepeated(connection, keys, record)) return { repeated: true };
      insert(connection, keys, record, id, bodies.push(record.body) - 1);
      return { repeated: false };
    });
    if (bodies.length > 0) connection.prepare(INSERT_BATCH).run(id, keep_until, asBuffer(seal(bodies)));
    return results;
  } catch (error) {
    keys.undo(mark);
    throw error;
  }
}

function isRepeated(connection: SqliteConnection, keys: SqliteKeys, record: NotificationRecord): boolean {
  const seq = keys.find(record.dedupe);
  return seq !== undefined && connection.prepare(REPEAT).run(record.received_at, seq, asBuffer(record.dedupe)).changes === 1;
}

function insert(connection: SqliteConnection, keys: SqliteKeys, r: NotificationRecord, batch: bigint, place: number): void {
  const { lastInsertRowid } = connection
    .prepare(INSERT)
    .run(
      r.account_id,
      r.shop_id,
      r.verdict,
      r.route,
      asBuffer(r.dedupe),
      text(r.reference),
      text(r.provider_id),
      text(r.event_key),
      text(r.claim),
      text(r.remote_address),
      r.received_at,
      r.received_at,
      batch,
      place,
    );
  keys.add(r.dedupe, BigInt(lastInsertRowid));
}
