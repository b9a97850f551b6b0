import { LunasError } from "@lunas/domain";
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import type { Hub } from "../../hub.ts";
import { newestDeliveries } from "../delivery-list.ts";
import { readDeliveryViews } from "../delivery-views.ts";
import { operation } from "../operation.ts";
import { decodeCursor, pageOfViews, pageQuery } from "../paging.ts";
import { delivery, listOf } from "../schemas/objects.ts";
import { deliveryFilter } from "../schemas/requests.ts";

const params = z.object({ id: z.string() });

export function deliveryRoutes(hub: Hub): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      "/deliveries",
      {
        schema: {
          ...operation("Deliveries", "listDeliveries", "List deliveries, newest first", { 200: listOf(delivery) }),
          querystring: z.strictObject({ ...pageQuery, ...deliveryFilter }),
        },
      },
      async (request) => {
        const { limit, cursor, endpoint_id, status, event_id } = request.query;
        const wish = {
          shop_id: request.shop_id,
          rows: limit + 1,
          after: decodeCursor(cursor),
          endpoint_id,
          status,
          event_id,
          now: hub.clocks.business.now(),
        };
        return hub.store.read(async (db) => {
          const views = await readDeliveryViews(db, await newestDeliveries(db, wish), wish.now);
          return pageOfViews(views, limit);
        });
      },
    );
    app.get(
      "/deliveries/:id",
      { schema: { ...operation("Deliveries", "getDelivery", "Read a delivery with its attempts", { 200: delivery }), params } },
      async (request) => {
        const { id } = request.params;
        const [view] = await hub.store.read(async (db) =>
          readDeliveryViews(
            db,
            await db.selectFrom("deliveries").selectAll().where("id", "=", id).where("shop_id", "=", request.shop_id).execute(),
            hub.clocks.business.now(),
          ),
        );
        if (!view) throw new LunasError("not_found", { detail: `There is no delivery ${id} in this shop.` });
        return view;
      },
    );
  };
}
