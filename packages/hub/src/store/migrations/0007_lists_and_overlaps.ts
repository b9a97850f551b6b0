import type { EngineProfile } from "../engine.ts";

export const name = "0007_lists_and_overlaps";
/** An older program lets old credentials count for ever, as it did, and needs none of the indexes. */
export const breaking = false;

/** Until when an account's older credentials still count for callbacks; and what each list of the API is read by, newest first. */
export function statements({ type: { int } }: EngineProfile): string[] {
  return [
    `ALTER TABLE accounts ADD COLUMN previous_until ${int}`,
    // Where older ones are kept, they were put aside at the latest then.
    `UPDATE accounts SET previous_until = updated_at + 86400000`,
    `CREATE INDEX accounts_by_shop ON accounts (shop_id, id)`,
    `CREATE INDEX orders_by_shop ON orders (shop_id, id)`,
    `CREATE INDEX payments_by_shop ON payments (shop_id, id)`,
    `CREATE INDEX events_by_type ON events (shop_id, type, position)`,
    `CREATE INDEX deliveries_by_shop ON deliveries (shop_id, id)`,
  ];
}
