import { sql } from "kysely";
import { StoreError } from "./codec.ts";
import type { EngineProfile } from "./engine.ts";
import * as initial from "./migrations/0001_initial.ts";
import * as notificationBatches from "./migrations/0002_notification_batches.ts";
import * as paymentTransactions from "./migrations/0003_payment_transactions.ts";
import * as paymentClosing from "./migrations/0004_payment_closing.ts";
import * as unfinishedWork from "./migrations/0005_unfinished_work.ts";
import * as deliveryGenerations from "./migrations/0006_delivery_generations.ts";
import * as listsAndOverlaps from "./migrations/0007_lists_and_overlaps.ts";
import * as deliveryLeases from "./migrations/0008_delivery_leases.ts";
import * as openClaims from "./migrations/0009_open_claims.ts";
import * as attemptsByDelivery from "./migrations/0010_attempts_by_delivery.ts";
import * as roomForLeases from "./migrations/0011_room_for_leases.ts";
import * as firstAttempts from "./migrations/0012_first_attempts.ts";
import type { Store, Tx } from "./store.ts";

export interface Migration {
  readonly name: string;
  readonly breaking: boolean;
  statements(engine: EngineProfile): string[];
}

/** In order, forward only. */
export const MIGRATIONS: readonly Migration[] = [
  initial,
  notificationBatches,
  paymentTransactions,
  paymentClosing,
  unfinishedWork,
  deliveryGenerations,
  listsAndOverlaps,
  deliveryLeases,
  openClaims,
  attemptsByDelivery,
  roomForLeases,
  firstAttempts,
];

export class SchemaTooNewError extends Error {
  override name = "SchemaTooNewError";
}

/**
 * Brings the database to this program's schema. Safe to run twice and by several programs at once.
 * @returns the names of the migrations that this call applied.
 * @throws SchemaTooNewError when a newer program has made a breaking change to this database.
 */
export async function migrate(store: Store, migrations: readonly Migration[] = MIGRATIONS): Promise<string[]> {
  const { int, text } = store.engine.type;
  return store.write(async (tx) => {
    // Several programs may start at once; the second waits here and then finds the work done.
    if (store.engine.name === "postgres") await sql`SELECT pg_advisory_xact_lock(4817270)`.execute(tx);
    await run(tx, `CREATE TABLE IF NOT EXISTS migrations (name ${text} PRIMARY KEY, breaking ${int} NOT NULL)`);
    await run(tx, `CREATE TABLE IF NOT EXISTS meta (name ${text} PRIMARY KEY, value ${text} NOT NULL)`);
    const { rows } = await sql<{ name: string; breaking: number }>`SELECT name, breaking FROM migrations ORDER BY name`.execute(tx);
    const known = new Set(migrations.map((migration) => migration.name));
    const newer = rows.filter((row) => !known.has(row.name) && row.breaking === 1);
    if (newer.length > 0) {
      throw new SchemaTooNewError(
        `this database was changed by a newer Lunas (${newer.map((row) => row.name).join(", ")}); start that version or a later one`,
      );
    }
    const done = new Set(rows.map((row) => row.name));
    const applied: string[] = [];
    for (const migration of migrations) {
      if (done.has(migration.name)) continue;
      for (const statement of migration.statements(store.engine)) await run(tx, statement);
      await sql`INSERT INTO migrations (name, breaking) VALUES (${migration.name}, ${migration.breaking ? 1 : 0})`.execute(tx);
      applied.push(migration.name);
    }
    return applied;
  });
}

async function run(tx: Tx, statement: string): Promise<void> {
  await sql.raw(statement).execute(tx);
}

/** The names that are missing in this database, for `lunas migrate --check` and `/readyz`. */
export async function pendingMigrations(store: Store): Promise<string[]> {
  try {
    const { rows } = await store.read((db) => sql<{ name: string }>`SELECT name FROM migrations`.execute(db));
    const done = new Set(rows.map((row) => row.name));
    return MIGRATIONS.map((migration) => migration.name).filter((name) => !done.has(name));
  } catch (error) {
    // Only a database without the table is one without migrations.
    if (!(error instanceof StoreError) || error.fault !== "other") throw error;
    return MIGRATIONS.map((migration) => migration.name);
  }
}
