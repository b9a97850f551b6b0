import { type CompiledQuery, type DatabaseConnection, type Driver, PostgresDialect, type PostgresDialectConfig, PostgresDriver } from "kysely";
import { encodeParameter, translateError } from "./codec.ts";
import { noteStatementFailure } from "./transaction-scope.ts";

/** Kysely's PostgreSQL dialect with our codec at the edge: parameters encoded, errors translated, failures noted in their transaction. */
export class PostgresEdgeDialect extends PostgresDialect {
  #config: PostgresDialectConfig;

  constructor(config: PostgresDialectConfig) {
    super(config);
    this.#config = config;
  }

  override createDriver(): Driver {
    return new EdgeDriver(this.#config);
  }
}

class EdgeDriver extends PostgresDriver {
  #wrapped = new WeakSet<DatabaseConnection>();

  override async acquireConnection(...options: Parameters<PostgresDriver["acquireConnection"]>): Promise<DatabaseConnection> {
    try {
      const connection = await super.acquireConnection(...options);
      if (!this.#wrapped.has(connection)) {
        this.#wrapped.add(connection);
        wrap(connection);
      }
      return connection;
    } catch (error) {
      throw translateError(error);
    }
  }
}

/** In place, because the driver finds its own connection by its identity. */
function wrap(connection: DatabaseConnection): void {
  const execute = connection.executeQuery.bind(connection);
  connection.executeQuery = async <R>(query: CompiledQuery, ...options: unknown[]) => {
    try {
      const encoded = {
        ...query,
        parameters: query.parameters.map((value) => (Array.isArray(value) ? value.map(encodeParameter) : encodeParameter(value))),
      };
      return await (execute as typeof connection.executeQuery<R>)(encoded, ...(options as []));
    } catch (error) {
      const translated = translateError(error);
      noteStatementFailure(translated);
      throw translated;
    }
  };
}
