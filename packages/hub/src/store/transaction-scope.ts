import { AsyncLocalStorage } from "node:async_hooks";
import { invariant } from "@lunas/domain";
import type { KyselyPlugin } from "kysely";

interface Scope {
  /** False once the unit of work has ended: promises that it left behind are not part of a transaction any more. */
  open: boolean;
  failure: { readonly error: unknown } | undefined;
  readonly after: (() => void)[];
}

const scopes = new AsyncLocalStorage<Scope>();

/**
 * Runs work as part of an open database transaction, so that the network and the root database can refuse to be used in it.
 * Once a statement has failed the work as a whole has: PostgreSQL would turn its COMMIT into a ROLLBACK, and SQLite is made to
 * agree, so catching the statement's error inside the work saves nothing.
 * @param after takes what is to be done after the commit, for whoever commits.
 */
export async function runInTransactionScope<T>(work: () => Promise<T>, after: (() => void)[] = []): Promise<T> {
  const scope: Scope = { open: true, failure: undefined, after };
  try {
    const value = await scopes.run(scope, work);
    if (scope.failure) throw scope.failure.error;
    return value;
  } finally {
    scope.open = false;
  }
}

export function inTransactionScope(): boolean {
  return scopes.getStore()?.open === true;
}

/** Has something done once the open transaction is known to be committed, before its writer goes on; never, if it is not. It must not throw. */
export function afterCommit(act: () => void): void {
  const scope = scopes.getStore();
  invariant(scope?.open, "there is no open transaction");
  scope.after.push(act);
}

/** Called by the drivers for every statement that failed. */
export function noteStatementFailure(error: unknown): void {
  const scope = scopes.getStore();
  if (scope?.open) scope.failure ??= { error };
}

/** Refuses queries of a transaction that has ended, or that reach it from outside of its unit of work. */
export const ONLY_INSIDE: KyselyPlugin = {
  transformQuery({ node }) {
    invariant(inTransactionScope(), "a transaction was used outside of its unit of work");
    return node;
  },
  transformResult: async ({ result }) => result,
};

/** Refuses queries of the root database inside a transaction: on SQLite they would not see its writes, on PostgreSQL they could wait for ever. */
export const ONLY_OUTSIDE: KyselyPlugin = {
  transformQuery({ node }) {
    invariant(!inTransactionScope(), "the root database was used inside a transaction");
    return node;
  },
  transformResult: async ({ result }) => result,
};
