import { asBuffer, encodeParameter } from "./codec.ts";
import type { SqliteConnection } from "./sqlite-dialect.ts";
import type { NotificationRecord } from "./store.ts";

const INSERT = `INSERT INTO notifications
  (account_id, shop_id, verdict, route, dedupe, reference, provider_id, event_key, claim, remote_address, received_at, last_received_at, repeats)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0) ON CONFLICT (dedupe) DO NOTHING`;
const INSERT_BODY = "INSERT INTO notification_bodies (seq, sealed) VALUES (?, ?)";
/** A repetition is counted and, unless it is quarantined or parked, is new work again. */
const REPEAT = `UPDATE notifications SET repeats = repeats + 1, last_received_at = MAX(last_received_at, ?),
  route = CASE WHEN route IN (1, 4) THEN 0 ELSE route END WHERE dedupe = ?`;

const text = encodeParameter as (value: string | null) => string | null;

/** For each record whether it was there before. Runs in an open transaction; the statements are our own, without a builder: this is the hottest path. */
export function recordOnSqlite(connection: SqliteConnection, records: readonly NotificationRecord[]): { readonly repeated: boolean }[] {
  const insert = connection.prepare(INSERT);
  const insertBody = connection.prepare(INSERT_BODY);
  const repeat = connection.prepare(REPEAT);
  return records.map((r) => {
    const dedupe = asBuffer(r.dedupe);
    const { changes, lastInsertRowid } = insert.run(
      r.account_id,
      r.shop_id,
      r.verdict,
      r.route,
      dedupe,
      text(r.reference),
      text(r.provider_id),
      text(r.event_key),
      text(r.claim),
      text(r.remote_address),
      r.received_at,
      r.received_at,
    );
    if (changes === 1) insertBody.run(lastInsertRowid, asBuffer(r.sealed));
    else repeat.run(r.received_at, dedupe);
    return { repeated: changes !== 1 };
  });
}
