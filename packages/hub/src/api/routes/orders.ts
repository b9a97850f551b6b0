import { LunasError, parseAmount } from "@lunas/domain";
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import { cancelOrder } from "../../collect/close-order.ts";
import { createOrder, getOrder, type NewOrder, requireAmount } from "../../collect/orders.ts";
import { createPayment } from "../../collect/payments.ts";
import { orderView, type OrderView, paymentView } from "../../collect/views.ts";
import type { Hub } from "../../hub.ts";
import { orderViews } from "../bundles.ts";
import { once } from "../idempotency.ts";
import { idempotent, operation } from "../operation.ts";
import { decodeCursor, type Page, pageOfViews, pageQuery } from "../paging.ts";
import { resumePayment } from "../resume.ts";
import { listOf, order, payment } from "../schemas/objects.ts";
import { orderCreate, orderFilter, paymentCreate } from "../schemas/requests.ts";

const params = z.object({ id: z.string() });
const query = z.strictObject({ ...pageQuery, ...orderFilter });

export function orderRoutes(hub: Hub): FastifyPluginAsyncZod {
  return async (app) => {
    app.post(
      "/orders",
      { schema: { ...operation("Orders", "createOrder", "Create an order", { 201: order }), ...idempotent, body: orderCreate } },
      (request, reply) =>
        once(hub, request, reply, {
          run: async (begin) => orderView(hub, await createOrder(hub, request.shop_id, newOrder(request.body), begin)),
          resume: async (id) => orderView(hub, await getOrder(hub, request.shop_id, id)),
        }),
    );
    app.get(
      "/orders",
      {
        schema: {
          ...operation("Orders", "listOrders", "List orders, newest first", { 200: listOf(order) }),
          querystring: query,
        },
      },
      (request) => list(hub, request.shop_id, request.query),
    );
    app.get("/orders/:id", { schema: { ...operation("Orders", "getOrder", "Read an order", { 200: order }), params } }, async (request) =>
      orderView(hub, await getOrder(hub, request.shop_id, request.params.id)),
    );
    app.post(
      "/orders/:id/cancel",
      { schema: { ...operation("Orders", "cancelOrder", "Cancel an order and its open payments", { 200: order }), params } },
      async (request) => orderView(hub, await cancelOrder(hub, request.shop_id, request.params.id, "api")),
    );
    app.post(
      "/orders/:id/payments",
      {
        schema: {
          ...operation("Payments", "createPayment", "Open a payment of an order", { 201: payment }),
          ...idempotent,
          params,
          body: paymentCreate,
        },
      },
      (request, reply) =>
        once(hub, request, reply, {
          run: async (begin) => {
            const { bundle, payment: opened } = await createPayment(hub, request.shop_id, request.params.id, request.body, "api", begin);
            return paymentView(hub, bundle, opened);
          },
          resume: (id) => resumePayment(hub, request.shop_id, id),
        }),
    );
  };
}

async function list(hub: Hub, shop_id: string, { limit, cursor, reference, payment_status }: z.output<typeof query>): Promise<Page<OrderView>> {
  const after = decodeCursor(cursor);
  return hub.store.read(async (db) => {
    let rows = db
      .selectFrom("orders")
      .selectAll()
      .where("shop_id", "=", shop_id)
      .orderBy("id", "desc")
      .limit(limit + 1);
    if (reference !== undefined) rows = rows.where("reference", "=", reference);
    if (payment_status !== undefined) rows = rows.where("payment_status", "=", payment_status);
    if (after !== undefined) rows = rows.where("id", "<", after);
    return pageOfViews(await orderViews(hub, db, await rows.execute()), limit);
  });
}

/** Checks what a schema cannot: amounts depend on the currency. @throws LunasError invalid_request */
function newOrder(body: z.output<typeof orderCreate>): NewOrder {
  const amount = requireAmount(body.amount, body.currency, "amount");
  const errors = body.items.flatMap((item, index) => {
    const price = parseAmount(item.price, body.currency);
    return price.ok ? [] : [{ field: `items[${index}].price`, message: price.message }];
  });
  if (errors.length > 0) throw new LunasError("invalid_request", { errors });
  const { name, email, phone } = body.customer ?? {};
  return {
    reference: body.reference,
    amount,
    items: body.items.map((item) => ({ ...item, sku: item.sku ?? undefined })),
    customer: { ...(name ? { name } : {}), ...(email ? { email } : {}), ...(phone ? { phone } : {}) },
    description: body.description ?? undefined,
    return_url: body.return_url ?? undefined,
    expires_in_s: body.expires_in_s,
    metadata: body.metadata ?? {},
  };
}
