import type { Selectable } from "kysely";
import { notificationId } from "../ingest/notification-id.ts";
import { type Db, type NotificationsTable, ROUTE, VERDICT } from "../store/index.ts";
import { encodeCursor } from "./paging.ts";

export type NotificationRow = Selectable<NotificationsTable>;

/** Rows of the inbox that one page looks through at most. It is everybody's, and has no index by shop, which each callback would pay for. */
const LOOKED_AT_MAX = 50_000;

export interface NotificationWish {
  readonly shop_id: string;
  readonly limit: number;
  /** Number of the last one of the page before. */
  readonly after: number | undefined;
  /** Accounts of the shop that are meant. */
  readonly accounts: readonly string[];
  readonly payment_id: string | undefined;
  readonly verdict: keyof typeof VERDICT | undefined;
}

export interface NotificationPage {
  readonly rows: readonly NotificationRow[];
  readonly next_cursor: string | null;
}

/** The newest that fit. A page of what is rare may hold fewer than there are, even none, and still have a next one. */
export async function notificationPage(db: Db, wish: NotificationWish, looked_at_max = LOOKED_AT_MAX): Promise<NotificationPage> {
  if (wish.payment_id !== undefined) return pageOf(wish, await ofPayment(db, wish, wish.payment_id));
  if (wish.verdict === "forged" || wish.verdict === "unreadable") return pageOf(wish, await quarantined(db, wish, VERDICT[wish.verdict]));
  return ofInbox(db, wish, looked_at_max);
}

function pageOf({ limit }: NotificationWish, found: NotificationRow[], rest?: number): NotificationPage {
  const rows = found.sort((a, b) => b.seq - a.seq).slice(0, limit);
  const next = found.length > limit ? rows.at(-1)?.seq : rest;
  return { rows, next_cursor: next === undefined ? null : encodeCursor(notificationId(next)) };
}

async function ofPayment(db: Db, wish: NotificationWish, payment_id: string): Promise<NotificationRow[]> {
  const before = wish.after ?? Number.MAX_SAFE_INTEGER;
  const rows = await db
    .selectFrom("notifications")
    .selectAll()
    .where("payment_id", "=", payment_id)
    .where("seq", "<", before)
    .orderBy("seq", "desc")
    .limit(wish.limit + 1)
    .execute();
  return rows.filter((row) => row.shop_id === wish.shop_id && wish.accounts.includes(row.account_id) && fits(row, wish));
}

const fits = (row: NotificationRow, { verdict }: NotificationWish): boolean => verdict === undefined || row.verdict === VERDICT[verdict];

/** What is not believed is kept in quarantine, within a quota, and has an index by account. */
async function quarantined(db: Db, wish: NotificationWish, verdict: number): Promise<NotificationRow[]> {
  const found: NotificationRow[] = [];
  for (const account_id of wish.accounts) {
    let query = db
      .selectFrom("notifications")
      .selectAll()
      .where("account_id", "=", account_id)
      .where("route", "=", ROUTE.quarantined)
      .where("verdict", "=", verdict)
      .orderBy("seq", "desc")
      .limit(wish.limit + 1);
    if (wish.after !== undefined) query = query.where("seq", "<", wish.after);
    found.push(...(await query.execute()));
  }
  return found;
}

async function ofInbox(db: Db, wish: NotificationWish, looked_at_max: number): Promise<NotificationPage> {
  if (wish.accounts.length === 0) return { rows: [], next_cursor: null };
  const [first, last] = [await seqAtEnd(db, "asc"), await seqAtEnd(db, "desc")];
  const before = Math.min(wish.after ?? Number.MAX_SAFE_INTEGER, last + 1);
  const from = before - looked_at_max;
  let query = db
    .selectFrom("notifications")
    .selectAll()
    .where("seq", ">=", from)
    .where("seq", "<", before)
    .where("shop_id", "=", wish.shop_id)
    .where("account_id", "in", wish.accounts)
    .orderBy("seq", "desc")
    .limit(wish.limit + 1);
  if (wish.verdict !== undefined) query = query.where("verdict", "=", VERDICT[wish.verdict]);
  return pageOf(wish, await query.execute(), from > first ? from : undefined);
}

async function seqAtEnd(db: Db, direction: "asc" | "desc"): Promise<number> {
  const row = await db.selectFrom("notifications").select("seq").orderBy("seq", direction).limit(1).executeTakeFirst();
  return row?.seq ?? 0;
}
