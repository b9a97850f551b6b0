import { LunasError, type RawCallback, rfc3339 } from "@lunas/domain";
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import { claimWord } from "../../collect/claims.ts";
import type { Hub } from "../../hub.ts";
import { notificationId, notificationSeq } from "../../ingest/notification-id.ts";
import { BodyReader, SECRET_HEADERS } from "../../ingest/sealed-bodies.ts";
import { type Db, ROUTE, VERDICT } from "../../store/index.ts";
import { MASK, maskBody, maskQuery } from "../mask.ts";
import { type NotificationRow, notificationPage } from "../notification-list.ts";
import { operation } from "../operation.ts";
import { decodeCursor, pageQuery } from "../paging.ts";
import { listOf, notification, notificationDetail } from "../schemas/objects.ts";
import { notificationFilter } from "../schemas/requests.ts";

const VERDICTS = ["weak", "forged", "unreadable"] as const satisfies readonly (keyof typeof VERDICT)[];
const params = z.object({ id: z.string() });
const ROUTES = ["new", "routed", "parked", "quarantined", "closed"] as const satisfies readonly (keyof typeof ROUTE)[];

export function notificationRoutes(hub: Hub): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      "/notifications",
      {
        schema: {
          ...operation("Notifications", "listNotifications", "List what gateways sent, newest first; a page may be short and still have a next one", {
            200: listOf(notification),
          }),
          querystring: z.strictObject({ ...pageQuery, ...notificationFilter }),
        },
      },
      async (request) => {
        const { limit, cursor, account, payment_id, verdict } = request.query;
        const after = notificationSeq(decodeCursor(cursor) ?? "");
        return hub.store.read(async (db) => {
          const accounts = await slugs(db, request.shop_id);
          const named = [...accounts].filter(([id, slug]) => account === undefined || id === account || slug === account).map(([id]) => id);
          const wish = { shop_id: request.shop_id, limit, after, accounts: named, payment_id, verdict };
          const { rows, next_cursor } = await notificationPage(db, wish);
          return { data: rows.map((row) => viewOf(row, accounts)), next_cursor };
        });
      },
    );
    app.get(
      "/notifications/:id",
      { schema: { ...operation("Notifications", "getNotification", "Read a notification as it arrived", { 200: notificationDetail }), params } },
      async (request) => {
        const { id } = request.params;
        const seq = notificationSeq(id) ?? -1;
        return hub.store.read(async (db) => {
          const row = await db
            .selectFrom("notifications")
            .selectAll()
            .where("seq", "=", seq)
            .where("shop_id", "=", request.shop_id)
            .executeTakeFirst();
          if (!row) throw new LunasError("not_found", { detail: `There is no notification ${id} in this shop.` });
          const raw = await new BodyReader(hub.vault).read(db, row);
          return { ...viewOf(row, await slugs(db, request.shop_id)), raw: raw ? rawView(raw) : null };
        });
      },
    );
  };
}

async function slugs(db: Db, shop_id: string): Promise<Map<string, string>> {
  const rows = await db.selectFrom("accounts").select(["id", "slug"]).where("shop_id", "=", shop_id).execute();
  return new Map(rows.map((row) => [row.id, row.slug]));
}

function viewOf(row: NotificationRow, accounts: ReadonlyMap<string, string>) {
  return {
    id: notificationId(row.seq),
    object: "notification" as const,
    account: accounts.get(row.account_id) ?? row.account_id,
    verdict: VERDICTS.find((name) => VERDICT[name] === row.verdict) ?? "forged",
    route: ROUTES.find((name) => ROUTE[name] === row.route) ?? "new",
    reference: row.reference,
    provider_id: row.provider_id,
    event_key: row.event_key,
    claim: claimWord(row.claim),
    payment_id: row.payment_id,
    remote_address: row.remote_address,
    received_at: rfc3339(row.received_at),
    last_received_at: rfc3339(row.last_received_at),
    repeats: row.repeats,
  };
}

function rawView({ method, query, headers, body }: RawCallback) {
  const shown = Object.entries(headers).map(([header, value]) => [header, SECRET_HEADERS.has(header) ? MASK : value]);
  return {
    method,
    query: maskQuery(query),
    headers: Object.fromEntries(shown) as Record<string, string>,
    body: maskBody(Buffer.from(body).toString("utf8")),
  };
}
