import type BetterSqlite3 from "better-sqlite3";
import {
  type CompiledQuery,
  type DatabaseConnection,
  type DatabaseIntrospector,
  type Dialect,
  type DialectAdapter,
  type Driver,
  type Kysely,
  type QueryCompiler,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from "kysely";
import { encodeParameter, translateError } from "./codec.ts";
import { noteStatementFailure } from "./transaction-scope.ts";

/** How many prepared statements a connection keeps. */
const STATEMENTS_MAX = 500;

/** Kysely's SQLite dialect over one better-sqlite3 connection, with prepared statements kept and errors translated. */
export class SqliteConnectionDialect implements Dialect {
  readonly connection: SqliteConnection;

  constructor(db: BetterSqlite3.Database) {
    this.connection = new SqliteConnection(db);
  }

  createAdapter(): DialectAdapter {
    return new SynchronousAdapter();
  }

  createQueryCompiler(): QueryCompiler {
    return new SqliteQueryCompiler();
  }

  createIntrospector(db: Kysely<unknown>): DatabaseIntrospector {
    return new SqliteIntrospector(db);
  }

  createDriver(): Driver {
    const { connection } = this;
    // Transactions are the store's business: one begun here would take in whatever else uses this connection.
    const refuse = async (): Promise<never> => {
      throw new Error("transactions are begun with store.write");
    };
    return {
      init: async () => {},
      acquireConnection: async () => connection,
      beginTransaction: refuse,
      commitTransaction: refuse,
      rollbackTransaction: refuse,
      releaseConnection: async () => {},
      destroy: async () => {},
    };
  }
}

/** Each statement runs to its end in one go, so nobody has to wait for the connection. */
class SynchronousAdapter extends SqliteAdapter {
  override get supportsMultipleConnections(): boolean {
    return true;
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
      const translated = translateError(error);
      noteStatementFailure(translated);
      throw translated;
    }
  }

  // eslint-disable-next-line require-yield -- the interface asks for a generator; nothing here streams
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error("streaming is not used");
  }
}
