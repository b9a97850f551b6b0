import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import SqliteDatabase, { type Database } from "better-sqlite3";
import { fillShelf } from "./products.ts";

/** The shop's own tables. Amounts are whole rupiah; times are UTC milliseconds. */
const SCHEMA = `
CREATE TABLE IF NOT EXISTS products (
  id TEXT PRIMARY KEY, name TEXT NOT NULL, note_en TEXT NOT NULL, note_id TEXT NOT NULL,
  price INTEGER NOT NULL, art TEXT NOT NULL, stock INTEGER NOT NULL, place INTEGER NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS orders (
  id TEXT PRIMARY KEY,
  checkout_id TEXT NOT NULL UNIQUE,         -- the browser's name of this purchase: a repeated click finds the same order
  customer TEXT NOT NULL,                   -- JSON {name, email, phone}
  items TEXT NOT NULL,                      -- JSON [{product_id, name, quantity, price}]
  amount INTEGER NOT NULL,
  payment_status TEXT NOT NULL DEFAULT 'unpaid',      -- only verified webhooks change it
  payment_gateway_transaction_id TEXT,                -- the gateway's id of the transaction that pays the order
  payment_method TEXT,
  amount_paid INTEGER NOT NULL DEFAULT 0,
  amount_refunded INTEGER NOT NULL DEFAULT 0,
  lunas_order_id TEXT,
  lunas_payment_id TEXT,                    -- the payment that collected the money
  checkout_url TEXT,
  problem TEXT,                             -- why the payment could not be started
  stock_taken_at INTEGER,
  oversold INTEGER NOT NULL DEFAULT 0,
  closed TEXT,                              -- 'canceled' or 'expired': it was over before money came
  created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS orders_by_time ON orders (created_at);

CREATE TABLE IF NOT EXISTS refunds (
  id TEXT PRIMARY KEY, order_id TEXT NOT NULL REFERENCES orders (id), amount INTEGER NOT NULL,
  status TEXT NOT NULL, reason TEXT, created_at INTEGER NOT NULL
) STRICT;

-- What makes a webhook count once: its id, written in the transaction of its effect.
CREATE TABLE IF NOT EXISTS handled_events (webhook_id TEXT PRIMARY KEY, handled_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;

-- The newest event taken of each subject: what comes later and is older is not applied.
CREATE TABLE IF NOT EXISTS subjects (subject_id TEXT PRIMARY KEY, sequence INTEGER NOT NULL) STRICT, WITHOUT ROWID;

-- Everything that ever knocked, believed or not.
CREATE TABLE IF NOT EXISTS notifications (
  id INTEGER PRIMARY KEY, received_at INTEGER NOT NULL, outcome TEXT NOT NULL, detail TEXT,
  webhook_id TEXT, event_type TEXT, order_id TEXT, sequence INTEGER, body TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS notifications_by_outcome ON notifications (outcome, id);
`;

/** For a database that an older version of the shop has made. */
function addColumn(db: Database, table: string, column: string, type: string): void {
  const known = db.prepare("SELECT 1 FROM pragma_table_info(?) WHERE name = ?").get(table, column);
  if (!known) db.exec(`ALTER TABLE ${table} ADD COLUMN ${column} ${type}`);
}

/** Opens the shop's database, makes its tables and fills an empty shelf. `:memory:` keeps it nowhere. */
export function openDatabase(path: string): Database {
  if (path !== ":memory:") mkdirSync(dirname(path), { recursive: true });
  const db = new SqliteDatabase(path);
  db.pragma("journal_mode = WAL");
  // An order that was answered for must outlive a power cut.
  db.pragma("synchronous = FULL");
  db.pragma("busy_timeout = 5000");
  db.pragma("foreign_keys = ON");
  db.exec(SCHEMA);
  addColumn(db, "orders", "closed", "TEXT");
  fillShelf(db);
  return db;
}
