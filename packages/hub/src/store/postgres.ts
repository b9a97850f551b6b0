import { invariant } from "@lunas/domain";
import { Kysely } from "kysely";
import pg from "pg";
import { CodecPlugin, StoreError, translateError } from "./codec.ts";
import { POSTGRES } from "./engine.ts";
import { PostgresEdgeDialect } from "./postgres-dialect.ts";
import { recordOnPostgres } from "./postgres-notifications.ts";
import { isStaleStatement, nameStatements, StatementNames } from "./postgres-statements.ts";
import type { Database } from "./schema.ts";
import type { BodyKeeping, Db, NotificationRecord, Store, Tx } from "./store.ts";
import { inTransactionScope, ONLY_INSIDE, ONLY_OUTSIDE, runInTransactionScope } from "./transaction-scope.ts";

const POOL_MAX = 16;
/** Notifications have connections of their own: a provider waits for its answer, and must not queue behind the hub's own work. */
const INBOX_POOL_MAX = 2;
const RUNS_MAX = 5;
const INT8_OID = 20;
const NUMERIC_OID = 1700;
/** serialization_failure, deadlock_detected */
const RERUN_CODES = new Set(["40001", "40P01"]);

/** Opens a PostgreSQL database. Refuses one whose commits may be lost (`synchronous_commit=off`). */
export async function openPostgres(url: string, report: (error: Error) => void): Promise<PostgresStore> {
  const pool = makePool(url, POOL_MAX, report);
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
  return new PostgresStore(pool, makePool(url, INBOX_POOL_MAX, report));
}

function makePool(url: string, max: number, report: (error: Error) => void): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    max,
    connectionTimeoutMillis: 10_000,
    // Integers of 64 bits come as bigint, never rounded; the codec makes numbers of those that are not money.
    types: { getTypeParser: parserOf },
    keepAlive: true,
  });
  // An idle connection that breaks emits here; without a listener it would end the process.
  pool.on("error", report);
  // So would one that breaks in use, beside failing its query: whoever waits for that query is told.
  const names = new StatementNames();
  pool.on("connect", (client) => {
    client.on("error", () => {});
    nameStatements(client, names);
  });
  return pool;
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
  #inbox: pg.Pool;
  #root: Db;
  #db: Db;

  constructor(pool: pg.Pool, inbox: pg.Pool) {
    this.#pool = pool;
    this.#inbox = inbox;
    this.#root = new Kysely<Database>({ dialect: new PostgresEdgeDialect({ pool }), plugins: [new CodecPlugin()] });
    this.#db = this.#root.withPlugin(ONLY_OUTSIDE);
  }

  async read<T>(query: (db: Db) => Promise<T>): Promise<T> {
    invariant(!inTransactionScope(), "the root database was used inside a transaction");
    return rerun(() => query(this.#db));
  }

  async write<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    invariant(!inTransactionScope(), "a transaction was begun inside another one");
    return rerun(async () => {
      const after: (() => void)[] = [];
      const value = await this.#root.transaction().execute((tx) => runInTransactionScope(() => work(tx.withPlugin(ONLY_INSIDE)), after));
      for (const act of after) act();
      return value;
    });
  }

  async recordNotifications(records: readonly NotificationRecord[], keeping: BodyKeeping): Promise<{ readonly repeated: boolean }[]> {
    invariant(!inTransactionScope(), "a transaction was begun inside another one");
    return rerun(() => recordOnPostgres(this.#inbox, records, keeping));
  }

  /** Waits for the queries that are under way. */
  async close(): Promise<void> {
    // Not Kysely's `destroy`, which does nothing before its first query.
    if (!this.#pool.ending) await Promise.all([this.#pool.end(), this.#inbox.end()]);
  }
}

/** Runs a transaction, or reads, and again when it lost against another one or a statement's name did not hold any more. */
async function rerun<T>(work: () => Promise<T>): Promise<T> {
  for (let run = 1; ; run += 1) {
    try {
      return await work();
    } catch (error) {
      const translated = translateError(error);
      const cause = (translated instanceof StoreError ? (translated.cause as { code?: string } | undefined) : undefined) ?? {};
      if (run >= RUNS_MAX || !(RERUN_CODES.has(cause.code ?? "") || isStaleStatement(cause))) throw translated;
    }
  }
}
