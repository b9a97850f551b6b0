import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import { closeManualRefund } from "../../collect/refunds.ts";
import { refundView } from "../../collect/views.ts";
import type { Hub } from "../../hub.ts";
import { readRefund } from "../bundles.ts";
import { operation } from "../operation.ts";
import { decodeCursor, pageOf, pageQuery } from "../paging.ts";
import { listOf, refund } from "../schemas/objects.ts";
import { refundClose, refundFilter } from "../schemas/requests.ts";

const params = z.object({ id: z.string() });

export function refundRoutes(hub: Hub): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      "/refunds",
      {
        schema: {
          ...operation("Refunds", "listRefunds", "List refunds, newest first", { 200: listOf(refund) }),
          querystring: z.strictObject({ ...pageQuery, ...refundFilter }),
        },
      },
      async (request) => {
        const { limit, cursor, payment_id } = request.query;
        const after = decodeCursor(cursor);
        const rows = await hub.store.read(async (db) => {
          let query = db
            .selectFrom("refunds")
            .selectAll()
            .where("shop_id", "=", request.shop_id)
            .orderBy("created_at", "desc")
            .orderBy("id", "desc")
            .limit(limit + 1);
          if (payment_id !== undefined) query = query.where("payment_id", "=", payment_id);
          if (after !== undefined) {
            // Their ids sort by payment, not by their own time.
            const last = await db
              .selectFrom("refunds")
              .select("created_at")
              .where("id", "=", after)
              .where("shop_id", "=", request.shop_id)
              .executeTakeFirst();
            query = query.where((eb) => eb(eb.refTuple("created_at", "id"), "<", eb.tuple(last?.created_at ?? 0, after)));
          }
          return query.execute();
        });
        return pageOf(rows, limit, (row) => row.id, refundView);
      },
    );
    app.get("/refunds/:id", { schema: { ...operation("Refunds", "getRefund", "Read a refund", { 200: refund }), params } }, async (request) =>
      refundView(await readRefund(hub, request.shop_id, request.params.id)),
    );
    app.post(
      "/refunds/:id/close",
      { schema: { ...operation("Refunds", "closeRefund", "Close a manual refund with proof", { 200: refund }), params, body: refundClose } },
      async (request) => refundView(await closeManualRefund(hub, request.shop_id, request.params.id, request.body.outcome, request.body.proof)),
    );
  };
}
