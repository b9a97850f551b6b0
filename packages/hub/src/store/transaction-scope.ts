import { AsyncLocalStorage } from "node:async_hooks";

const scope = new AsyncLocalStorage<true>();

/** Runs work as part of an open database transaction, so that the network and the root database can refuse to be used in it. */
export function runInTransactionScope<T>(work: () => Promise<T>): Promise<T> {
  return scope.run(true, work);
}

export function inTransactionScope(): boolean {
  return scope.getStore() === true;
}
