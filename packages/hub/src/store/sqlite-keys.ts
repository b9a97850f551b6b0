import { type RawBuilder, sql } from "kysely";
import { asBuffer } from "./codec.ts";
import type { SqliteConnection } from "./sqlite-dialect.ts";

/** So many keys are kept in memory before they are written into the index together: many share a page of it, and sorting them takes a few milliseconds. */
const RECENT_MAX = 16_384;
/** Of these, one transaction writes so many, by one statement: beside the notifications that share its commit it is not felt. */
const SLICE = 128;

const UPTO = "notification_keys_upto";
const READ_UPTO = `SELECT CAST(value AS INTEGER) AS upto FROM meta WHERE name = '${UPTO}'`;
const READ_TAIL = "SELECT seq, dedupe FROM notifications WHERE seq > ?";
const FIND = "SELECT seq FROM notification_keys WHERE dedupe = ?";
const WRITE = "INSERT OR REPLACE INTO notification_keys (dedupe, seq) VALUES (?, ?)";
const WRITE_SLICE = WRITE + ", (?, ?)".repeat(SLICE - 1);
const WRITE_UPTO = `INSERT INTO meta (name, value) VALUES ('${UPTO}', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value`;

/** The same question inside a transaction, from what is on the disk alone: the index, and the rows that are not in it yet. */
export function keyedRow(dedupe: Uint8Array): RawBuilder<{ seq: number }> {
  const row = sql`SELECT n.seq FROM notifications AS n WHERE n.dedupe = ${dedupe}`;
  return sql`${row} AND n.seq = (SELECT k.seq FROM notification_keys AS k WHERE k.dedupe = ${dedupe})
    UNION ${row} AND n.seq > COALESCE((SELECT CAST(value AS INTEGER) FROM meta WHERE name = ${UPTO}), 0)`;
}

/** A character of latin1 is a byte. */
function byBytes(a: string, b: string): number {
  return a < b ? -1 : 1;
}

/** The bytes of a key, each as a character. */
export type Key = string;

export function keyOf(dedupe: Uint8Array): Key {
  return asBuffer(dedupe).toString("latin1");
}

export function keyBytes(key: Key): Buffer {
  return Buffer.from(key, "latin1");
}

/** Keys on their way into the index, in its order. */
interface Flush {
  readonly keys: readonly Key[];
  /** All rows up to here are in the index when all keys are written. */
  readonly upto: bigint;
  /** How many are written, and how many will be when the open transaction is committed. */
  written: number;
  writing: number;
}

/**
 * Which notifications are there, by their keys. A key falls anywhere in its index: written one by one, each would rewrite a page of its own, and that was
 * most of what a commit wrote. So the newest are held in memory and, when they are many, written in the order of the index, a slice with each of the
 * transactions that follow; `notification_keys` has the others. Nothing hangs on the memory: the rows themselves are committed, and what is not in the index
 * yet is read back from them at the next start. One process alone writes to a SQLite file, and in it one connection alone takes notifications in, so its
 * memory knows all.
 */
export class SqliteKeys {
  readonly #connection: SqliteConnection;
  /** Of committed rows. */
  #recent: Map<Key, bigint> | undefined;
  /** Of rows in the transaction that is open. */
  readonly #fresh = new Map<Key, bigint>();
  #flush: Flush | undefined;
  readonly #recent_max: number;

  constructor(connection: SqliteConnection, recent_max: number = RECENT_MAX) {
    this.#connection = connection;
    this.#recent_max = recent_max;
  }

  /** The row that was stored under this key, as far as it still is. */
  find(key: Key): bigint | undefined {
    const known = this.#fresh.get(key) ?? this.#loaded().get(key);
    if (known !== undefined) return known;
    return (this.#connection.prepare(FIND).get(keyBytes(key)) as { seq: bigint } | undefined)?.seq;
  }

  add(key: Key, seq: bigint): void {
    this.#fresh.set(key, seq);
  }

  /** Inside the open transaction: writes a slice into the index, when there is too much in memory. */
  writeSome(): void {
    const recent = this.#loaded();
    if (!this.#flush) {
      if (recent.size < this.#recent_max) return;
      const upto = [...recent.values()].reduce((max, seq) => (seq > max ? seq : max), 0n);
      this.#flush = { keys: [...recent.keys()].sort(byBytes), upto, written: 0, writing: 0 };
    }
    const { keys, upto, written } = this.#flush;
    const slice = keys.slice(written, written + SLICE);
    this.#write(slice, recent);
    this.#flush.writing = slice.length;
    // Rows up to here need not be read at the next start: each is in the index.
    if (written + slice.length === keys.length) this.#connection.prepare(WRITE_UPTO).run(String(upto));
  }

  #write(slice: readonly Key[], recent: ReadonlyMap<Key, bigint>): void {
    if (slice.length === SLICE) {
      this.#connection.prepare(WRITE_SLICE).run(...slice.flatMap((key) => [keyBytes(key), recent.get(key)!]));
      return;
    }
    const statement = this.#connection.prepare(WRITE);
    for (const key of slice) statement.run(keyBytes(key), recent.get(key)!);
  }

  committed(): void {
    const flush = this.#flush;
    if (flush) {
      const end = flush.written + flush.writing;
      // Only now: until its slice is committed, the memory is what knows of a key.
      for (const key of flush.keys.slice(flush.written, end)) this.#recent!.delete(key);
      Object.assign(flush, { written: end, writing: 0 });
      if (end === flush.keys.length) this.#flush = undefined;
    }
    for (const [key, seq] of this.#fresh) this.#loaded().set(key, seq);
    this.#fresh.clear();
  }

  rolledBack(): void {
    this.#fresh.clear();
    if (this.#flush) this.#flush.writing = 0;
  }

  #loaded(): Map<Key, bigint> {
    if (this.#recent) return this.#recent;
    const upto = (this.#connection.prepare(READ_UPTO).get() as { upto: bigint } | undefined)?.upto ?? 0n;
    const rows = this.#connection.prepare(READ_TAIL).all(upto) as { seq: bigint; dedupe: Buffer }[];
    this.#recent = new Map(rows.map((row) => [keyOf(row.dedupe), row.seq]));
    // Rows of the open transaction are in the answer too, and are not committed.
    for (const key of this.#fresh.keys()) this.#recent.delete(key);
    return this.#recent;
  }
}
