import { invariant } from "@lunas/domain";
import { Kysely, PostgresDialect, sql } from "kysely";
import pg from "pg";
import { CodecPlugin, StoreError, translateError } from "./codec.ts";
import { POSTGRES } from "./engine.ts";
import type { Database } from "./schema.ts";
import type { Db, NotificationRecord, Store, Tx } from "./store.ts";
import { inTransactionScope, runInTransactionScope } from "./transaction-scope.ts";

const POOL_MAX = 16;
const RUNS_MAX = 5;
const INT8_OID = 20;
/** serialization_failure, deadlock_detected */
const RERUN_CODES = new Set(["40001", "40P01"]);

/** Opens a PostgreSQL database. Refuses one whose commits may be lost (`synchronous_commit=off`). */
export async function openPostgres(url: string, report: (error: Error) => void): Promise<PostgresStore> {
  const pool = new pg.Pool({
    connectionString: url,
    max: POOL_MAX,
    connectionTimeoutMillis: 10_000,
    // Integers of 64 bits come as bigint, never rounded; the codec makes numbers of those that are not money.
    types: { getTypeParser: (oid: number, format?: "text" | "binary") => (oid === INT8_OID ? BigInt : pg.types.getTypeParser(oid, format)) } as pg.CustomTypesConfig,
  });
  // An idle connection that breaks emits here; without a listener it would end the process.
  pool.on("error", report);
  try {
    const { rows } = await pool.query<{ synchronous_commit: string }>("SHOW synchronous_commit");
    if (rows[0]?.synchronous_commit === "off") {
      throw new StoreError("other", "synchronous_commit is off: a commit that was answered could be lost. Set it to on (or local) for this database.", undefined);
    }
  } catch (error) {
    await pool.end();
    throw translateError(error);
  }
  return new PostgresStore(pool);
}

export class PostgresStore implements Store {
  readonly engine = POSTGRES;
  #db: Db;

  constructor(pool: pg.Pool) {
    this.#db = new Kysely<Database>({ dialect: new PostgresDialect({ pool }), plugins: [new CodecPlugin()] });
  }

  async read<T>(query: (db: Db) => Promise<T>): Promise<T> {
    invariant(!inTransactionScope(), "the root database was used inside a transaction");
    try {
      return await query(this.#db);
    } catch (error) {
      throw translateError(error);
    }
  }

  async write<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    invariant(!inTransactionScope(), "a transaction was begun inside another one");
    for (let run = 1; ; run += 1) {
      try {
        return await this.#db.transaction().execute((tx) => runInTransactionScope(() => work(tx).catch((error: unknown) => Promise.reject(translateError(error)))));
      } catch (error) {
        const code = ((error as { cause?: { code?: string } }).cause ?? (error as { code?: string }))?.code;
        if (run >= RUNS_MAX || !code || !RERUN_CODES.has(code)) throw translateError(error);
      }
    }
  }

  async recordNotifications(records: readonly NotificationRecord[]): Promise<{ readonly repeated: boolean }[]> {
    // One statement cannot touch a row twice, so repetitions within the group are folded first.
    const first = new Map<string, { record: NotificationRecord; times: number }>();
    const keys = records.map((record) => {
      const key = Buffer.from(record.dedupe).toString("latin1");
      const seen = first.get(key);
      if (seen) seen.times += 1;
      else first.set(key, { record, times: 1 });
      return key;
    });
    const groups = [...first.values()].sort((a, b) => Buffer.compare(a.record.dedupe, b.record.dedupe));
    const column = <K extends keyof NotificationRecord>(name: K) => groups.map(({ record }) => record[name]);
    const rows = await this.write(async (tx) => {
      const result = await sql<{ seq: number; dedupe: Buffer; inserted: boolean }>`
        INSERT INTO notifications
          (account_id, shop_id, verdict, route, dedupe, reference, provider_id, event_key, claim, remote_address, received_at, last_received_at, repeats)
        SELECT a, s, v, r, d, f, p, e, c, m, t, t, n - 1 FROM unnest(
          ${column("account_id")}::text[], ${column("shop_id")}::text[], ${column("verdict")}::bigint[], ${column("route")}::bigint[],
          ${column("dedupe")}::bytea[], ${column("reference")}::text[], ${column("provider_id")}::text[], ${column("event_key")}::text[],
          ${column("claim")}::text[], ${column("remote_address")}::text[], ${column("received_at")}::bigint[], ${groups.map(({ times }) => times)}::bigint[]
        ) AS u (a, s, v, r, d, f, p, e, c, m, t, n)
        ON CONFLICT (dedupe) DO UPDATE SET
          repeats = notifications.repeats + excluded.repeats + 1, last_received_at = excluded.last_received_at,
          route = CASE WHEN notifications.route IN (1, 4) THEN 0 ELSE notifications.route END
        RETURNING seq, dedupe, (xmax = 0) AS inserted`.execute(tx);
      const inserted = result.rows.filter((row) => row.inserted);
      if (inserted.length > 0) {
        const sealed = inserted.map((row) => first.get(row.dedupe.toString("latin1"))!.record.sealed);
        await sql`INSERT INTO notification_bodies (seq, sealed) SELECT * FROM unnest(${inserted.map((row) => row.seq)}::bigint[], ${sealed}::bytea[])`.execute(tx);
      }
      return new Set(inserted.map((row) => row.dedupe.toString("latin1")));
    });
    const taken = new Set<string>();
    return keys.map((key) => {
      const isFirst = rows.has(key) && !taken.has(key);
      taken.add(key);
      return { repeated: !isFirst };
    });
  }

  async close(): Promise<void> {
    await this.#db.destroy();
  }
}
