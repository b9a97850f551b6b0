import { migrate } from "./migrate.ts";
import { openPostgres } from "./postgres.ts";
import { openSqlite } from "./sqlite.ts";
import type { Store } from "./store.ts";

export { backup, backupSqliteFile, restore } from "./backup.ts";
export { isUniqueViolation, StoreError } from "./codec.ts";
export { GroupCommit } from "./group-commit.ts";
export { clearHold, readHold, setHold } from "./hold.ts";
export { migrate, pendingMigrations, SchemaTooNewError } from "./migrate.ts";
export { notificationByKey } from "./notification-keys.ts";
export type { BodyKeeping, Db, NotificationRecord, Store, Tx } from "./store.ts";
export { afterCommit } from "./transaction-scope.ts";
export * from "./schema.ts";

/**
 * Opens the database of a URL: `sqlite:./data/lunas.db`, `sqlite::memory:` or `postgres://…`.
 * @param report where errors of idle connections go.
 */
export async function openStore(url: string, report: (error: Error) => void = () => {}): Promise<Store> {
  if (url.startsWith("sqlite:")) return openSqlite(url.slice("sqlite:".length));
  if (url.startsWith("postgres://") || url.startsWith("postgresql://")) return openPostgres(url, report);
  throw new Error("the database URL must start with sqlite: or postgres://");
}

/** Opens and migrates. */
export async function openMigratedStore(url: string, report?: (error: Error) => void): Promise<Store> {
  const store = await openStore(url, report);
  try {
    await migrate(store);
    return store;
  } catch (error) {
    await store.close();
    throw error;
  }
}
