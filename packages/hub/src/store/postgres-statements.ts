import type pg from "pg";

/** A statement has a name from so many runs on. */
const HOT_RUNS = 16;
/** Each connection keeps the plan of each of them. */
const NAMES_MAX = 200;
/** Texts that are counted at once. Those whose length follows from a list are many, and each of them rare. */
const COUNTED_MAX = 2_000;
/** A server that has lost a statement so often is a pooler that shares connections: from then on nothing has a name. */
const LOST_MAX = 3;
/**
 * A condition on a state that is a parameter: a plan that is to hold for each of them cannot use an index of the rows in one state only. While a table
 * is small the server would not see what that costs, and a minute later it is not small any more.
 */
const BY_STATE = /\bwhere\b[^]*\b(status|payment_status|route)"? (= \$|in \(\$)/i;

/**
 * Which statements have a name. PostgreSQL reads and plans each statement without one anew, which is more work than to run it where it finds a row by
 * its key; one with a name it plans once for each connection. So those have one that are run again and again.
 */
export class StatementNames {
  #counted = new Map<string, number>();
  #names = new Map<string, string>();
  #generation = 1;
  #lost = 0;

  of(text: string): string | undefined {
    const name = this.#names.get(text);
    if (name !== undefined || this.#lost >= LOST_MAX || this.#names.size >= NAMES_MAX) return name;
    const runs = (this.#counted.get(text) ?? 0) + 1;
    if (runs < HOT_RUNS) {
      if (runs === 1 && this.#counted.size >= COUNTED_MAX) this.#counted.clear();
      this.#counted.set(text, runs);
      return undefined;
    }
    if (BY_STATE.test(text)) {
      this.#counted.set(text, -Infinity);
      return undefined;
    }
    this.#counted.delete(text);
    const given = `lunas_${this.#generation}_${this.#names.size + 1}`;
    this.#names.set(text, given);
    return given;
  }

  /** A statement with this name has failed. Where it is the name that does not hold any more, every statement gets another one. */
  failed(name: string, error: unknown): void {
    if (!isStaleStatement(error) || !name.startsWith(`lunas_${this.#generation}_`)) return;
    this.#generation += 1;
    this.#names.clear();
    if ((error as { code: string }).code !== RESULT_CHANGED) this.#lost += 1;
  }
}

/** feature_not_supported: among others, that a statement's columns are others since it was planned, as after a migration by another hub. */
const RESULT_CHANGED = "0A000";
/** invalid_sql_statement_name, duplicate_prepared_statement: a pooler has put the statement on another connection than its name. */
const NAME_UNKNOWN = new Set(["26000", "42P05"]);

/** Whether a statement failed only because it has a name. It was not run: it may be run again. */
export function isStaleStatement(error: unknown): boolean {
  const { code, message } = error as { code?: unknown; message?: unknown };
  return NAME_UNKNOWN.has(code as string) || (code === RESULT_CHANGED && String(message).includes("cached plan must not change result type"));
}

type Callback = (error: unknown, result?: unknown) => void;

/** Gives the statements of a connection the names that they have. */
export function nameStatements(client: pg.ClientBase, names: StatementNames): void {
  const query = client.query.bind(client) as (config: unknown, ...rest: unknown[]) => unknown;
  client.query = ((text: unknown, values?: unknown, callback?: Callback) => {
    const name = typeof text === "string" && Array.isArray(values) && values.length > 0 ? names.of(text) : undefined;
    if (name === undefined) return query(text, values, callback);
    const named = { name, text, values };
    if (!callback) {
      const running = query(named) as Promise<unknown>;
      running.catch((error: unknown) => names.failed(name, error));
      return running;
    }
    // As a pool does for a statement without a transaction.
    return query(named, (error: unknown, result: unknown) => {
      if (error) names.failed(name, error);
      callback(error, result);
    });
  }) as typeof client.query;
}
