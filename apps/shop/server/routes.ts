import { randomUUID } from "node:crypto";
import type { EventEmitter } from "node:events";
import type { FastifyInstance, FastifyReply } from "fastify";
import { z } from "zod";
import { startPayment, type Shop } from "./collect.ts";
import type { Refusal } from "./lunas-problem.ts";
import { listNotifications, takeNotification } from "./notifications.ts";
import { findOrder, listOrders, orderView, placeOrder } from "./orders.ts";
import { listProducts } from "./products.ts";
import { refundOrder } from "./refund.ts";
import type { ProblemView } from "./views.ts";

const Way = z.enum(["redirect", "snap"]).default("redirect");
const line = z.object({ product_id: z.string().min(1).max(64), quantity: z.int().min(1).max(99) });

const CreateTransaction = z.object({
  /** A page that gives one makes one order of this purchase however often it asks. */
  checkout_id: z
    .string()
    .regex(/^[\w-]{8,64}$/)
    .default(() => randomUUID()),
  items: z.array(line).min(1, "The cart is empty.").max(50),
  customer: z.object({
    name: z.string().trim().min(1, "Please give your name.").max(100),
    email: z.email("Please give a valid e-mail address.").max(200),
    phone: z
      .string()
      .trim()
      .regex(/^\+?[\d\s-]{8,20}$/, "Please give a phone number, such as 0812 3456 7890."),
  }),
  way: Way,
});
const Pay = z.object({ way: Way });
const Refund = z.object({
  refund_id: z
    .string()
    .regex(/^[\w-]{8,64}$/)
    .default(() => randomUUID()),
  amount: z.int().min(1).optional(),
  reason: z.string().trim().max(200).optional(),
});

const problem = (reply: FastifyReply, refusal: Refusal): FastifyReply => {
  const { status, ...view } = refusal;
  return reply.code(status).send(view satisfies ProblemView);
};
const invalid = (reply: FastifyReply, error: z.ZodError): FastifyReply =>
  problem(reply, { status: 400, code: "invalid_request", message: error.issues.map((issue) => issue.message).join(" ") });
const noOrder = (reply: FastifyReply): FastifyReply => problem(reply, { status: 404, code: "not_found", message: "There is no such order." });

type ById = { Params: { id: string } };

/** What the shop's pages call. */
export function pageRoutes(app: FastifyInstance, shop: Shop): void {
  app.get("/healthz", () => ({ status: "ok" }));
  app.get("/api/products", () => ({ products: listProducts(shop.db) }));
  app.get("/api/orders", () => ({ orders: listOrders(shop.db) }));
  app.get("/api/notifications", () => ({ notifications: listNotifications(shop.db) }));
  app.get<ById>("/api/orders/:id", (request, reply) => {
    const order = findOrder(shop.db, request.params.id);
    return order ? reply.send({ order: orderView(shop.db, order) }) : noOrder(reply);
  });

  app.post("/api/payments/create-transaction", async (request, reply) => {
    const wanted = CreateTransaction.safeParse(request.body);
    if (!wanted.success) return invalid(reply, wanted.error);
    const placed = placeOrder(shop.db, wanted.data, shop.now());
    if (!placed.ok) return problem(reply, { status: 409, code: placed.code, message: placed.message });
    const started = await startPayment(shop, placed.order, wanted.data.way);
    return "code" in started ? problem(reply, started) : reply.code(201).send(started);
  });

  app.post<ById>("/api/orders/:id/pay", async (request, reply) => {
    const wanted = Pay.safeParse(request.body ?? {});
    if (!wanted.success) return invalid(reply, wanted.error);
    const order = findOrder(shop.db, request.params.id);
    if (!order) return noOrder(reply);
    const started = await startPayment(shop, order, wanted.data.way);
    return "code" in started ? problem(reply, started) : reply.send(started);
  });

  // The demo's shopkeeper needs no password; a real shop puts this and the two lists behind one.
  app.post<ById>("/api/orders/:id/refund", async (request, reply) => {
    const wish = Refund.safeParse(request.body ?? {});
    if (!wish.success) return invalid(reply, wish.error);
    const order = findOrder(shop.db, request.params.id);
    if (!order) return noOrder(reply);
    const refund = await refundOrder(shop, order, wish.data);
    return "code" in refund ? problem(reply, refund) : reply.code(201).send({ refund });
  });
}

/** Server-sent events: a nudge at each change of one order, after which the page reads it. The page also polls. */
export function liveRoute(app: FastifyInstance, changes: EventEmitter, closing: AbortSignal): void {
  app.get<ById>("/api/orders/:id/events", (request, reply) => {
    const { id } = request.params;
    reply.hijack();
    reply.raw.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
    reply.raw.write(": connected\n\n");
    const nudge = (changed: string): void => {
      if (changed === id) reply.raw.write("event: changed\ndata: {}\n\n");
    };
    const end = (): void => {
      reply.raw.end();
    };
    changes.on("changed", nudge);
    closing.addEventListener("abort", end);
    reply.raw.on("close", () => {
      changes.off("changed", nudge);
      closing.removeEventListener("abort", end);
    });
  });
}

/** `POST /api/payments/notification`: the hub's webhooks, as raw bytes. In a scope of its own, so that no JSON parser comes first. */
export function notificationRoute(app: FastifyInstance, shop: Shop, secrets: readonly string[]): void {
  void app.register((scope, _options, done) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser("*", { parseAs: "buffer", bodyLimit: 256 * 1024 }, (_request, body, parsed) => parsed(null, body));
    scope.post("/api/payments/notification", (request, reply) => {
      const rawBody = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
      const receipt = takeNotification(shop.db, secrets, rawBody, request.headers, shop.now());
      // The sender learns nothing of why: that is in the shop's own log.
      if (!receipt.accepted) return reply.code(401).send({ code: "unverified" });
      if (receipt.order_id !== undefined) shop.changed(receipt.order_id);
      return reply.send({ outcome: receipt.outcome });
    });
    done();
  });
}
