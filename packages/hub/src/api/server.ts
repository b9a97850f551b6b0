import type { Server } from "node:http";
import fastifyRateLimit from "@fastify/rate-limit";
import { LunasError } from "@lunas/domain";
import fastify, { type FastifyBaseLogger, type FastifyInstance, type FastifyRequest, type FastifyHttpOptions, LogController } from "fastify";
import { serializerCompiler } from "fastify-type-provider-zod";
import type { Hub } from "../hub.ts";
import { Inbox } from "../ingest/receive.ts";
import { parseCidr } from "../net/ranges.ts";
import { forbiddenUrl } from "../net/url.ts";
import { Authenticator } from "./auth.ts";
import { callbackRoutes } from "./callbacks.ts";
import { checkoutRoutes } from "./checkout/routes.ts";
import { docsRoutes } from "./docs/routes.ts";
import { JSON_BYTES_MAX, parseJsonBody } from "./json.ts";
import { notFoundHandler, type RouteList } from "./not-found.ts";
import { registerOpenApi } from "./openapi.ts";
import { errorHandler, sendProblem, toLunasError } from "./problem.ts";
import { logRequests } from "./request-log.ts";
import { accountRoutes } from "./routes/accounts.ts";
import { deliveryRoutes } from "./routes/deliveries.ts";
import { type CheckEndpointUrl, endpointRoutes } from "./routes/endpoints.ts";
import { eventRoutes } from "./routes/events.ts";
import { methodRoutes } from "./routes/methods.ts";
import { notificationRoutes } from "./routes/notifications.ts";
import { orderRoutes } from "./routes/orders.ts";
import { paymentRoutes } from "./routes/payments.ts";
import { refundRoutes } from "./routes/refunds.ts";
import { SECURITY_HEADERS, STRICT_TRANSPORT } from "./security-headers.ts";
import { type Readiness, serviceRoutes } from "./service.ts";
import { validatorCompiler } from "./validation.ts";

export interface ApiOptions {
  /** Folder of the built payment page. */
  readonly checkoutDist?: string | undefined;
  /** Proxies in front of the hub whose `X-Forwarded-For` is believed. Default 0. */
  readonly trustProxyHops?: number;
  /** Where callbacks go; made here when the caller has none. */
  readonly inbox?: Pick<Inbox, "receive">;
  /** What is wrong with a URL that a merchant gave us to call. Default: the guard's verdict before any name is looked up, loopback allowed in development. */
  readonly checkEndpointUrl?: CheckEndpointUrl;
  readonly rateLimit?: {
    /** Requests of one API key in a minute. */
    readonly api_per_minute?: number;
    /** Wrong keys, or none, of one address in a minute. */
    readonly wrong_keys_per_minute?: number;
  };
  /** How long a client may take to send its request, milliseconds; then it is answered 408 and cut off. Default 60 s. */
  readonly requestTimeoutMs?: number;
  readonly ready: () => Promise<Readiness>;
  /** What a reader of `/metrics` shows. Without one: everybody in development, this machine in production. */
  readonly metricsToken?: string | undefined;
}

/** High enough for a sale's rush; what is stopped is a loop gone wild. */
const API_PER_MINUTE = 60_000;
/** A key has 192 random bits; nobody needs this many tries to correct a setting. */
const WRONG_KEYS_PER_MINUTE = 100;
const MINUTE_MS = 60_000;
const REQUEST_TIMEOUT_MS = 60_000;
/** How often it is looked for requests that take too long. Node's own 30 s would make a minute one and a half. */
const TIMEOUT_CHECK_MS = 5_000;
/** Development's shop runs beside the hub. */
const LOOPBACK = ["127.0.0.0/8", "::1/128"].map(parseCidr);

