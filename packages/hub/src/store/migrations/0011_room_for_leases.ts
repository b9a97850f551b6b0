import type { EngineProfile } from "../engine.ts";

export const name = "0011_room_for_leases";
/** Nothing that a program reads or writes has changed. */
export const breaking = false;

/**
 * A delivery is written three times: when it is made, taken and done. With room for its next version beside it, taking one touches no index on
 * PostgreSQL (a heap-only tuple), and what is taken leaves no dead entries for the next claim to walk over (bench `deliver`).
 */
export function statements({ name: engine }: EngineProfile): string[] {
  return engine === "postgres" ? [`ALTER TABLE deliveries SET (fillfactor = 50)`] : [];
}
