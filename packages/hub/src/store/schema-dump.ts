import { sql } from "kysely";
import type { Store } from "./store.ts";

/** The schema of a database as text, to be compared with the dump in the tree (`schema.sqlite.sql`, `schema.postgres.sql`). */
export async function dumpSchema(store: Store): Promise<string> {
  const statements = store.engine.name === "sqlite" ? await dumpSqlite(store) : await dumpPostgres(store);
  return `-- What the migrations make. Not run by anything; npx vitest run packages/hub/src/store/migrate.test.ts -u writes it anew.\n\n${statements.join(";\n\n")};\n`;
}

async function dumpSqlite(store: Store): Promise<string[]> {
  const { rows } = await store.read((db) =>
    sql<{ sql: string }>`SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY tbl_name, type DESC, name`.execute(db),
  );
  return rows.map((row) =>
    row.sql
      .replaceAll(/\s+/g, " ")
      .replaceAll(", ", ",\n  ")
      .replace(" (", " (\n  ")
      .replace(/\)( WHERE .*)?$/, "\n)$1"),
  );
}

interface PostgresObject {
  table_name: string;
  definition: string;
}

/** From the catalog, because the packaged server comes without pg_dump. */
async function dumpPostgres(store: Store): Promise<string[]> {
  const { rows: columns } = await store.read((db) =>
    sql<PostgresObject>`
      SELECT c.relname AS table_name, a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
        || CASE WHEN a.attcollation <> t.typcollation THEN ' COLLATE "' || l.collname || '"' ELSE '' END
        || CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END
        || CASE a.attidentity WHEN 'a' THEN ' GENERATED ALWAYS AS IDENTITY' ELSE '' END AS definition
      FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_collation l ON l.oid = a.attcollation
      WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
      ORDER BY c.relname COLLATE "C", a.attnum`.execute(db),
  );
  const { rows: constraints } = await store.read((db) =>
    sql<PostgresObject>`
      SELECT c.relname AS table_name, 'CONSTRAINT ' || o.conname || ' ' || pg_get_constraintdef(o.oid) AS definition
      FROM pg_constraint o JOIN pg_class c ON c.oid = o.conrelid
      WHERE o.connamespace = 'public'::regnamespace AND o.contype <> 'n' ORDER BY c.relname COLLATE "C", o.conname COLLATE "C"`.execute(db),
  );
  const { rows: indexes } = await store.read((db) =>
    sql<{ definition: string }>`
      SELECT pg_get_indexdef(i.indexrelid) AS definition FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
      WHERE c.relnamespace = 'public'::regnamespace AND NOT EXISTS (SELECT FROM pg_constraint o WHERE o.conindid = i.indexrelid)
      ORDER BY c.relname COLLATE "C"`.execute(db),
  );
  const tables = [...new Set(columns.map(({ table_name }) => table_name))];
  const parts = (table: string) =>
    [...columns, ...constraints].filter(({ table_name }) => table_name === table).map(({ definition }) => `  ${definition}`);
  return [...tables.map((table) => `CREATE TABLE ${table} (\n${parts(table).join(",\n")}\n)`), ...indexes.map(({ definition }) => definition)];
}
