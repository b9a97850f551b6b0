import { randomBytes } from "node:crypto";
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { Worker } from "node:worker_threads";
import { invariant } from "@lunas/domain";
import BetterSqlite3 from "better-sqlite3";
import { StoreError, translateError } from "./codec.ts";
import { holdStatements } from "./hold.ts";
import { holdSqliteLock } from "./sqlite-lock.ts";
import type { Store } from "./store.ts";

/** The parts of a SQLite database on the disk. */
const PARTS = ["", "-wal", "-shm"] as const;

/**
 * Copies the database of a store into a new file while it is in use.
 * @throws Error for PostgreSQL, whose own tool (`pg_dump`) does this, and when the file exists.
 */
export async function backup(store: Store, toFile: string): Promise<void> {
  const { file } = store as { file?: unknown };
  if (store.engine.name !== "sqlite") throw new Error("a PostgreSQL database is backed up with pg_dump; see docs/operations.md");
  invariant(typeof file === "string", "a SQLite store knows its file");
  await backupSqliteFile(file, toFile);
}

/**
 * A consistent copy of a SQLite file, as of one moment, while a hub writes to it. A thread of its own does the work. The copy appears under its
 * name only when it is whole and on the disk.
 */
export async function backupSqliteFile(from: string, to: string): Promise<void> {
  if (existsSync(to)) throw new Error(`${to} exists; a backup does not overwrite a file`);
  mkdirSync(dirname(to), { recursive: true });
  const partial = `${to}.${randomBytes(4).toString("hex")}.partial`;
  closeSync(openSync(partial, "wx", 0o600));
  try {
    await vacuumInThread(from, partial);
    putInPlace(partial, to);
  } finally {
    rmSync(partial, { force: true });
  }
}

/** Plain JavaScript on purpose: a thread made from a string starts from sources and from a build alike. */
const THREAD = `
const { workerData } = require("node:worker_threads");
const { createRequire } = require("node:module");
const Database = createRequire(workerData.base)("better-sqlite3");
const db = new Database(workerData.from, { readonly: true, fileMustExist: true, timeout: 5000 });
try {
  db.prepare("VACUUM INTO ?").run(workerData.to);
} finally {
  db.close();
}`;

function vacuumInThread(from: string, to: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(THREAD, { eval: true, workerData: { from, to, base: import.meta.url } });
    worker.once("error", (error) => reject(translateError(error)));
    worker.once("exit", (code) => (code === 0 ? resolve() : reject(new Error(`the backup thread ended with ${code}`))));
  });
}

export interface RestoreOptions {
  /** Put it in the place of a database that is there; that one is kept beside it as `….replaced`. */
  readonly overwrite?: boolean;
}

/**
 * Puts a copy in the place of a hub's SQLite database and marks it, so that the hub starts on hold: it asks about everything before it sends
 * anything that moves money (`lunas reconcile --after-restore`).
 * @throws Error when the copy is damaged or no database of Lunas, or when there is a database and `overwrite` is not set.
 * @throws StoreError `unavailable` when a hub has the database open.
 */
export function restore(fromFile: string, toFile: string, { overwrite = false }: RestoreOptions = {}): void {
  if (!existsSync(fromFile)) throw new Error(`${fromFile} does not exist`);
  if (existsSync(toFile) && !overwrite) throw new Error(`${toFile} exists; restoring in its place needs --overwrite`);
  mkdirSync(dirname(toFile), { recursive: true });
  const unlock = holdSqliteLock(toFile);
  const partial = `${toFile}.${randomBytes(4).toString("hex")}.partial`;
  try {
    copyMarked(fromFile, partial);
    if (existsSync(toFile)) for (const part of PARTS) moveOrRemove(toFile + part, `${toFile}.replaced${part}`);
    putInPlace(partial, toFile);
  } finally {
    for (const part of PARTS) rmSync(partial + part, { force: true });
    unlock();
  }
}

/** The journal of an older replaced database must not stay beside a newer one. */
function moveOrRemove(from: string, to: string): void {
  if (existsSync(from)) renameSync(from, to);
  else rmSync(to, { force: true });
}

function copyMarked(from: string, to: string): void {
  closeSync(openSync(to, "wx", 0o600));
  const source = new BetterSqlite3(from, { readonly: true, fileMustExist: true });
  try {
    source.prepare("VACUUM INTO ?").run(to);
  } catch (error) {
    throw new StoreError("other", `${from} cannot be read as a database: ${(error as Error).message}`, error);
  } finally {
    source.close();
  }
  const copy = new BetterSqlite3(to);
  try {
    const [check] = copy.pragma("integrity_check(1)") as { integrity_check: string }[];
    if (check?.integrity_check !== "ok") throw new StoreError("other", `${from} is damaged: ${check?.integrity_check}`, undefined);
    const known = copy.prepare("SELECT COUNT(*) AS tables FROM sqlite_schema WHERE name IN ('migrations', 'meta')").get() as { tables: number };
    if (known.tables !== 2) throw new StoreError("other", `${from} is no database of Lunas`, undefined);
    copy.prepare("INSERT INTO meta (name, value) VALUES ('hold', 'restored') ON CONFLICT (name) DO NOTHING").run();
    for (const statement of holdStatements(Date.now())) copy.exec(statement);
  } finally {
    copy.close();
  }
}

/** On the disk first, then under its name. */
function putInPlace(partial: string, to: string): void {
  syncPath(partial);
  renameSync(partial, to);
  syncPath(dirname(to));
}

function syncPath(path: string): void {
  const handle = openSync(path, "r");
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
