import { asBuffer, encodeParameter } from "./codec.ts";
import type { SqliteConnection } from "./sqlite-dialect.ts";
import { type Key, keyBytes, keyOf, SqliteKeys } from "./sqlite-keys.ts";
import type { BodyKeeping, NotificationRecord } from "./store.ts";

const INSERT = `INSERT INTO notifications
  (account_id, shop_id, verdict, route, reference, provider_id, event_key, claim, remote_address, received_at, last_received_at, dedupe, repeats, batch, place)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?)`;
const NEXT_BATCH = "SELECT COALESCE(MAX(id), 0) + 1 AS id FROM notification_batches";
const INSERT_BATCH = "INSERT INTO notification_batches (id, keep_until, sealed) VALUES (?, ?, ?)";
/** A repetition is counted and, unless it is quarantined or parked, is new work again. The key again: the row may be gone, or another one by now. */
const REPEAT = `UPDATE notifications SET repeats = repeats + 1, last_received_at = MAX(last_received_at, ?),
  route = CASE WHEN route IN (1, 4) THEN 0 ELSE route END WHERE seq = ? AND dedupe = ?`;

type Value = string | number | null;

/** Notifications and their bodies as one message, which costs little to send to a thread. */
export interface RecordOrder {
  readonly keys: readonly Key[];
  /** The first columns of `INSERT`, from `account_id` to `last_received_at`. */
  readonly rows: readonly (readonly Value[])[];
  readonly received_at: readonly number[];
  readonly keep_until: number;
  /** All bodies; kept if one of the rows is new. */
  readonly sealed: Uint8Array;
}

const text = encodeParameter as (value: string | null) => string | null;

export function recordOrder(records: readonly NotificationRecord[], { seal, keep_until }: BodyKeeping): RecordOrder {
  return {
    keys: records.map((record) => keyOf(record.dedupe)),
    rows: records.map((r) => [
      r.account_id,
      r.shop_id,
      r.verdict,
      r.route,
      text(r.reference),
      text(r.provider_id),
      text(r.event_key),
      text(r.claim),
      text(r.remote_address),
      r.received_at,
      r.received_at,
    ]),
    received_at: records.map((record) => record.received_at),
    keep_until,
    sealed: seal(records.map((record) => record.body)),
  };
}

/** Takes notifications in over a connection of its own or that of the store. The statements are our own, without a builder: this is the hottest path. */
export class SqliteNotifications {
  readonly #connection: SqliteConnection;
  readonly #keys: SqliteKeys;

  constructor(connection: SqliteConnection, keys_in_memory?: number) {
    this.#connection = connection;
    this.#keys = new SqliteKeys(connection, keys_in_memory);
  }

  /** In one transaction. @returns for each whether it was there before. */
  record(order: RecordOrder): boolean[] {
    const { db } = this.#connection;
    try {
      db.exec("BEGIN IMMEDIATE");
      const repeated = this.#insertAll(order);
      this.#keys.writeSome();
      db.exec("COMMIT");
      this.#keys.committed();
      return repeated;
    } catch (error) {
      this.#keys.rolledBack();
      if (db.inTransaction) db.exec("ROLLBACK");
      throw error;
    }
  }

  #insertAll({ keys, rows, received_at, keep_until, sealed }: RecordOrder): boolean[] {
    const { id } = this.#connection.prepare(NEXT_BATCH).get() as { id: bigint };
    const repeated = keys.map((key, place) => {
      if (this.#isRepeated(key, received_at[place]!)) return true;
      const { lastInsertRowid } = this.#connection.prepare(INSERT).run(...rows[place]!, keyBytes(key), id, place);
      this.#keys.add(key, BigInt(lastInsertRowid));
      return false;
    });
    if (repeated.includes(false)) this.#connection.prepare(INSERT_BATCH).run(id, keep_until, asBuffer(sealed));
    return repeated;
  }

  #isRepeated(key: Key, received_at: number): boolean {
    const seq = this.#keys.find(key);
    return seq !== undefined && this.#connection.prepare(REPEAT).run(received_at, seq, keyBytes(key)).changes === 1;
  }
}
