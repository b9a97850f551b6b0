import { existsSync } from "node:fs";
import { join } from "node:path";
import fastifyStatic from "@fastify/static";
import { LunasError } from "@lunas/domain";
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import { findBundle, type OrderBundle } from "../../collect/rows.ts";
import type { Hub } from "../../hub.ts";
import { operation } from "../operation.ts";
import { state } from "../schemas/objects.ts";
import { checkoutPayment } from "../schemas/requests.ts";
import { SECURITY_HEADERS } from "../security-headers.ts";
import { LivePages } from "./live.ts";
import { MISSING_PAGE, NOT_BUILT_PAGE } from "./pages.ts";
import { readPage } from "./page-file.ts";
import { BuyerActions } from "./pay.ts";
import { QrImages } from "./qr.ts";
import { findByToken, stateOf } from "./state.ts";

/** Everything the page needs comes from this origin; it cannot be framed, and sends nothing elsewhere. */
export const PAGE_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const page = z.object({ token: z.string() });
const MINUTE_MS = 60_000;
/** One address may be that of many buyers behind one provider. */
const PAYMENTS_PER_MINUTE = 60;
const REFRESHES_PER_MINUTE = 240;

export interface CheckoutOptions {
  /** Folder of the built page. */
  readonly checkoutDist: string | undefined;
}

/** The hosted payment page. Who has its token may see and pay this one order, and nothing else. */
export function checkoutRoutes(hub: Hub, options: CheckoutOptions): FastifyPluginAsyncZod {
  const buyers = new BuyerActions(hub);
  /** As it is after whatever was done. */
  const current = async (token: string) => stateOf(hub, token, await requireOrder(hub, token));
  return async (app) => {
    await app.register(pageAndAssets(hub, options));
    await app.register(imagesAndEvents(hub));
    app.get(
      "/pay/:token/state",
      { schema: { ...operation("Checkout", "getCheckoutState", "What the hosted page shows", { 200: state }), params: page } },
      async (request, reply) => {
        void reply.header("cache-control", "no-store");
        return current(request.params.token);
      },
    );
    app.post(
      "/pay/:token/payments",
      {
        schema: {
          ...operation("Checkout", "payCheckout", "The buyer picks a method", { 200: state, 201: state }),
          params: page,
          body: checkoutPayment,
        },
        config: { rateLimit: { max: PAYMENTS_PER_MINUTE, timeWindow: MINUTE_MS } },
      },
      async (request, reply) => {
        const { token } = request.params;
        const made = await buyers.pay(await requireOrder(hub, token), request.body);
        return reply.code(made ? 201 : 200).send(await current(token));
      },
    );
    app.post(
      "/pay/:token/refresh",
      {
        schema: {
          ...operation("Checkout", "refreshCheckout", "The buyer says that it is paid: ask the gateway, at most every 10 s", { 200: state }),
          params: page,
        },
        config: { rateLimit: { max: REFRESHES_PER_MINUTE, timeWindow: MINUTE_MS } },
      },
      async (request) => {
        const { token } = request.params;
        await buyers.refresh(await requireOrder(hub, token));
        return current(token);
      },
    );
  };
}

/** @throws LunasError not_found */
async function requireOrder(hub: Hub, token: string): Promise<OrderBundle> {
  const found = await findByToken(hub, token);
  if (!found) throw new LunasError("not_found", { detail: "There is no such payment page." });
  return found;
}

/** What the page shows beside the state: its QR image, and the state again whenever it changes. */
function imagesAndEvents(hub: Hub): FastifyPluginAsyncZod {
  const images = new QrImages(hub);
  return async (app) => {
    const live = new LivePages(hub);
    app.addHook("preClose", async () => live.close());
    app.get(
      "/pay/:token/payments/:id/qr.png",
      { schema: { hide: true, params: z.object({ token: z.string(), id: z.string() }) } },
      async (request, reply) => {
        const image = await images.read(await requireOrder(hub, request.params.token), request.params.id);
        // A shop's own page shows it by the API's `image_url`. Whoever has the address has the token, so nothing is opened by it.
        void reply.headers({ "cache-control": "private, max-age=60", "cross-origin-resource-policy": "cross-origin" });
        return reply.type("image/png").send(image);
      },
    );
    app.get("/pay/:token/events", { schema: { hide: true, params: page } }, async (request, reply) => {
      const { token } = request.params;
      const { id } = (await requireOrder(hub, token)).order;
      live.refuseIfFull(id);
      reply.hijack();
      reply.raw.writeHead(200, {
        ...SECURITY_HEADERS,
        "content-type": "text/event-stream",
        "cache-control": "no-store",
        "x-accel-buffering": "no",
        "x-request-id": request.id,
      });
      live.open(id, reply.raw, async () => {
        const bundle = await hub.store.read((db) => findBundle(db, undefined, id));
        return bundle && stateOf(hub, token, bundle);
      });
    });
  };
}

/** The page itself, the same for every order, and its scripts and styles, which have their digest in their names. */
function pageAndAssets(hub: Hub, { checkoutDist }: CheckoutOptions): FastifyPluginAsyncZod {
  return async (app) => {
    app.get("/pay/:token", { schema: { hide: true, params: page } }, async (request, reply) => {
      void reply
        .headers({ "content-security-policy": PAGE_POLICY, "cache-control": "no-store", "x-robots-tag": "noindex, nofollow" })
        .type("text/html; charset=utf-8");
      if (!(await findByToken(hub, request.params.token))) return reply.code(404).send(MISSING_PAGE);
      const file = checkoutDist === undefined ? undefined : join(checkoutDist, "index.html");
      const html = file === undefined ? undefined : await readPage(file, request.headers["accept-encoding"]);
      if (html === undefined) return reply.code(503).send(NOT_BUILT_PAGE);
      if (html.encoding !== undefined) void reply.header("content-encoding", html.encoding);
      return reply.header("vary", "accept-encoding").send(html.body);
    });
    if (checkoutDist === undefined || !existsSync(checkoutDist)) return;
    await app.register(fastifyStatic, {
      root: checkoutDist,
      prefix: "/checkout-assets/",
      index: false,
      decorateReply: false,
      schemaHide: true,
      cacheControl: false,
      // The build wrote them: a payment page that is many times as large as it need be is one that is not waited for.
      preCompressed: true,
      setHeaders: (reply, path) => {
        const hashed = /-[\w-]{8,}\.\w+(\.(gz|br))?$/.test(path);
        void reply.header("cache-control", hashed ? "public, max-age=31536000, immutable" : "public, max-age=300");
      },
    });
  };
}
