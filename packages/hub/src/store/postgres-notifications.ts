import type pg from "pg";
import { asBuffer, encodeParameter } from "./codec.ts";
import type { NotificationRecord } from "./store.ts";

interface Folded {
  readonly record: NotificationRecord;
  repeats: number;
  last_received_at: number;
}

/**
 * Notifications and the bodies of those that are new, in one statement, which is a transaction of its own. All bodies come in one binary
 * parameter that is cut here: an array of bytes would be sent as text, twice as long. `xmax = 0` tells an inserted row from an updated one.
 */
const RECORD = `
  WITH given AS MATERIALIZED (
    SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bytea[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[],
      $11::bigint[], $12::bigint[], $13::bigint[], $14::int[], $15::int[])
    AS u (account_id, shop_id, verdict, route, dedupe, reference, provider_id, event_key, claim, remote_address, received_at, last_received_at, repeats, at, bytes)
  ), kept AS (
    INSERT INTO notifications
      (account_id, shop_id, verdict, route, dedupe, reference, provider_id, event_key, claim, remote_address, received_at, last_received_at, repeats)
    SELECT account_id, shop_id, verdict, route, dedupe, reference, provider_id, event_key, claim, remote_address, received_at, last_received_at, repeats FROM given
    ON CONFLICT (dedupe) DO UPDATE SET
      repeats = notifications.repeats + excluded.repeats + 1,
      last_received_at = GREATEST(notifications.last_received_at, excluded.last_received_at),
      route = CASE WHEN notifications.route IN (1, 4) THEN 0 ELSE notifications.route END
    RETURNING seq, dedupe, (xmax = 0) AS inserted
  ), bodies AS (
    INSERT INTO notification_bodies (seq, sealed)
    SELECT kept.seq, substring($16::bytea FROM given.at FOR given.bytes) FROM kept JOIN given USING (dedupe) WHERE kept.inserted
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
export async function recordOnPostgres(pool: pg.Pool, records: readonly NotificationRecord[]): Promise<{ readonly repeated: boolean }[]> {
  const { keys, folded } = fold(records);
  const column = <K extends keyof NotificationRecord>(name: K) => folded.map(({ record }) => encodeParameter(record[name]));
  const bodies = folded.map(({ record }) => asBuffer(record.sealed));
  let end = 1;
  const starts = bodies.map(({ length }) => (end += length) - length);
  const { rows } = await pool.query<{ dedupe: Buffer }>({
    // Named: each connection plans it once.
    name: "record_notifications",
    text: RECORD,
    values: [
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
      starts,
      bodies.map(({ length }) => length),
      Buffer.concat(bodies),
    ],
  });
  const fresh = new Set(rows.map(({ dedupe }) => keyOf(dedupe)));
  // `delete` tells whether it was still there: the first of a group takes it, its repetitions do not.
  return keys.map((key) => ({ repeated: !fresh.delete(key) }));
}
