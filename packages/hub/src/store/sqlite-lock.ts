import BetterSqlite3 from "better-sqlite3";
import { StoreError, translateError } from "./codec.ts";

/**
 * Takes the lock of a database file: a lock that the operating system lets go of when the process dies, however it dies.
 * The file beside the database stays when the lock goes: removing it would let two hubs hold a lock on two files of one name.
 * @returns lets go of it.
 * @throws StoreError `unavailable` when another hub, here or in another process, holds it.
 */
export function holdSqliteLock(database: string): () => void {
  const file = `${database}.lock`;
  let lock: BetterSqlite3.Database | undefined;
  try {
    lock = new BetterSqlite3(file, { timeout: 0 });
    lock.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    lock?.close();
    if (!String((error as { code?: unknown }).code).startsWith("SQLITE_BUSY")) throw translateError(error);
    throw new StoreError("unavailable", `another hub has this database open (${file} is locked); stop it first, or speak to it over HTTP`, error);
  }
  return () => lock.close();
}
