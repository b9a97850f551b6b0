import { randomBytes } from "node:crypto";
import { closeSync, existsSync, mkdirSync, openSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { invariant } from "@lunas/domain";
import { Kysely } from "kysely";
import { backupSqliteFile } from "./backup.ts";
import { CodecPlugin, StoreError, translateError } from "./codec.ts";
import { SQLITE } from "./engine.ts";
import type { Database } from "./schema.ts";
import { Checkpoints } from "./sqlite-checkpoints.ts";
import { openReader, openWriter } from "./sqlite-connections.ts";
import type { SqliteConnection, SqliteConnectionDialect } from "./sqlite-dialect.ts";
import { holdSqliteLock } from "./sqlite-lock.ts";
import { type RecordOrder, recordOrder } from "./sqlite-notifications.ts";
import { inlineRecorder, type MakeThread, type Recorder, ThreadRecorder } from "./sqlite-recorder.ts";
import type { BodyKeeping, Db, NotificationRecord, Store, Tx } from "./store.ts";
import { inTransactionScope, ONLY_INSIDE, ONLY_OUTSIDE, runInTransactionScope } from "./transaction-scope.ts";
import { WriteTurns } from "./write-turns.ts";

/** Units of work that share one commit at most, so that the first of them does not wait for ever. */
const GROUP_MAX = 200;
/** A group is ended after this long even if more is waiting: what arrives over the network, and what is urgent, has its turn in between. */
const GROUP_MS = 8;
/** Somebody looking at the file with another program may hold it for a moment. Everything of ours waits meanwhile. */
const BUSY_WAIT_MS = 5_000;

interface Unit {
  readonly work: (tx: Tx) => Promise<unknown>;
  readonly resolve: (value: never) => void;
  readonly reject: (error: unknown) => void;
}

/** What a store is opened with. */
interface Surroundings {
  readonly recorder: Recorder;
  committed(): void;
  /** Lets go of the file. */
  release(): Promise<void>;
}

type Outcome = { readonly value: unknown; readonly after: readonly (() => void)[] } | { readonly error: unknown };

export interface SqliteOptions {
  /** How long a write waits for another program that holds the file. */
  readonly busy_wait_ms?: number;
  /** How many keys of notifications wait to be written into their index together. */
  readonly keys_in_memory?: number;
  /** Makes the thread that takes notifications in. */
  readonly makeThread?: MakeThread;
}

/**
 * Opens a SQLite file with a writing and a read-only connection; notifications are taken in over a third one, by a thread.
 * @param path a file, or `:memory:` for a throw-away one. Refuses a file that another hub has open.
 */
export function openSqlite(path: string, { busy_wait_ms = BUSY_WAIT_MS, keys_in_memory, makeThread }: SqliteOptions = {}): SqliteStore {
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
    const writer = openWriter(file, busy_wait_ms, throwAway);
    opened.push(writer);
    const reader = openReader(file, busy_wait_ms);
    opened.push(reader);
    const checkpoints = throwAway ? undefined : new Checkpoints(file);
    const recorder = throwAway
      ? inlineRecorder(writer.connection, keys_in_memory)
      : new ThreadRecorder({ file, busy_wait_ms, keys_in_memory }, makeThread);
    const around: Surroundings = {
      recorder,
      committed: () => checkpoints?.committed(),
      release: async () => {
        await Promise.all([recorder.close(), checkpoints?.close()]);
        letGo();
      },
    };
    return new SqliteStore(file, writer, reader, around);
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

export class SqliteStore implements Store {
  readonly engine = SQLITE;
  /** The real path of the database. */
  readonly file: string;
  #writer: SqliteConnection;
  #tx: Tx;
  #db: Db;
  #queue: Unit[] = [];
  #turns = new WriteTurns();
  #running: Promise<void> | undefined;
  #recording = new Set<Promise<unknown>>();
  #closed = false;
  #around: Surroundings;

  constructor(file: string, writer: SqliteConnectionDialect, reader: SqliteConnectionDialect, around: Surroundings) {
    this.file = file;
    this.#writer = writer.connection;
    this.#tx = new Kysely<Database>({ dialect: writer, plugins: [new CodecPlugin(), ONLY_INSIDE] });
    this.#db = new Kysely<Database>({ dialect: reader, plugins: [new CodecPlugin(), ONLY_OUTSIDE] });
    this.#around = around;
  }

  async read<T>(query: (db: Db) => Promise<T>): Promise<T> {
    invariant(!inTransactionScope(), "the root database was used inside a transaction");
    if (this.#closed) throw closedError();
    return query(this.#db);
  }

  async write<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    this.#mayWrite();
    return new Promise<T>((resolve, reject) => {
      this.#queue.push({ work, resolve, reject });
      this.#running ??= this.#drain();
    });
  }

  #mayWrite(): void {
    invariant(!inTransactionScope(), "a transaction was begun inside another one");
    if (this.#closed) throw closedError();
  }

  async #drain(): Promise<void> {
    while (this.#queue.length > 0) {
      // One turn of the loop, so that everything that arrives in it shares the commit, and so that a caller
      // who writes again and again does not keep the network waiting.
      await new Promise<void>((resolve) => setImmediate(resolve));
      await this.#turns.begin(false);
      await this.#group();
    }
    // Nothing is awaited between the last look at the queue and here: no unit can be left behind.
    this.#running = undefined;
  }

  async #group(): Promise<void> {
    const { db } = this.#writer;
    const units: Unit[] = [];
    const outcomes: Outcome[] = [];
    let failure: { readonly error: unknown } | undefined;
    try {
      db.exec("BEGIN IMMEDIATE");
      const until = performance.now() + GROUP_MS;
      while (this.#queue.length > 0 && units.length < GROUP_MAX && (units.length === 0 || performance.now() < until)) {
        const unit = this.#queue.shift()!;
        units.push(unit);
        outcomes.push(await this.#unit(unit));
      }
      db.exec("COMMIT");
      this.#around.committed();
    } catch (error) {
      failure = { error: translateError(error) };
      if (units.length === 0) units.push(...this.#queue.splice(0, GROUP_MAX));
      this.#rollBack();
    }
    this.#turns.end();
    units.forEach((unit, index) => {
      const outcome = failure && !(outcomes[index] && "error" in outcomes[index]) ? failure : outcomes[index]!;
      if ("error" in outcome) return unit.reject(outcome.error);
      for (const act of outcome.after) act();
      unit.resolve(outcome.value as never);
    });
  }

  async #unit(unit: Unit): Promise<Outcome> {
    const { db } = this.#writer;
    db.exec("SAVEPOINT unit");
    const after: (() => void)[] = [];
    let value: unknown;
    try {
      value = await runInTransactionScope(() => unit.work(this.#tx), after);
    } catch (error) {
      // A full disk, for one, ends the whole transaction: then there is no savepoint to go back to, and the group fails.
      if (!db.inTransaction) throw error;
      db.exec("ROLLBACK TO unit");
      db.exec("RELEASE unit");
      return { error: translateError(error) };
    }
    db.exec("RELEASE unit");
    return { value, after };
  }

  #rollBack(): void {
    const { db } = this.#writer;
    try {
      if (db.inTransaction) db.exec("ROLLBACK");
    } catch {
      // The units are told of the first error; the next BEGIN tells of this one.
    }
  }

  async recordNotifications(records: readonly NotificationRecord[], keeping: BodyKeeping): Promise<{ readonly repeated: boolean }[]> {
    this.#mayWrite();
    if (records.length === 0) return [];
    const recording = this.#record(recordOrder(records, keeping));
    this.#recording.add(recording);
    try {
      return (await recording).map((repeated) => ({ repeated }));
    } finally {
      this.#recording.delete(recording);
    }
  }

  /** A provider is waiting for its answer: its turn comes before those of our own work. */
  async #record(order: RecordOrder): Promise<readonly boolean[]> {
    await this.#turns.begin(true);
    try {
      const repeated = await this.#around.recorder.record(order);
      this.#around.committed();
      return repeated;
    } finally {
      this.#turns.end();
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
    while (this.#running) await this.#running;
    await Promise.allSettled(this.#recording);
    await this.#around.release();
  }
}

function closedError(): StoreError {
  return new StoreError("unavailable", "the database is closed", undefined);
}
