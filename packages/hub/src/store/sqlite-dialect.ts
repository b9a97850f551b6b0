import type BetterSqlite3 from "better-sqlite3";
import {
  CompiledQuery, type DatabaseConnection, type DatabaseIntrospector, type Dialect, type DialectAdapter, type Driver, type Kysely, type QueryCompiler, type QueryResult,
  SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler,
} from "kysely";
import { translateError } from "./codec.ts";

/** How many prepared statements a connection keeps. */
const STATEMENTS_MAX = 500;

/** Kysely's SQLite dialect over one better-sqlite3 connection, with prepared statements kept and errors translated. */
export class SqliteConnectionDialect implements Dialect {
  readonly connection: SqliteConnection;

  constructor(db: BetterSqlite3.Database) {
    this.connection = new SqliteConnection(db);
  }

  createAdapter(): DialectAdapter {
    return new SqliteAdapter();
  }

  createQueryCompiler(): QueryCompiler {
    return new SqliteQueryCompiler();
  }

  createIntrospector(db: Kysely<unknown>): DatabaseIntrospector {
    return new SqliteIntrospector(db as unknown as Kysely<never>);
  }

  createDriver(): Driver {
    const { connection } = this;
    const begin = (sql: string) => () => connection.executeQuery(CompiledQuery.raw(sql)).then(() => undefined);
    return {
      init: async () => {},
      acquireConnection: async () => connection,
      beginTransaction: begin("begin"),
      commitTransaction: begin("commit"),
      rollbackTransaction: begin("rollback"),
      releaseConnection: async () => {},
      destroy: async () => {},
    };
  }
}

export class SqliteConnection implements DatabaseConnection {
  readonly db: BetterSqlite3.Database;
  #statements = new Map<string, BetterSqlite3.Statement>();

  constructor(db: BetterSqlite3.Database) {
    this.db = db;
  }

  prepare(sql: string): BetterSqlite3.Statement {
    let statement = this.#statements.get(sql);
    if (!statement) {
      statement = this.db.prepare(sql);
      if (this.#statements.size >= STATEMENTS_MAX) this.#statements.delete(this.#statements.keys().next().value!);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    try {
      const statement = this.prepare(query.sql);
      const parameters = query.parameters.map(encodeParameter);
      if (statement.reader) return { rows: statement.all(parameters) as R[] };
      const { changes } = statement.run(parameters);
      return { rows: [], numAffectedRows: BigInt(changes) };
    } catch (error) {
      throw translateError(error);
    }
  }

  // eslint-disable-next-line require-yield -- the interface asks for a generator; nothing here streams
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error("streaming is not used");
  }
}

/** better-sqlite3 takes buffers, numbers, bigints, strings and null. */
export function encodeParameter(value: unknown): unknown {
  if (value === undefined) return null;
  if (typeof value === "boolean") return value ? 1 : 0;
  if (value instanceof Uint8Array && !Buffer.isBuffer(value)) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  return value;
}
