import { randomBytes } from "node:crypto";
import { mkdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { invariant } from "@lunas/domain";
import BetterSqlite3 from "better-sqlite3";
import { Kysely } from "kysely";
import { CodecPlugin, StoreError, translateError } from "./codec.ts";
import { SQLITE } from "./engine.ts";
import type { Database } from "./schema.ts";
import { type SqliteConnection, SqliteConnectionDialect } from "./sqlite-dialect.ts";
import type { Db, NotificationRecord, Store, Tx } from "./store.ts";
import { inTransactionScope, runInTransactionScope } from "./transaction-scope.ts";

/** Units of work that share one commit at most, so that the first of them does not wait for ever. */
const GROUP_MAX = 200;

interface Unit {
  readonly work: (tx: Tx) => Promise<unknown>;
  readonly resolve: (value: never) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Opens a SQLite file with one writing and one read-only connection.
 * @param path a file, or `:memory:` for a throw-away one. Refuses a file that another hub has open.
 */
export function openSqlite(path: string): SqliteStore {
  const throwAway = path === ":memory:";
  const file = throwAway ? join(tmpdir(), `lunas-${randomBytes(8).toString("hex")}.db`) : path;
  mkdirSync(dirname(file), { recursive: true });
  const lock = holdLock(`${file}.lock`);
  try {
    const writer = openConnection(file, false, throwAway);
    const reader = openConnection(file, true, throwAway);
    return new SqliteStore(writer, reader, () => {
      lock.close();
      rmSync(`${file}.lock`, { force: true });
      if (throwAway) for (const suffix of ["", "-wal", "-shm"]) rmSync(file + suffix, { force: true });
    });
  } catch (error) {
    lock.close();
    throw error;
  }
}

/** A lock that the operating system lets go of when the process dies, however it dies. */
function holdLock(file: string): BetterSqlite3.Database {
  const lock = new BetterSqlite3(file, { timeout: 0 });
  try {
    lock.exec("BEGIN EXCLUSIVE");
    return lock;
  } catch (error) {
    lock.close();
    throw new StoreError("unavailable", `another hub has this database open (${file} is locked); stop it first, or speak to it over HTTP`, error);
  }
}

function openConnection(file: string, readonly: boolean, throwAway: boolean): SqliteConnectionDialect {
  const db = new BetterSqlite3(file, { readonly, timeout: 5_000 });
  db.defaultSafeIntegers(true);
  if (!readonly) {
    db.pragma("journal_mode = WAL");
    // FULL: a commit is on the disk before it is answered. A throw-away database has nobody to keep a promise to.
    db.pragma(throwAway ? "synchronous = OFF" : "synchronous = FULL");
    db.pragma("foreign_keys = ON");
    db.pragma("wal_autocheckpoint = 4000");
  }
  db.pragma("cache_size = -65536");
  db.pragma("temp_store = MEMORY");
  return new SqliteConnectionDialect(db);
}

export class SqliteStore implements Store {
  readonly engine = SQLITE;
  #writer: SqliteConnection;
  #reader: SqliteConnection;
  #tx: Tx;
  #db: Db;
  #queue: Unit[] = [];
  #running: Promise<void> | undefined;
  #closed = false;
  #release: () => void;

  constructor(writer: SqliteConnectionDialect, reader: SqliteConnectionDialect, release: () => void) {
    this.#writer = writer.connection;
    this.#reader = reader.connection;
    this.#tx = new Kysely<Database>({ dialect: writer, plugins: [new CodecPlugin()] });
    this.#db = new Kysely<Database>({ dialect: reader, plugins: [new CodecPlugin()] });
    this.#release = release;
  }

  async read<T>(query: (db: Db) => Promise<T>): Promise<T> {
    invariant(!inTransactionScope(), "the root database was used inside a transaction");
    return query(this.#db);
  }

  write<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    invariant(!inTransactionScope(), "a transaction was begun inside another one");
    if (this.#closed) return Promise.reject(new StoreError("unavailable", "the database is closed", undefined));
    return new Promise<T>((resolve, reject) => {
      this.#queue.push({ work, resolve: resolve as Unit["resolve"], reject });
      this.#wake();
    });
  }

  #wake(): void {
    this.#running ??= this.#drain().finally(() => {
      this.#running = undefined;
      // A unit may have been queued between the last look at the queue and here.
      if (this.#queue.length > 0) this.#wake();
    });
  }

  async #drain(): Promise<void> {
    // One turn of the loop, so that everything that arrives in it shares the commit.
    await new Promise<void>((resolve) => setImmediate(resolve));
    while (this.#queue.length > 0) await this.#group();
  }

  async #group(): Promise<void> {
    const settle: (() => void)[] = [];
    const units: Unit[] = [];
    const { db } = this.#writer;
    try {
      db.exec("BEGIN IMMEDIATE");
      while (this.#queue.length > 0 && units.length < GROUP_MAX) {
        const unit = this.#queue.shift()!;
        units.push(unit);
        settle.push(await this.#unit(unit));
      }
      db.exec("COMMIT");
    } catch (error) {
      if (db.inTransaction) db.exec("ROLLBACK");
      const translated = translateError(error);
      if (units.length === 0) units.push(this.#queue.shift()!);
      for (const unit of units) unit.reject(translated);
      return;
    }
    for (const done of settle) done();
  }

  async #unit(unit: Unit): Promise<() => void> {
    const { db } = this.#writer;
    db.exec("SAVEPOINT unit");
    try {
      const value = await runInTransactionScope(() => unit.work(this.#tx));
      db.exec("RELEASE unit");
      return () => unit.resolve(value as never);
    } catch (error) {
      db.exec("ROLLBACK TO unit");
      db.exec("RELEASE unit");
      return () => unit.reject(translateError(error));
    }
  }

  recordNotifications(records: readonly NotificationRecord[]): Promise<{ readonly repeated: boolean }[]> {
    return this.write(async () => {
      const insert = this.#writer.prepare(INSERT_NOTIFICATION);
      const insertBody = this.#writer.prepare(INSERT_BODY);
      return records.map((r) => {
        const row = insert.get(
          r.account_id, r.shop_id, r.verdict, r.route, r.dedupe, r.reference, r.provider_id, r.event_key, r.claim, r.remote_address, r.received_at, r.received_at,
        ) as { seq: bigint; repeats: bigint };
        const repeated = row.repeats > 0n;
        if (!repeated) insertBody.run(row.seq, r.sealed);
        return { repeated };
      });
    });
  }

  /** A consistent copy of the database into a file, while it is in use. */
  async backup(file: string): Promise<void> {
    await this.#reader.db.backup(file);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#running;
    this.#reader.db.close();
    this.#writer.db.close();
    this.#release();
  }
}

/** A repetition is counted and, unless it is quarantined or closed, is new work again. */
const INSERT_NOTIFICATION = `INSERT INTO notifications
  (account_id, shop_id, verdict, route, dedupe, reference, provider_id, event_key, claim, remote_address, received_at, last_received_at, repeats)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)
  ON CONFLICT (dedupe) DO UPDATE SET repeats = repeats + 1, last_received_at = excluded.last_received_at, route = CASE WHEN route IN (1, 4) THEN 0 ELSE route END
  RETURNING seq, repeats`;
const INSERT_BODY = "INSERT INTO notification_bodies (seq, sealed) VALUES (?, ?)";
