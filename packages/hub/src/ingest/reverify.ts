import { invariant } from "@lunas/domain";
import { openAccount, type OpenAccount } from "../collect/accounts.ts";
import type { Hub } from "../hub.ts";
import { notificationByKey, ROUTE, type Tx, VERDICT } from "../store/index.ts";
import { dedupeKey } from "./receive.ts";
import { openCallback } from "./sealed-body.ts";

const PAGE = 100;

/**
 * Checks the quarantined notifications of an account again, after its credentials were changed: what came under the new ones before they
 * were written down here was called forged. What holds now goes the way of all notifications.
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
    .innerJoin("notification_bodies", "notification_bodies.seq", "notifications.seq")
    .select(["notifications.seq", "notification_bodies.sealed"])
    .where("notifications.account_id", "=", account.row.id)
    .where("notifications.route", "=", ROUTE.quarantined)
    .where("notifications.seq", ">", after)
    .orderBy("notifications.seq")
    .limit(PAGE)
    .execute();
  let released = 0;
  for (const { seq, sealed } of rows) {
    const raw = openCallback(hub.vault, account.row.id, sealed);
    const reading = account.provider.callbacks.read(raw);
    if (!reading.readable || reading.verify(account.configs).verdict === "forged") continue;
    if (await release(hub, tx, seq, dedupeKey(account.row.id, false, raw.body))) released += 1;
  }
  return { released, last: rows.at(-1)?.seq };
}

/** The same bytes may have come once more since and been believed then: one row of them is enough. */
async function release(hub: Hub, tx: Tx, seq: number, dedupe: Uint8Array): Promise<boolean> {
  const known = await notificationByKey(hub.store, tx, dedupe);
  if (known !== undefined) {
    await tx.deleteFrom("notification_bodies").where("seq", "=", seq).execute();
    await tx.deleteFrom("notifications").where("seq", "=", seq).execute();
    return false;
  }
  await tx.updateTable("notifications").set({ verdict: VERDICT.weak, route: ROUTE.new, dedupe }).where("seq", "=", seq).execute();
  return true;
}
