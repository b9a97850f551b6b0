import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { invariant } from "@lunas/domain";
import Database from "better-sqlite3";

const SCHEMA_VERSION = 1;

/** One file for all emulators, the outbox and the log, so that a request and the notifications it causes are one transaction. */
const SCHEMA = `
create table record (
  seq integer primary key autoincrement,
  provider text not null, kind text not null, id text not null,
  due_at integer, document text not null,
  unique (provider, kind, id)
);
create index record_due on record (provider, kind, due_at) where due_at is not null;
create index record_kind on record (provider, kind, seq);
create table record_key (key text not null, seq integer not null references record (seq) on delete cascade, primary key (key, seq)) without rowid;
create table outbox (
  id integer primary key autoincrement,
  provider text not null, url text not null, headers text not null, body text not null, about text not null,
  stream text not null, attempt integer not null default 0, due_at integer not null,
  state text not null check (state in ('due', 'held')), drawn integer not null default 0
);
create index outbox_due on outbox (due_at);
create table log (seq integer primary key autoincrement, entry text not null);
create table setting (name text primary key, value text not null) without rowid;
`;

/**
 * Opens the sandbox's own durable store.
 * @param path a file, whose folder is made where it is missing, or `:memory:`.
 */
export function openDatabase(path: string): Database.Database {
  if (path !== ":memory:") mkdirSync(dirname(path), { recursive: true });
  const database = new Database(path);
  database.pragma("journal_mode = WAL");
  // A killed process loses nothing with this; only a power failure could, and the sandbox does not claim to survive one.
  database.pragma("synchronous = NORMAL");
  database.pragma("foreign_keys = ON");
  const version = Number(database.pragma("user_version", { simple: true }));
  if (version === 0) {
    database.exec(SCHEMA);
    database.pragma(`user_version = ${SCHEMA_VERSION}`);
  } else {
    invariant(
      version === SCHEMA_VERSION,
      `the sandbox's database ${path} has schema ${version}, this program knows ${SCHEMA_VERSION}: delete the file`,
    );
  }
  return database;
}

/** Forgets everything but the settings. */
export function wipe(database: Database.Database): void {
  database.exec("delete from record; delete from record_key; delete from outbox; delete from log;");
}

/** A named value that outlives a restart, such as the offset of the business clock. */
export class Settings {
  #get: Database.Statement<[string]>;
  #set: Database.Statement<[string, string]>;

  constructor(database: Database.Database) {
    this.#get = database.prepare("select value from setting where name = ?");
    this.#set = database.prepare("insert into setting (name, value) values (?, ?) on conflict (name) do update set value = excluded.value");
  }

  number(name: string): number | undefined {
    const row = this.#get.get(name) as { value: string } | undefined;
    return row && Number(row.value);
  }

  set(name: string, value: number): void {
    this.#set.run(name, String(value));
  }
}
