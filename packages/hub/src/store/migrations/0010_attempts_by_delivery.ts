import type { EngineProfile } from "../engine.ts";

export const name = "0010_attempts_by_delivery";
/** An older program writes and reads the same columns; only its deletion of old attempts has no index. */
export const breaking = false;

/**
 * Attempts lie where their delivery's are, in one tree instead of a table and two indexes; a shop's deliveries are read by its endpoints, so that a
 * result has one index less to write.
 */
export function statements({ name: engine, type: { int, text } }: EngineProfile): string[] {
  const move =
    engine === "postgres"
      ? [`ALTER TABLE attempts DROP CONSTRAINT attempts_pkey, ADD PRIMARY KEY (delivery_id, id)`, `DROP INDEX attempts_by_delivery`]
      : [
          `CREATE TABLE attempts_moved (
            delivery_id ${text} NOT NULL, id ${text} NOT NULL, number ${int} NOT NULL, trigger ${text} NOT NULL, started_at ${int} NOT NULL,
            elapsed_ms ${int} NOT NULL, status ${int}, fault ${text}, response_body ${text}, PRIMARY KEY (delivery_id, id)) WITHOUT ROWID`,
          `INSERT INTO attempts_moved SELECT delivery_id, id, number, trigger, started_at, elapsed_ms, status, fault, response_body
            FROM attempts ORDER BY delivery_id, id`,
          `DROP TABLE attempts`,
          `ALTER TABLE attempts_moved RENAME TO attempts`,
        ];
  return [...move, `DROP INDEX deliveries_by_shop`];
}
