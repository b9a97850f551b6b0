/** What differs between the two engines, in one place. Everything else is the same code on both. */
export interface EngineProfile {
  readonly name: "sqlite" | "postgres";
  /** Column types of the migrations. */
  readonly type: { readonly int: string; readonly bytes: string; readonly text: string; readonly serial: string };
  /** How many transactions that write are worth having under way at once. */
  readonly writers: number;
  /** Appended to a claim, so that several hubs never take the same row. SQLite has one writer. */
  readonly skipLocked: string;
  /** Appended to a read that a write of the same transaction follows up. */
  readonly forUpdate: string;
  /** Appended to a read that must stay true until the commit. SQLite has one writer, so that it does anyway. */
  readonly forShare: string;
  /** What keeps the keys by which repeated notifications are told. SQLite writes them later than the rows, many at a time: see `SqliteKeys`. */
  readonly notificationKeys: readonly string[];
  /** Where a row lies: its quickest key within one statement that holds it. Not to be kept: PostgreSQL gives each version of a row another one. */
  readonly rowAddress: string;
  /** Around a subquery of such addresses: the condition that a row lies at one of them. */
  readonly atAddresses: readonly [before: string, after: string];
  /** Around a parameter that is JSON text, an array: rows named `item`, whose only interesting column is `value`. */
  readonly jsonRows: readonly [before: string, after: string];
  /** Statements after which a serial column goes on above the values that were put into it by hand. SQLite does so by itself. */
  readonly startIdentityAfter?: (table: string, column: string) => readonly string[];
}

export const SQLITE: EngineProfile = {
  name: "sqlite",
  type: { int: "INTEGER", bytes: "BLOB", text: "TEXT", serial: "INTEGER PRIMARY KEY" },
  writers: 1,
  skipLocked: "",
  forUpdate: "",
  forShare: "",
  notificationKeys: [
    `CREATE TABLE notification_keys (dedupe BLOB PRIMARY KEY, seq INTEGER NOT NULL) WITHOUT ROWID`,
    `CREATE TRIGGER notification_keys_gone AFTER DELETE ON notifications BEGIN DELETE FROM notification_keys WHERE dedupe = OLD.dedupe AND seq = OLD.seq; END`,
    `CREATE TRIGGER notification_keys_changed AFTER UPDATE OF dedupe ON notifications BEGIN
      DELETE FROM notification_keys WHERE dedupe = OLD.dedupe AND seq = OLD.seq; INSERT OR REPLACE INTO notification_keys VALUES (NEW.dedupe, NEW.seq); END`,
  ],
  rowAddress: "rowid",
  atAddresses: ["rowid IN (", ")"],
  jsonRows: ["json_each(", ") AS item"],
};

export const POSTGRES: EngineProfile = {
  name: "postgres",
  type: { int: "BIGINT", bytes: "BYTEA", text: 'TEXT COLLATE "C"', serial: "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY" },
  writers: 2,
  skipLocked: "FOR UPDATE SKIP LOCKED",
  forUpdate: "FOR UPDATE",
  forShare: "FOR SHARE",
  notificationKeys: [`CREATE UNIQUE INDEX notifications_dedupe ON notifications (dedupe)`],
  rowAddress: "ctid",
  // An array, not IN: the planner would read the whole table to join it.
  atAddresses: ["ctid = ANY(ARRAY(", "))"],
  jsonRows: ["jsonb_array_elements((", ")::jsonb) AS item (value)"],
  startIdentityAfter: (table, column) => [
    `SELECT setval(pg_get_serial_sequence('${table}', '${column}'), (SELECT COALESCE(MAX(${column}), 0) + 1 FROM ${table}), false)`,
  ],
};
