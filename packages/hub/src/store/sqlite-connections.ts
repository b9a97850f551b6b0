import BetterSqlite3 from "better-sqlite3";
import { CHECKPOINT_BY_WRITER_PAGES } from "./sqlite-checkpoints.ts";
import { SqliteConnectionDialect } from "./sqlite-dialect.ts";

/** A throw-away database has no thread that moves its journal. */
const CHECKPOINT_THROW_AWAY_PAGES = 1_000;
/** The journal shrinks to this after a backup or a long read let it grow. */
const JOURNAL_MAX_BYTES = 64 * 1024 * 1024;

/** A connection that writes. @param busy_wait_ms how long a write waits for another program that holds the file. */
export function openWriter(file: string, busy_wait_ms: number, throwAway = false): SqliteConnectionDialect {
  const db = new BetterSqlite3(file, { timeout: busy_wait_ms });
  db.pragma("journal_mode = WAL");
  // FULL: a commit is on the disk before it is answered. A throw-away database has nobody to keep a promise to.
  db.pragma(throwAway ? "synchronous = OFF" : "synchronous = FULL");
  db.pragma("foreign_keys = ON");
  // While the writer itself moves pages into the file, every request waits.
  db.pragma(`wal_autocheckpoint = ${throwAway ? CHECKPOINT_THROW_AWAY_PAGES : CHECKPOINT_BY_WRITER_PAGES}`);
  db.pragma(`journal_size_limit = ${JOURNAL_MAX_BYTES}`);
  return prepared(db);
}

/** A connection that cannot write. */
export function openReader(file: string, busy_wait_ms: number): SqliteConnectionDialect {
  return prepared(new BetterSqlite3(file, { readonly: true, timeout: busy_wait_ms }));
}

function prepared(db: BetterSqlite3.Database): SqliteConnectionDialect {
  db.defaultSafeIntegers(true);
  db.pragma("cache_size = -65536");
  db.pragma("temp_store = MEMORY");
  return new SqliteConnectionDialect(db);
}
