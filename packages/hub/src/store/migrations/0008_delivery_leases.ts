import type { EngineProfile } from "../engine.ts";

export const name = "0008_delivery_leases";
/** An older program looks for what is under way by its status. */
export const breaking = true;

/**
 * A delivery that is under way is a due one with a lease: a claim then writes no column that an index knows, which costs PostgreSQL one row
 * version without any entry in an index, as long as there is room for it on the row's page.
 */
export function statements({ name: engine }: EngineProfile): string[] {
  return [
    `UPDATE deliveries SET status = 'due' WHERE status = 'delivering'`,
    `DROP INDEX deliveries_leased`,
    ...(engine === "postgres" ? [`ALTER TABLE deliveries SET (fillfactor = 60)`] : []),
  ];
}
