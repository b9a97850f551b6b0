/** A mistake of ours. It fails the request or the job that met it, never the process. */
export class InvariantError extends Error {
  override name = "InvariantError";
}

/** States what must hold. Stays on in production. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new InvariantError(message);
}

/** For the end of a switch over a union: the compiler proves that it is never reached. */
export function unreachable(value: never): never {
  throw new InvariantError(`unreachable value ${JSON.stringify(value)}`);
}