/** The hub's HTTP side: `/v1`, `/callbacks`, `/pay`, the reference and the probes. Not listening yet. */
export function buildApi(hub: Hub, options: ApiOptions): FastifyInstance {
  const hops = options.trustProxyHops ?? 0;
  const timeout = options.requestTimeoutMs ?? REQUEST_TIMEOUT_MS;
  const prefix = Buffer.from(hub.random.bytes(6)).toString("base64url");
  let requests = 0;
  const app: FastifyInstance = fastify({
    loggerInstance: hub.log as FastifyBaseLogger,
    // A child for each request is half the cost of a callback; what is logged names the request itself.
    childLoggerFactory: (logger) => logger,
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: () => `req_${prefix}${(requests += 1).toString(36)}`,
    trustProxy: hops === 0 ? false : (_address, hop) => hop < hops,
    bodyLimit: JSON_BYTES_MAX,
    requestTimeout: timeout,
    http: { connectionsCheckingInterval: Math.min(TIMEOUT_CHECK_MS, timeout), headersTimeout: timeout },
    exposeHeadRoutes: false,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 200 },
    frameworkErrors: (error, request, reply) => void sendProblem(reply, toLunasError(error), request.id),
  } satisfies FastifyHttpOptions<Server>);
  const routes: RouteList = [];
  app.addHook("onRoute", ({ method, url }) => void routes.push({ methods: [method].flat(), url }));
  app.decorateRequest("shop_id", "").decorateRequest("key_name", "");
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("application/json", { parseAs: "buffer" }, async (_request: FastifyRequest, body: Buffer) => parseJsonBody(body));
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.setErrorHandler(errorHandler(hub));
  app.setNotFoundHandler(notFoundHandler(routes));
  void app.register(callbackRoutes(hub, options.inbox ?? new Inbox(hub)));
  void app.register(everythingElse(hub, options));
  return app;
}

function everythingElse(hub: Hub, options: ApiOptions) {
  return async (app: FastifyInstance): Promise<void> => {
    const secure = hub.publicUrl.startsWith("https:");
    app.addHook("onRequest", (request, reply, done) => {
      void reply.headers(SECURITY_HEADERS).header("x-request-id", request.id);
      if (secure) void reply.header("strict-transport-security", STRICT_TRANSPORT);
      done();
    });
    logRequests(app, hub);
    await registerOpenApi(app);
    await app.register(fastifyRateLimit, {
      global: false,
      keyGenerator: (request) => request.ip,
      errorResponseBuilder: (_request, { ttl }) => new LunasError("rate_limited", { retry_after_s: ttl / 1000 }),
    });
    await app.register(serviceRoutes(hub, options.ready, options.metricsToken));
    await app.register(docsRoutes(app));
    await app.register(checkoutRoutes(hub, { checkoutDist: options.checkoutDist }));
    await app.register(versionOne(hub, options), { prefix: "/v1" });
  };
}

function versionOne(hub: Hub, options: ApiOptions) {
  const authenticator = new Authenticator(hub, options.rateLimit?.wrong_keys_per_minute ?? WRONG_KEYS_PER_MINUTE);
  const policy = hub.mode === "production" ? { allow: [], https_only: true } : { allow: LOOPBACK, https_only: false };
  const checkUrl = options.checkEndpointUrl ?? ((url: string) => forbiddenUrl(url, policy));
  return async (app: FastifyInstance): Promise<void> => {
    const limit = app.rateLimit({
      max: options.rateLimit?.api_per_minute ?? API_PER_MINUTE,
      timeWindow: MINUTE_MS,
      keyGenerator: (request) => request.key_name,
    });
    app.addHook("onRequest", async (request, reply) => {
      void reply.header("cache-control", "no-store");
      await authenticator.authenticate(request);
    });
    app.addHook("onRequest", limit);
    for (const plugin of [
      orderRoutes(hub),
      paymentRoutes(hub),
      refundRoutes(hub),
      endpointRoutes(hub, checkUrl),
      eventRoutes(hub),
      deliveryRoutes(hub),
    ])
      await app.register(plugin);
    for (const plugin of [accountRoutes(hub), notificationRoutes(hub), methodRoutes(hub)]) await app.register(plugin);
  };
}
