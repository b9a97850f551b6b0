import type { EngineProfile } from "../engine.ts";

export const name = "0012_first_attempts";
/** An older program looks for first attempts elsewhere, and writes columns that are gone. */
export const breaking = true;

/**
 * The first attempt of a delivery lies in the delivery's own row, which its result writes anyway: nearly all deliveries have no other, and need
 * no second row and no entry in an index (bench `deliver`). Those of before stay where they are.
 */
export function statements({ type: { int, text } }: EngineProfile): string[] {
  const columns = [`trigger ${text}`, `at ${int}`, `elapsed_ms ${int}`, `status ${int}`, `fault ${text}`, `body ${text}`];
  return [
    ...["last_status", "last_fault"].map((column) => `ALTER TABLE deliveries DROP COLUMN ${column}`),
    ...columns.map((column) => `ALTER TABLE deliveries ADD COLUMN first_${column}`),
  ];
}
