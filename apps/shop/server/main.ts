import { EventEmitter } from "node:events";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import fastifyStatic from "@fastify/static";
import { Lunas, type LunasOptions } from "@lunas/sdk";
import Fastify, { type FastifyInstance } from "fastify";
import type { Shop } from "./collect.ts";
import { openDatabase } from "./database.ts";
import { liveRoute, notificationRoute, pageRoutes } from "./routes.ts";

export interface ShopOptions {
  host?: string;
  /** 0 takes a free one. */
  port: number;
  /** A file of the shop's own, or `:memory:`. */
  databasePath: string;
  /** `webhookSecret`: the endpoint's `whsec_…`; during a rotation the new and the old one. */
  lunas: { baseUrl: string; apiKey: string; webhookSecret: string | readonly string[] } & Pick<LunasOptions, "fetch" | "maxRetries" | "runtime">;
  /** Where buyers find the shop; the default is its own address. */
  publicUrl?: string;
  /** For tests. */
  now?: () => number;
  report?: (message: string, error: unknown) => void;
}

export interface RunningShop {
  url: string;
  app: FastifyInstance;
  close(): Promise<void>;
}

const WEB = resolve(import.meta.dirname, "../dist");
const NOT_BUILT = "<!doctype html><title>Toko Lestari</title><p>The shop's pages are not built yet. Run <code>npm run build</code>, then reload.";

/** The built pages. Every address that is no file and no API is the single page; the browser's own router goes on from there. */
function servePages(app: FastifyInstance): void {
  const built = existsSync(join(WEB, "index.html"));
  if (built) void app.register(fastifyStatic, { root: WEB, wildcard: false, index: false, immutable: true, maxAge: "365d" });
  app.setNotFoundHandler((request, reply) => {
    const page = (request.method === "GET" || request.method === "HEAD") && !request.url.startsWith("/api/") && !request.url.startsWith("/assets/");
    if (!page) return reply.code(404).send({ code: "not_found", message: "There is nothing here." });
    reply.header("cache-control", "no-store").type("text/html; charset=utf-8");
    return built ? reply.sendFile("index.html", { immutable: false, maxAge: 0, cacheControl: false }) : reply.code(503).send(NOT_BUILT);
  });
}

/** Starts the demo shop: its own orders in its own SQLite file, payments through a Lunas hub by way of the SDK alone. */
export async function startShop(options: ShopOptions): Promise<RunningShop> {
  const db = openDatabase(options.databasePath);
  const changes = new EventEmitter().setMaxListeners(0);
  const closing = new AbortController();
  const { webhookSecret, ...client } = options.lunas;
  let url = "";
  const shop: Shop = {
    db,
    lunas: new Lunas({ timeoutMs: 20_000, ...client }),
    publicUrl: () => (options.publicUrl ?? url).replace(/\/+$/, ""),
    now: options.now ?? Date.now,
    report: options.report ?? ((message, error) => console.error(`shop: ${message}: ${error instanceof Error ? error.message : String(error)}`)),
    changed: (order_id) => changes.emit("changed", order_id),
  };

  const app = Fastify({ bodyLimit: 64 * 1024, forceCloseConnections: true });
  // Only JSON: a form of another site cannot send that without asking.
  app.removeContentTypeParser("text/plain");
  app.addHook("onRequest", (_request, reply, next) => {
    reply.headers({ "x-content-type-options": "nosniff", "x-frame-options": "DENY", "referrer-policy": "same-origin" });
    next();
  });
  app.setErrorHandler((error: Error & { statusCode?: number }, _request, reply) => {
    const status = error.statusCode ?? 500;
    if (status >= 500) shop.report("a request failed", error);
    const message = status >= 500 ? "Something went wrong in the shop." : error.message;
    return reply.code(status).send({ code: status >= 500 ? "internal" : "invalid_request", message });
  });
  pageRoutes(app, shop);
  liveRoute(app, changes, closing.signal);
  notificationRoute(app, shop, typeof webhookSecret === "string" ? [webhookSecret] : webhookSecret);
  servePages(app);
  app.addHook("onClose", () => void db.close());

  url = await app.listen({ host: options.host ?? "127.0.0.1", port: options.port });
  return {
    url,
    app,
    close: async () => {
      closing.abort();
      await app.close();
    },
  };
}

/** In development the hub makes the demo shop's endpoint with this secret. It protects nothing else. */
const DEVELOPMENT_SECRET = "whsec_bHVuYXMtZGVtby1zaG9wLWVuZHBvaW50LXNlY3JldA==";

/** Reads the environment. Throws where a number is none. */
export function shopOptionsFrom(env: Readonly<Record<string, string | undefined>>): ShopOptions {
  const host = env["HOST"] ?? "127.0.0.1";
  const port = Number(env["SHOP_PORT"] ?? 8070);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new Error(`SHOP_PORT is not a port: ${env["SHOP_PORT"]}`);
  return {
    host,
    port,
    databasePath: env["SHOP_DATABASE"] ?? "data/shop.db",
    publicUrl: env["SHOP_PUBLIC_URL"],
    lunas: {
      baseUrl: env["LUNAS_URL"] ?? env["LUNAS_PUBLIC_URL"] ?? `http://127.0.0.1:${env["PORT"] ?? 8080}`,
      apiKey: env["LUNAS_API_KEY"] ?? env["LUNAS_DEV_API_KEY"] ?? "sk_test_lunas_dev",
      webhookSecret: env["LUNAS_WEBHOOK_SECRET"] ?? DEVELOPMENT_SECRET,
    },
  };
}

if (import.meta.main) {
  const shop = await startShop(shopOptionsFrom(process.env));
  console.log(`shop: ${shop.url}`);
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => void shop.close());
}
