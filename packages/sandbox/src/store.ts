import type { EmulatorStore } from "@lunas/domain";
import { invariant } from "@lunas/domain";
import type Database from "better-sqlite3";

interface Row {
  readonly document: string;
}

const parse = <T>(row: unknown): T => JSON.parse((row as Row).document) as T;

/** One emulator's part of the database. Keys are kept apart by provider and kind. */
export class SqliteEmulatorStore implements EmulatorStore {
  #database: Database.Database;
  #provider: string;
  #statements: ReturnType<typeof prepare>;

  constructor(database: Database.Database, provider: string) {
    this.#database = database;
    this.#provider = provider;
    this.#statements = prepare(database);
  }

  transaction<T>(work: () => T): T {
    if (this.#database.inTransaction) return work();
    return this.#database.transaction(work).immediate();
  }

  insert(kind: string, id: string, document: unknown, options: { readonly keys?: readonly string[]; readonly due_at?: number } = {}): void {
    this.transaction(() => {
      const { lastInsertRowid } = this.#statements.insert.run(this.#provider, kind, id, options.due_at ?? null, JSON.stringify(document));
      for (const key of new Set(options.keys)) this.#statements.insertKey.run(this.#key(kind, key), lastInsertRowid);
    });
  }

  update(kind: string, id: string, document: unknown, options: { readonly due_at?: number } = {}): void {
    const { changes } = this.#statements.update.run(options.due_at ?? null, JSON.stringify(document), this.#provider, kind, id);
    invariant(changes === 1, `no ${kind} ${id} to update`);
  }

  remove(kind: string, id: string): void {
    this.#statements.remove.run(this.#provider, kind, id);
  }

  get<T>(kind: string, id: string): T | undefined {
    const row = this.#statements.get.get(this.#provider, kind, id);
    return row === undefined ? undefined : parse<T>(row);
  }

  withKey<T>(kind: string, key: string): T[] {
    return this.#statements.withKey.all(this.#key(kind, key)).map(parse<T>);
  }

  recent<T>(kind: string, limit: number): T[] {
    return this.#statements.recent.all(this.#provider, kind, limit).map(parse<T>);
  }

  all<T>(kind: string): T[] {
    return this.#statements.all.all(this.#provider, kind).map(parse<T>);
  }

  due<T>(kind: string, now_ms: number): T[] {
    return this.#statements.due.all(this.#provider, kind, now_ms).map(parse<T>);
  }

  /** When the next document of any kind is due. */
  nextDue(): number | undefined {
    const row = this.#statements.nextDue.get(this.#provider) as { due_at: number | null } | undefined;
    return row?.due_at ?? undefined;
  }

  #key(kind: string, key: string): string {
    return `${this.#provider}\0${kind}\0${key}`;
  }
}

function prepare(database: Database.Database) {
  return {
    insert: database.prepare("insert into record (provider, kind, id, due_at, document) values (?, ?, ?, ?, ?)"),
    insertKey: database.prepare("insert into record_key (key, seq) values (?, ?)"),
    update: database.prepare("update record set due_at = ?, document = ? where provider = ? and kind = ? and id = ?"),
    remove: database.prepare("delete from record where provider = ? and kind = ? and id = ?"),
    get: database.prepare("select document from record where provider = ? and kind = ? and id = ?"),
    withKey: database.prepare("select document from record_key join record using (seq) where key = ? order by seq desc"),
    recent: database.prepare("select document from record where provider = ? and kind = ? order by seq desc limit ?"),
    all: database.prepare("select document from record where provider = ? and kind = ? order by seq"),
    due: database.prepare("select document from record where provider = ? and kind = ? and due_at <= ? order by due_at, seq"),
    nextDue: database.prepare("select min(due_at) as due_at from record where provider = ? and due_at is not null"),
  };
}
