import type { EmulatorSubject } from "@lunas/domain";
import { rfc3339 } from "@lunas/domain";
import type Database from "better-sqlite3";

export const LOG_KEEP = 200_000;
const PRUNE_EVERY = 1_000;
const BODY_KEEP_CHARS = 8_192;

export interface LogEntry extends EmulatorSubject {
  readonly seq: number;
  readonly kind: "request" | "notification";
  readonly provider: string;
  /** RFC 3339: wall time, then business time. */
  readonly at: string;
  readonly business_at: string;
  readonly method: string;
  /** Of a request: path and query at the sandbox. Of a notification: where it went. */
  readonly url: string;
  /** HTTP status of the answer; null where there was none. */
  readonly http_status: number | null;
  /** In a word: `answered`, `delivered`, `refused`, `failed`, `dropped`, `held`, `delayed`, `cut`. */
  readonly outcome: string;
  readonly faults: readonly string[];
  readonly elapsed_ms: number;
  /** Of a notification: which try it was. */
  readonly attempt?: number;
  readonly request_body?: string;
  readonly response_body?: string;
  /** What went wrong, for people. */
  readonly message?: string;
}

export type NewLogEntry = Omit<LogEntry, "seq" | "at" | "business_at">;

const cut = (body: string | undefined): string | undefined => (body && body.length > BODY_KEEP_CHARS ? `${body.slice(0, BODY_KEEP_CHARS)}…` : body);

/** Each request received and each notification sent, oldest first. Headers are left out: they hold keys. */
export class Log {
  #database: Database.Database;
  #insert: Database.Statement<[string]>;
  #times: () => { wall: number; business: number };
  #listeners = new Set<(entry: LogEntry) => void>();

  constructor(database: Database.Database, times: () => { wall: number; business: number }) {
    this.#database = database;
    this.#insert = database.prepare("insert into log (entry) values (?)");
    this.#times = times;
  }

  write(entry: NewLogEntry): void {
    const { wall, business } = this.#times();
    const stamped = {
      at: rfc3339(wall),
      business_at: rfc3339(business),
      ...entry,
      request_body: cut(entry.request_body),
      response_body: cut(entry.response_body),
    };
    const seq = Number(this.#insert.run(JSON.stringify(stamped)).lastInsertRowid);
    if (seq % PRUNE_EVERY === 0) this.#database.prepare("delete from log where seq <= ?").run(seq - LOG_KEEP);
    const whole = { seq, ...stamped };
    for (const listener of this.#listeners) listener(whole);
  }

  /** Entries after `after`, the newest `limit` of them, oldest first. */
  read(after = 0, limit = LOG_KEEP): LogEntry[] {
    const rows = this.#database.prepare("select seq, entry from log where seq > ? order by seq desc limit ?").all(after, limit) as {
      seq: number;
      entry: string;
    }[];
    return rows.reverse().map((row) => ({ seq: row.seq, ...(JSON.parse(row.entry) as Omit<LogEntry, "seq">) }));
  }

  /** @returns a function that ends it. */
  listen(listener: (entry: LogEntry) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
