import { sql } from "kysely";
import type { Store } from "../store/index.ts";

/**
 * At the start of a hub on SQLite nobody else can be at work: what a killed process held is due again at once. On PostgreSQL another hub
 * may be alive, so leases end by their time.
 */
export async function releaseLeases(store: Store): Promise<void> {
  if (store.engine.name !== "sqlite") return;
  await store.write(async (tx) => {
    // Nobody is at an opening any more: whoever comes first goes on with it.
    await tx.updateTable("payments").set({ opening_until: null }).where("status", "=", "submitted").where("opening_until", "is not", null).execute();
    await tx.updateTable("jobs").set({ lease_until: null }).where("lease_until", "is not", null).execute();
    // By its text, so that the index of what is due is used: there may be millions that are not.
    await sql`UPDATE deliveries SET lease_until = NULL WHERE status = 'due' AND lease_until IS NOT NULL`.execute(tx);
    await tx.updateTable("idempotency").set({ lease_until: 0 }).where("status", "is", null).where("lease_until", "is not", null).execute();
  });
}
