import type pg from "pg";
import { asBuffer, encodeParameter } from "./codec.ts";
import type { BodyKeeping, NotificationRecord } from "./store.ts";

interface Folded {
  readonly record: NotificationRecord;
  repeats: number;
  last_received_at: number;
}

/**
 * Notifications and the batch of their bodies, in one statement, which is a transaction of its own. The batch gets its number first and is
 * kept only if a row is new. `xmax = 0` tells an inserted row from an updated one.
 */
const RECORD = `
  WITH given AS MATERIALIZED (
    SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bytea[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[],
      $11::bigint[], $12::bigint[], $13::bigint[]) WITH ORDINALITY
    AS u (account_id, shop_id, verdict, route, dedupe, reference, provider_id, event_key, claim, remote_address, received_at, last_received_at, repeats, nth)
  ), batch AS MATERIALIZED (
    SELECT nextval(pg_get_serial_sequence('notification_batches', 'id')) AS id
  ), kept AS (
    INSERT INTO notifications
      (account_id, shop_id, verdict, route, dedupe, reference, provider_id, event_key, claim, remote_address, received_at, last_received_at, repeats, batch, place)
    SELECT account_id, shop_id, verdict, route, dedupe, reference, provider_id, event_key, claim, remote_address, received_at, last_received_at, repeats,
      batch.id, nth - 1 FROM given, batch
    ON CONFLICT (dedupe) DO UPDATE SET
      repeats = notifications.repeats + excluded.repeats + 1,
      last_received_at = GREATEST(notifications.last_received_at, excluded.last_received_at),
      route = CASE WHEN notifications.route IN (1, 4) THEN 0 ELSE notifications.route END
    RETURNING dedupe, (xmax = 0) AS inserted
  ), bodies AS (
    INSERT INTO notification_batches (id, keep_until, sealed) OVERRIDING SYSTEM VALUE
    SELECT batch.id, $14::bigint, $15::bytea FROM batch WHERE EXISTS (SELECT 1 FROM kept WHERE inserted)
  )
  SELECT dedupe FROM kept WHERE inserted`;

/** One statement cannot touch a row twice, so repetitions within the group are folded into the first. The order is the same in every hub: no deadlocks. */
function fold(records: readonly NotificationRecord[]): { keys: string[]; folded: Folded[] } {
  const first = new Map<string, Folded>();
  const keys = records.map((record) => {
    const key = keyOf(record.dedupe);
    const seen = first.get(key);
    if (!seen) first.set(key, { record, repeats: 0, last_received_at: record.received_at });
    else {
      seen.repeats += 1;
      seen.last_received_at = Math.max(seen.last_received_at, record.received_at);
    }
    return key;
  });
  return { keys, folded: [...first].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, value]) => value) };
}

function keyOf(dedupe: Uint8Array): string {
  return asBuffer(dedupe).toString("latin1");
}

/** For each record whether it was there before, in the database or earlier in the group. */
export async function recordOnPostgres(
  pool: pg.Pool,
  records: readonly NotificationRecord[],
  { seal, keep_until }: BodyKeeping,
): Promise<{ readonly repeated: boolean }[]> {
  if (records.length === 0) return [];
  const { keys, folded } = fold(records);
  const column = <K extends keyof NotificationRecord>(name: K) => folded.map(({ record }) => encodeParameter(record[name]));
  const { rows } = await pool.query<{ dedupe: Buffer }>(RECORD, [
    column("account_id"),
    column("shop_id"),
    column("verdict"),
    column("route"),
    column("dedupe"),
    column("reference"),
    column("provider_id"),
    column("event_key"),
    column("claim"),
    column("remote_address"),
    column("received_at"),
    folded.map(({ last_received_at }) => last_received_at),
    folded.map(({ repeats }) => repeats),
    keep_until,
    asBuffer(seal(folded.map(({ record }) => record.body))),
  ]);
  const fresh = new Set(rows.map(({ dedupe }) => keyOf(dedupe)));
  // `delete` tells whether it was still there: the first of a group takes it, its repetitions do not.
  return keys.map((key) => ({ repeated: !fresh.delete(key) }));
}
