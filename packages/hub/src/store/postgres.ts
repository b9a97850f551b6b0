import { invariant } from "@lunas/domain";
import { Kysely, sql } from "kysely";
import pg from "pg";
import { CodecPlugin, StoreError, translateError } from "./codec.ts";
import { POSTGRES } from "./engine.ts";
import { PostgresEdgeDialect } from "./postgres-dialect.ts";
import type { Database } from "./schema.ts";
import type { Db, NotificationRecord, Store, Tx } from "./store.ts";
import { inTransactionScope, ONLY_INSIDE, ONLY_OUTSIDE, runInTransactionScope } from "./transaction-scope.ts";

const POOL_MAX = 16;
const RUNS_MAX = 5;
const INT8_OID = 20;
const NUMERIC_OID = 1700;
/** serialization_failure, deadlock_detected */
const RERUN_CODES = new Set(["40001", "40P01"]);

/** Opens a PostgreSQL database. Refuses one whose commits may be lost (`synchronous_commit=off`). */
export async function openPostgres(url: string, report: (error: Error) => void): Promise<PostgresStore> {
  const pool = new pg.Pool({
    connectionString: url,
    max: POOL_MAX,
    connectionTimeoutMillis: 10_000,
    // Integers of 64 bits come as bigint, never rounded; the codec makes numbers of those that are not money.
    types: { getTypeParser: parserOf } as pg.CustomTypesConfig,
    keepAlive: true,
  });
  // An idle connection that breaks emits here; without a listener it would end the process.
  pool.on("error", report);
  // So would one that breaks in use, beside failing its query: whoever waits for that query is told.
  pool.on("connect", (client) => client.on("error", () => {}));
  try {
    const { rows } = await pool.query<{ synchronous_commit: string }>("SHOW synchronous_commit");
    if (rows[0]?.synchronous_commit === "off") {
      throw new StoreError(
        "other",
        "synchronous_commit is off: a commit that was answered could be lost. Set it to on (or local) for this database.",
        undefined,
      );
    }
  } catch (error) {
    await pool.end();
    throw translateError(error);
  }
  return new PostgresStore(pool);
}

/** Sums of BIGINT come as NUMERIC: as long as they are whole, they are bigint like what they sum. */
function parserOf(oid: number, format?: "text" | "binary"): (value: string) => unknown {
  if (oid === INT8_OID) return BigInt;
  if (oid === NUMERIC_OID) return (value) => (/^-?\d+$/.test(value) ? BigInt(value) : Number(value));
  return pg.types.getTypeParser(oid, format);
}

export class PostgresStore implements Store {
  readonly engine = POSTGRES;
  #pool: pg.Pool;
  #root: Db;
  #db: Db;

  constructor(pool: pg.Pool) {
    this.#pool = pool;
    this.#root = new Kysely<Database>({ dialect: new PostgresEdgeDialect({ pool }), plugins: [new CodecPlugin()] });
    this.#db = this.#root.withPlugin(ONLY_OUTSIDE);
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
        return await this.#root.transaction().execute((tx) => runInTransactionScope(() => work(tx.withPlugin(ONLY_INSIDE))));
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
        await sql`INSERT INTO notification_bodies (seq, sealed) SELECT * FROM unnest(${inserted.map((row) => row.seq)}::bigint[], ${sealed}::bytea[])`.execute(
          tx,
        );
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

  /** Waits for the queries that are under way. */
  async close(): Promise<void> {
    // Not Kysely's `destroy`, which does nothing before its first query.
    if (!this.#pool.ending) await this.#pool.end();
  }
}
