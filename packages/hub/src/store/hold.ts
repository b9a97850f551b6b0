import type { Store } from "./store.ts";

const HOLD = "hold";

/**
 * Puts the hub on hold: nothing that moves money is sent until it is cleared. A database that was restored from a copy starts like this,
 * because the copy does not know what was done after it was made.
 * @param reason a word for the operator, such as `restored`. A hold that is there keeps its first reason.
 */
export async function setHold(store: Store, reason: string): Promise<void> {
  await store.write((tx) =>
    tx
      .insertInto("meta")
      .values({ name: HOLD, value: reason })
      .onConflict((conflict) => conflict.column("name").doNothing())
      .execute(),
  );
}

/** The reason of the hold, or undefined when there is none. */
export async function readHold(store: Store): Promise<string | undefined> {
  const row = await store.read((db) => db.selectFrom("meta").select("value").where("name", "=", HOLD).executeTakeFirst());
  return row?.value;
}

export async function clearHold(store: Store): Promise<void> {
  await store.write((tx) => tx.deleteFrom("meta").where("name", "=", HOLD).execute());
}
