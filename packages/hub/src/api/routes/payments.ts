import { COLLECTED_STATUSES, LunasError } from "@lunas/domain";
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import { askGateway } from "../../collect/ask.ts";
import { closePayment } from "../../collect/payments.ts";
import { createRefund } from "../../collect/refunds.ts";
import { requireAmount } from "../../collect/orders.ts";
import { mayStillBePaid } from "../../collect/still-payable.ts";
import { paymentView, type PaymentView, refundView } from "../../collect/views.ts";
import type { Hub } from "../../hub.ts";
import { PRIORITY } from "../../store/jobs.ts";
import { paymentViews, readPayment } from "../bundles.ts";
import { once } from "../idempotency.ts";
import { idempotent, operation } from "../operation.ts";
import { decodeCursor, type Page, pageOfViews, pageQuery } from "../paging.ts";
import { resumeRefund } from "../resume.ts";
import { listOf, payment, refund, timelineEntry } from "../schemas/objects.ts";
import { paymentFilter, refundCreate } from "../schemas/requests.ts";
import { timelineOf } from "../timeline.ts";

const params = z.object({ id: z.string() });
const query = z.strictObject({ ...pageQuery, ...paymentFilter });

export function paymentRoutes(hub: Hub): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      "/payments",
      {
        schema: {
          ...operation("Payments", "listPayments", "List payments, newest first", { 200: listOf(payment) }),
          querystring: query,
        },
      },
      (request) => list(hub, request.shop_id, request.query),
    );
    app.get("/payments/:id", { schema: { ...operation("Payments", "getPayment", "Read a payment", { 200: payment }), params } }, (request) =>
      viewOf(hub, request.shop_id, request.params.id),
    );
    app.get(
      "/payments/:id/timeline",
      {
        schema: {
          ...operation("Payments", "getTimeline", "All that happened to a payment, in order; of each kind the newest 1,000", {
            200: z.object({ data: z.array(timelineEntry) }),
          }),
          params,
        },
      },
      async (request) => {
        const { bundle, payment: row } = await readPayment(hub, request.shop_id, request.params.id);
        return { data: await timelineOf(hub, bundle, row) };
      },
    );
    app.post(
      "/payments/:id/refresh",
      { schema: { ...operation("Payments", "refreshPayment", "Ask the gateway how it stands", { 200: payment }), params } },
      async (request) => {
        const { payment: row } = await readPayment(hub, request.shop_id, request.params.id);
        // A payment whose opening was interrupted is opened on, with the same reference; while on hold only questions are sent.
        const opening = (row.status === "created" || row.status === "submitted") && row.wanted === "open" && hub.hold.reason === undefined;
        await askGateway(hub, row.id, opening ? "continue" : "get", "api", PRIORITY.buyer);
        return viewOf(hub, request.shop_id, row.id);
      },
    );
    for (const how of ["cancel", "expire"] as const) {
      const summary = how === "cancel" ? "Cancel a payment at its gateway" : "Let a payment expire at its gateway";
      app.post(`/payments/:id/${how}`, { schema: { ...operation("Payments", `${how}Payment`, summary, { 200: payment }), params } }, (request) =>
        close(hub, request.shop_id, request.params.id, how),
      );
    }
    await app.register(refundCreation(hub));
  };
}

function refundCreation(hub: Hub): FastifyPluginAsyncZod {
  return async (app) => {
    app.post(
      "/payments/:id/refunds",
      {
        schema: {
          ...operation("Refunds", "createRefund", "Refund a payment, wholly or in part", { 201: refund }),
          ...idempotent,
          params,
          body: refundCreate,
        },
      },
      (request, reply) =>
        once(hub, request, reply, {
          run: async (begin) => {
            const { payment: row } = await readPayment(hub, request.shop_id, request.params.id);
            const amount = request.body.amount === undefined ? undefined : requireAmount(request.body.amount, row.currency, "amount").minor;
            return refundView(await createRefund(hub, request.shop_id, row.id, { amount, reason: request.body.reason }, "api", begin));
          },
          resume: (id) => resumeRefund(hub, request.shop_id, id),
        }),
    );
  };
}

async function list(hub: Hub, shop_id: string, { limit, cursor, order_id, status }: z.output<typeof query>): Promise<Page<PaymentView>> {
  const after = decodeCursor(cursor);
  return hub.store.read(async (db) => {
    let rows = db
      .selectFrom("payments")
      .selectAll()
      .where("shop_id", "=", shop_id)
      .orderBy("id", "desc")
      .limit(limit + 1);
    if (order_id !== undefined) rows = rows.where("order_id", "=", order_id);
    if (status !== undefined) rows = rows.where("status", "=", status);
    if (after !== undefined) rows = rows.where("id", "<", after);
    return pageOfViews(await paymentViews(hub, db, await rows.execute()), limit);
  });
}

async function viewOf(hub: Hub, shop_id: string, payment_id: string): Promise<PaymentView> {
  const { bundle, payment: row } = await readPayment(hub, shop_id, payment_id);
  return paymentView(hub, bundle, row);
}

/** What is closed already stays as it is; what turns out to be paid is shown as paid. */
async function close(hub: Hub, shop_id: string, payment_id: string, how: "cancel" | "expire"): Promise<PaymentView> {
  const { bundle, payment: row } = await readPayment(hub, shop_id, payment_id);
  if (COLLECTED_STATUSES.includes(row.status)) {
    throw new LunasError("wrong_state", { detail: `The payment is ${row.status}: money was collected. Refund it instead.` });
  }
  if (!mayStillBePaid(hub, row)) return paymentView(hub, bundle, row);
  const closed = await closePayment(hub, row.id, how, "api", PRIORITY.money);
  if (mayStillBePaid(hub, closed.payment)) {
    throw new LunasError("gateway_unclear", {
      detail: `The gateway has not confirmed it yet (it says ${closed.payment.status}). It is being asked; read the payment again.`,
    });
  }
  return paymentView(hub, closed.bundle, closed.payment);
}
