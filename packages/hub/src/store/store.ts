import type { Kysely } from "kysely";
import type { EngineProfile } from "./engine.ts";
import type { Database } from "./schema.ts";

/** Reading outside a transaction. */
export type Db = Kysely<Database>;
/** Inside a transaction. Nothing else of the store may be used while one is open. */
export type Tx = Kysely<Database>;

/** A notification as it goes into the inbox. */
export interface NotificationRecord {
  readonly account_id: string;
  readonly shop_id: string;
  readonly verdict: number;
  readonly route: number;
  readonly dedupe: Uint8Array;
  readonly reference: string;
  readonly provider_id: string | null;
  readonly event_key: string;
  readonly claim: string | null;
  readonly remote_address: string;
  readonly received_at: number;
  /** The callback as it arrived; read back only for the first of its kind. */
  readonly body: Uint8Array;
}

/** How the bodies of notifications that are recorded together are kept. */
export interface BodyKeeping {
  /** Seals bodies into one value from which each can be had again by its place. It is pure: a transaction that lost against another one is run again. */
  seal(bodies: readonly Uint8Array[]): Uint8Array;
  /** Until when they are kept, epoch milliseconds by the business clock. */
  readonly keep_until: number;
}

/**
 * The database. Async on both engines.
 * On SQLite units of work that are waiting run one after another and share one commit (group commit), so that one fsync serves them all;
 * on PostgreSQL each has a transaction of its own. A unit may be run again after a serialization failure, so it has no effects but its writes.
 */
export interface Store {
  readonly engine: EngineProfile;
  /** `query` may be run again: on PostgreSQL when a statement was planned for a schema of before. */
  read<T>(query: (db: Db) => Promise<T>): Promise<T>;
  /**
   * Resolves after the commit is durable. Rejects with what `work` threw, its writes undone, or with a `StoreError`.
   * A statement that failed fails the whole unit, even where `work` caught it. When the connection to PostgreSQL breaks during the commit the
   * answer is `unavailable` although it may have been done: whatever is repeated after that must bear it.
   */
  write<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
  /** Stores notifications, all in one commit. Gives for each whether it was there before. The hot path of callbacks. */
  recordNotifications(records: readonly NotificationRecord[], keeping: BodyKeeping): Promise<{ readonly repeated: boolean }[]>;
  close(): Promise<void>;
}
