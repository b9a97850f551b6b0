import { randomBytes } from "node:crypto";
import { closeSync, existsSync, mkdirSync, openSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { invariant } from "@lunas/domain";
import BetterSqlite3 from "better-sqlite3";
import { Kysely } from "kysely";
import { backupSqliteFile } from "./backup.ts";
import { CodecPlugin, StoreError, translateError } from "./codec.ts";
import { SQLITE } from "./engine.ts";
import type { Database } from "./schema.ts";
import { CHECKPOINT_BY_WRITER_PAGES, CHECKPOINT_THROW_AWAY_PAGES, Checkpoints } from "./sqlite-checkpoints.ts";
import { type SqliteConnection, SqliteConnectionDialect } from "./sqlite-dialect.ts";
import { SqliteKeys } from "./sqlite-keys.ts";
import { holdSqliteLock } from "./sqlite-lock.ts";
import { recordOnSqlite } from "./sqlite-notifications.ts";
import type { BodyKeeping, Db, NotificationRecord, Store, Tx } from "./store.ts";
import { inTransactionScope, ONLY_INSIDE, ONLY_OUTSIDE, runInTransactionScope } from "./transaction-scope.ts";

/** Units of work that share one commit at most, so that the first of them does not wait for ever. */
const GROUP_MAX = 200;
/** A group is ended after this long even if more is waiting: what arrives over the network, and what is urgent, has its turn in between. */
const GROUP_MS = 8;
/** Somebody looking at the file with another program may hold it for a moment. Everything of ours waits meanwhile. */
const BUSY_WAIT_MS = 5_000;
/** The journal shrinks to this after a backup or a long read let it grow. */
const JOURNAL_MAX_BYTES = 64 * 1024 * 1024;

interface Unit {
  readonly work: (tx: Tx) => Promise<unknown>;
  readonly resolve: (value: never) => void;
  readonly reject: (error: unknown) => void;
}

/** What a store tells whoever opened it. */
interface Surroundings {
  committed(): void;
  /** Lets go of the file. */
  release(): Promise<void>;
}

type Outcome = { readonly value: unknown } | { readonly error: unknown };

/**
 * Opens a SQLite file with one writing and one read-only connection.
 * @param path a file, or `:memory:` for a throw-away one. Refuses a file that another hub has open.
 * @param options.busy_wait_ms how long a write waits for another program that holds the file.
 * @param options.keys_in_memory how many keys of notifications wait to be written into their index together.
 */
export function openSqlite(
  path: string,
  { busy_wait_ms = BUSY_WAIT_MS, keys_in_memory }: { busy_wait_ms?: number; keys_in_memory?: number } = {},
): SqliteStore {
  const throwAway = path === ":memory:";
  const file = throwAway ? join(realpathSync(tmpdir()), `lunas-${randomBytes(8).toString("hex")}.db`) : prepareFile(path);
  const unlock = throwAway ? () => {} : holdSqliteLock(file);
  const opened: SqliteConnectionDialect[] = [];
  const letGo = () => {
    // The writing one last: it moves the journal into the file and removes it, which a read-only one cannot.
    for (const { connection } of opened.toReversed()) connection.db.close();
    if (throwAway) for (const suffix of ["", "-wal", "-shm"]) rmSync(file + suffix, { force: true });
    unlock();
  };
  try {
    opened.push(openConnection(file, false, throwAway, busy_wait_ms));
    opened.push(openConnection(file, true, throwAway, busy_wait_ms));
    const checkpoints = throwAway ? undefined : new Checkpoints(file);
    const around: Surroundings = {
      committed: () => checkpoints?.committed(),
      release: async () => {
        await checkpoints?.close();
        letGo();
      },
    };
    return new SqliteStore(file, opened[0]!, opened[1]!, around, keys_in_memory);
  } catch (error) {
    letGo();
    throw translateError(error);
  }
}

/** Makes the folder and, readable by us alone, the file. Gives its real path, so that a symbolic link does not pass the lock. */
function prepareFile(path: string): string {
  mkdirSync(dirname(path), { recursive: true });
  if (!existsSync(path)) closeSync(openSync(path, "a", 0o600));
  return join(realpathSync(dirname(realpathSync(path))), basename(realpathSync(path)));
}

function openConnection(file: string, readonly: boolean, throwAway: boolean, timeout: number): SqliteConnectionDialect {
  const db = new BetterSqlite3(file, { readonly, timeout });
  db.defaultSafeIntegers(true);
  if (!readonly) {
    db.pragma("journal_mode = WAL");
    // FULL: a commit is on the disk before it is answered. A throw-away database has nobody to keep a promise to.
    db.pragma(throwAway ? "synchronous = OFF" : "synchronous = FULL");
    db.pragma("foreign_keys = ON");
    // While the writer itself moves pages into the file, every request waits.
    db.pragma(`wal_autocheckpoint = ${throwAway ? CHECKPOINT_THROW_AWAY_PAGES : CHECKPOINT_BY_WRITER_PAGES}`);
    db.pragma(`journal_size_limit = ${JOURNAL_MAX_BYTES}`);
  }
  db.pragma("cache_size = -65536");
  db.pragma("temp_store = MEMORY");
  return new SqliteConnectionDialect(db);
}

export class SqliteStore implements Store {
  readonly engine = SQLITE;
  /** The real path of the database. */
  readonly file: string;
  #writer: SqliteConnection;
  #keys: SqliteKeys;
  #flushing: Promise<void> | undefined;
  #tx: Tx;
  #db: Db;
  #queue: Unit[] = [];
  /** Notifications: a provider is waiting for its answer, so they go before everything else. */
  #urgent: Unit[] = [];
  #running: Promise<void> | undefined;
  #hurried: Promise<void> | undefined;
  /** A transaction is open. */
  #grouping = false;
  #closed = false;
  #around: Surroundings;

  constructor(file: string, writer: SqliteConnectionDialect, reader: SqliteConnectionDialect, around: Surroundings, keys_in_memory?: number) {
    this.file = file;
    this.#writer = writer.connection;
    this.#keys = new SqliteKeys(writer.connection, keys_in_memory);
    this.#tx = new Kysely<Database>({ dialect: writer, plugins: [new CodecPlugin(), ONLY_INSIDE] });
    this.#db = new Kysely<Database>({ dialect: reader, plugins: [new CodecPlugin(), ONLY_OUTSIDE] });
    this.#around = around;
  }

  async read<T>(query: (db: Db) => Promise<T>): Promise<T> {
    invariant(!inTransactionScope(), "the root database was used inside a transaction");
    if (this.#closed) throw closedError();
    return query(this.#db);
  }

  write<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    return this.#enqueue(this.#queue, work);
  }

  async #enqueue<T>(queue: Unit[], work: (tx: Tx) => Promise<T>): Promise<T> {
    invariant(!inTransactionScope(), "a transaction was begun inside another one");
    if (this.#closed) throw closedError();
    return new Promise<T>((resolve, reject) => {
      queue.push({ work, resolve, reject });
      if (queue === this.#urgent && !this.#grouping) this.#hurried = this.#group(true);
      else this.#running ??= this.#drain();
    });
  }

  get #waiting(): number {
    return this.#urgent.length + this.#queue.length;
  }

  #next(): Unit {
    return this.#urgent.shift() ?? this.#queue.shift()!;
  }

  async #drain(): Promise<void> {
    while (this.#waiting > 0) {
      // One turn of the loop, so that everything that arrives in it shares the commit, and so that a caller
      // who writes again and again does not keep the network waiting.
      await new Promise<void>((resolve) => setImmediate(resolve));
      if (this.#waiting > 0) await this.#group(false);
    }
    // Nothing is awaited between the last look at the queue and here: no unit can be left behind.
    this.#running = undefined;
  }

  /** @param hurry only what is urgent, and now: whoever brings it has waited for company, and has a provider waiting. */
  async #group(hurry: boolean): Promise<void> {
    const { db } = this.#writer;
    const units: Unit[] = [];
    const outcomes: Outcome[] = [];
    let failure: { readonly error: unknown } | undefined;
    const left = (): number => (hurry ? this.#urgent.length : this.#waiting);
    this.#grouping = true;
    try {
      db.exec("BEGIN IMMEDIATE");
      const until = performance.now() + GROUP_MS;
      while (left() > 0 && units.length < GROUP_MAX && (units.length === 0 || performance.now() < until)) {
        const unit = this.#next();
        units.push(unit);
        outcomes.push(await this.#unit(unit));
      }
      db.exec("COMMIT");
      this.#keys.committed();
      this.#around.committed();
    } catch (error) {
      failure = { error: translateError(error) };
      if (units.length === 0) while (units.length < GROUP_MAX && left() > 0) units.push(this.#next());
      this.#rollBack();
    }
    this.#grouping = false;
    if (hurry && left() > 0) this.#running ??= this.#drain();
    units.forEach((unit, index) => {
      const outcome = failure && !(outcomes[index] && "error" in outcomes[index]) ? failure : outcomes[index]!;
      if ("error" in outcome) unit.reject(outcome.error);
      else unit.resolve(outcome.value as never);
    });
  }

  async #unit(unit: Unit): Promise<Outcome> {
    const { db } = this.#writer;
    db.exec("SAVEPOINT unit");
    let value: unknown;
    try {
      value = await runInTransactionScope(() => unit.work(this.#tx));
    } catch (error) {
      // A full disk, for one, ends the whole transaction: then there is no savepoint to go back to, and the group fails.
      if (!db.inTransaction) throw error;
      db.exec("ROLLBACK TO unit");
      db.exec("RELEASE unit");
      return { error: translateError(error) };
    }
    db.exec("RELEASE unit");
    return { value };
  }

  #rollBack(): void {
    const { db } = this.#writer;
    this.#keys.rolledBack();
    try {
      if (db.inTransaction) db.exec("ROLLBACK");
    } catch {
      // The units are told of the first error; the next BEGIN tells of this one.
    }
  }

  recordNotifications(records: readonly NotificationRecord[], keeping: BodyKeeping): Promise<{ readonly repeated: boolean }[]> {
    const recorded = this.#enqueue(this.#urgent, async () => recordOnSqlite(this.#writer, this.#keys, records, keeping));
    if (this.#keys.full && this.#flushing === undefined) this.#flushing = this.#flushKeys();
    return recorded;
  }

  /** What fails here stays in memory, and is tried again when the next notification comes. */
  async #flushKeys(): Promise<void> {
    try {
      await this.#keys.flush((work) => this.write(work));
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
    } finally {
      this.#flushing = undefined;
    }
  }

  /** A consistent copy of the database into a new file, made by a worker thread while it is in use. */
  async backup(file: string): Promise<void> {
    await backupSqliteFile(this.file, file);
  }

  /** Waits for the units of work that were taken on, then lets go of the file. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#hurried;
    while (this.#running) await this.#running;
    await this.#around.release();
  }
}

function closedError(): StoreError {
  return new StoreError("unavailable", "the database is closed", undefined);
}
