import { resendEvent } from "../../deliver/again.ts";
import { LunasError } from "@lunas/domain";
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import type { Hub } from "../../hub.ts";
import { readDeliveryViews } from "../delivery-views.ts";
import { operation } from "../operation.ts";
import { decodeCursor, pageOf, pageQuery } from "../paging.ts";
import { delivery, event, listOf } from "../schemas/objects.ts";
import { eventFilter, resend } from "../schemas/requests.ts";

const params = z.object({ id: z.string() });

/** An event is answered as the text that was signed and sent, byte for byte. */
export function eventRoutes(hub: Hub): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      "/events",
      {
        schema: {
          ...operation("Events", "listEvents", "List events, newest first", { 200: listOf(event) }),
          querystring: z.strictObject({ ...pageQuery, ...eventFilter }),
        },
      },
      async (request, reply) => {
        const { limit, cursor, type, subject_id } = request.query;
        const after = decodeCursor(cursor);
        const rows = await hub.store.read((db) => {
          let query = db
            .selectFrom("events")
            .select(["position", "body"])
            .where("shop_id", "=", request.shop_id)
            .orderBy("position", "desc")
            .limit(limit + 1);
          if (type !== undefined) query = query.where("type", "=", type as never);
          if (subject_id !== undefined) query = query.where("subject_id", "=", subject_id);
          if (after !== undefined) query = query.where("position", "<", after);
          return query.execute();
        });
        const { data, next_cursor } = pageOf(
          rows,
          limit,
          (row) => row.position,
          (row) => row.body,
        );
        return reply.type("application/json").send(`{"data":[${data.join(",")}],"next_cursor":${JSON.stringify(next_cursor)}}` as never);
      },
    );
    app.get(
      "/events/:id",
      { schema: { ...operation("Events", "getEvent", "Read an event, exactly as its webhook's body", { 200: event }), params } },
      async (request, reply) => {
        const { id } = request.params;
        const row = await hub.store.read((db) =>
          db.selectFrom("events").select("body").where("id", "=", id).where("shop_id", "=", request.shop_id).executeTakeFirst(),
        );
        if (!row) throw new LunasError("not_found", { detail: `There is no event ${id} in this shop.` });
        return reply.type("application/json").send(row.body as never);
      },
    );
    app.post(
      "/events/:id/resend",
      {
        schema: {
          ...operation("Events", "resendEvent", "Send an event again, under the same webhook-id", { 200: z.object({ data: z.array(delivery) }) }),
          params,
          body: resend.optional(),
        },
      },
      async (request) => {
        const rows = await resendEvent(hub, request.shop_id, request.params.id, request.body?.endpoint_id);
        return { data: await hub.store.read((db) => readDeliveryViews(db, rows, hub.clocks.business.now())) };
      },
    );
  };
}
