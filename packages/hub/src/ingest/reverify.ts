import { invariant, type RawCallback, type ReadableCallback } from "@lunas/domain";
import { openAccount, type OpenAccount } from "../collect/accounts.ts";
import type { Hub } from "../hub.ts";
import { notificationByKey, ROUTE, type Tx, VERDICT } from "../store/index.ts";
import { RETENTION } from "../retention.ts";
import { dedupeKey } from "./dedupe-key.ts";
import { contentOf } from "./record.ts";
import { BodyReader, frameCallback, sealBatch } from "./sealed-bodies.ts";

const PAGE = 100;

/**
 * Checks the quarantined notifications of an account again, after its credentials were changed: what came under the new ones before they
 * were written down here was called forged, and what this program could not read then it may read now. What holds goes the way of all notifications.
 * @returns how many were let in.
 */
export async function reverifyQuarantined(hub: Hub, account_id: string): Promise<number> {
  const row = await hub.store.read((db) => db.selectFrom("accounts").selectAll().where("id", "=", account_id).executeTakeFirst());
  invariant(row, `account ${account_id} is gone`);
  const account = openAccount(hub, row);
  let released = 0;
  for (let after = 0; ;) {
    const page = await hub.store.write((tx) => reverifyPage(hub, tx, account, after));
    released += page.released;
    if (page.last === undefined) break;
    after = page.last;
  }
  if (released > 0) hub.signals.emit({ kind: "inbox" });
  return released;
}

async function reverifyPage(hub: Hub, tx: Tx, account: OpenAccount, after: number): Promise<{ released: number; last: number | undefined }> {
  const rows = await tx
    .selectFrom("notifications")
    .selectAll()
    .where("account_id", "=", account.row.id)
    .where("route", "=", ROUTE.quarantined)
    .where("seq", ">", after)
    .orderBy("seq")
    .limit(PAGE)
    .execute();
  const reader = new BodyReader(hub.vault);
  let released = 0;
  for (const row of rows) {
    const raw = await reader.read(tx, row);
    const reading = raw && account.provider.callbacks.read(raw);
    if (!raw || !reading?.readable || reading.verify(account.configs).verdict === "forged") continue;
    if (await release(hub, tx, row.seq, account.row.id, raw, reading)) released += 1;
  }
  return { released, last: rows.at(-1)?.seq };
}

/** The same bytes may have come once more since and been believed then: one row of them is enough. */
async function release(hub: Hub, tx: Tx, seq: number, account_id: string, raw: RawCallback, reading: ReadableCallback<unknown>): Promise<boolean> {
  const dedupe = dedupeKey(account_id, false, raw.body);
  const known = await notificationByKey(hub.store, tx, dedupe);
  if (known !== undefined) {
    await tx.deleteFrom("notifications").where("seq", "=", seq).execute();
    return false;
  }
  // In the quarantine its bytes would be deleted with them.
  const { id } = await tx
    .insertInto("notification_batches")
    .values({
      keep_until: hub.clocks.business.now() + RETENTION.raw_bodies_ms,
      single_of: null,
      sealed: sealBatch(hub.vault, [frameCallback(raw)]),
    })
    .returning("id")
    .executeTakeFirstOrThrow();
  await tx
    .updateTable("notifications")
    .set({ ...contentOf(reading), verdict: VERDICT.weak, route: ROUTE.new, dedupe, batch: id, place: 0 })
    .where("seq", "=", seq)
    .execute();
  return true;
}
