import { type RawBuilder, sql } from "kysely";
import { asBuffer } from "./codec.ts";
import type { SqliteConnection } from "./sqlite-dialect.ts";

/** So many keys are kept in memory before they are written into the index together: many share a page of it, and sorting them keeps nobody waiting. */
const RECENT_MAX = 16_384;
/** Of these, one unit of work writes so many, by one statement: beside the notifications that share its commit it is not felt. */
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

type Entry = readonly [key: string, seq: bigint];

/**
 * Which notifications are there, by their keys. A key falls anywhere in its index: written one by one, each would rewrite a page of its own, and that was
 * most of what a commit wrote. So the newest are held in memory and written thousands at a time, in the order of the index; `notification_keys` has the
 * others. Nothing hangs on the memory: the rows themselves are committed, and what is not in the index yet is read back from them at the next start.
 * One process alone writes to a SQLite file, so its memory knows all.
 */
export class SqliteKeys {
  readonly #connection: SqliteConnection;
  /** Of committed rows. By key, as latin1. */
  #recent: Map<string, bigint> | undefined;
  /** Of rows in the transaction that is open. */
  readonly #fresh = new Map<string, bigint>();

  readonly #recent_max: number;

  constructor(connection: SqliteConnection, recent_max: number = RECENT_MAX) {
    this.#connection = connection;
    this.#recent_max = recent_max;
  }

  /** The row that was stored under this key, as far as it still is. */
  find(dedupe: Uint8Array): bigint | undefined {
    const bytes = asBuffer(dedupe);
    const key = bytes.toString("latin1");
    const known = this.#fresh.get(key) ?? this.#loaded().get(key);
    if (known !== undefined) return known;
    return (this.#connection.prepare(FIND).get(bytes) as { seq: bigint } | undefined)?.seq;
  }

  add(dedupe: Uint8Array, seq: bigint): void {
    this.#fresh.set(asBuffer(dedupe).toString("latin1"), seq);
  }

  /** How many rows the open transaction has added, and back to that: for a unit of work that is undone alone. */
  get mark(): number {
    return this.#fresh.size;
  }

  undo(mark: number): void {
    for (const key of [...this.#fresh.keys()].slice(mark)) this.#fresh.delete(key);
  }

  committed(): void {
    if (this.#fresh.size === 0) return;
    const recent = this.#loaded();
    for (const [key, seq] of this.#fresh) recent.set(key, seq);
    this.#fresh.clear();
  }

  rolledBack(): void {
    this.#fresh.clear();
  }

  get full(): boolean {
    return (this.#recent?.size ?? 0) >= this.#recent_max;
  }

  /** Writes what is in memory into the index. @param write runs a unit of work; resolves when it is committed. */
  async flush(write: (work: () => Promise<void>) => Promise<void>): Promise<void> {
    const recent = this.#loaded();
    const entries = [...recent.keys()].sort(byBytes).map((key): Entry => [key, recent.get(key)!]);
    const upto = entries.reduce((max, [, seq]) => (seq > max ? seq : max), 0n);
    for (let from = 0; from < entries.length; from += SLICE) {
      const slice = entries.slice(from, from + SLICE);
      await write(async () => this.#write(slice));
      // Only now: until its slice is committed, the memory is what knows of a key. And not if it is another row's by now.
      for (const [key, seq] of slice) if (recent.get(key) === seq) recent.delete(key);
    }
    // Rows up to here need not be read at the next start: each is in the index.
    await write(async () => void this.#connection.prepare(WRITE_UPTO).run(String(upto)));
  }

  #write(slice: readonly Entry[]): void {
    if (slice.length === SLICE) {
      this.#connection.prepare(WRITE_SLICE).run(...slice.flatMap(([key, seq]) => [Buffer.from(key, "latin1"), seq]));
      return;
    }
    const statement = this.#connection.prepare(WRITE);
    for (const [key, seq] of slice) statement.run(Buffer.from(key, "latin1"), seq);
  }

  #loaded(): Map<string, bigint> {
    if (this.#recent) return this.#recent;
    const upto = (this.#connection.prepare(READ_UPTO).get() as { upto: bigint } | undefined)?.upto ?? 0n;
    const rows = this.#connection.prepare(READ_TAIL).all(upto) as { seq: bigint; dedupe: Buffer }[];
    this.#recent = new Map(rows.map((row) => [row.dedupe.toString("latin1"), row.seq]));
    // Rows of the open transaction are in the answer too, and are not committed.
    for (const key of this.#fresh.keys()) this.#recent.delete(key);
    return this.#recent;
  }
}
