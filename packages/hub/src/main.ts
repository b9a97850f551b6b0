// The composition root: the only file, with the CLI, that knows every room.
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { idMaker, OffsetClock, type Provider, type Random, systemClock, systemRandom } from "@lunas/domain";
import { providers } from "@lunas/providers";
import type { FastifyInstance } from "fastify";
import { pino } from "pino";
import { buildApi } from "./api/server.ts";
import { operatorRoutes } from "./cli/operator-routes.ts";
import { type Config, ConfigError, publicUrl } from "./config.ts";
import { type Dispatcher, startDispatcher } from "./deliver/dispatcher.ts";
import { makePost } from "./deliver/post.ts";
import { RushPost } from "./deliver/rush-post.ts";
import { makeSend } from "./deliver/send.ts";
import { followSandboxClock } from "./follow-clock.ts";
import { followHold } from "./follow-hold.ts";
import type { Hub, OperatedHub } from "./hub.ts";
import { Inbox } from "./ingest/receive.ts";
import { runParkedJob } from "./ingest/parked.ts";
import { type Router, startRouter } from "./ingest/router.ts";
import { masterKeyOf } from "./master-key.ts";
import { makeMetrics } from "./metrics.ts";
import { guardedHttp } from "./net/http.ts";
import { parseCidr } from "./net/ranges.ts";
import { forbiddenUrl } from "./net/url.ts";
import { DEVELOPMENT, provisionDevelopment, refuseDevelopment, warnOfUnusable } from "./provision.ts";
import { prune } from "./reconcile/prune.ts";
import { HANDLERS, startWorker, type Worker } from "./reconcile/worker.ts";
import { releaseLeases } from "./reconcile/recover.ts";
import { armHousekeeping, sweep } from "./reconcile/sweep.ts";
import { makeSignals } from "./signals.ts";
import { readHold } from "./store/hold.ts";
import { openMigratedStore, pendingMigrations, type Store } from "./store/index.ts";
import { openVault } from "./token-key.ts";
import { type Vault, VaultError } from "./vault.ts";

export type Role = "api" | "worker" | "all";

export interface HubOptions {
  readonly role?: Role;
  /** Instead of those of the registry: a gateway without latency for a bench, a scripted one for a test. */
  readonly providers?: readonly Provider[];
  readonly random?: Random;
  readonly checkoutDist?: string;
  /** Development: whether to follow the sandbox's clock. */
  readonly followClock?: boolean;
}

export interface RunningHub {
  readonly hub: OperatedHub;
  readonly url: string;
  readonly api: FastifyInstance;
  /** Moves business time, as the sandbox's clock control does in development, and wakes what fell due. */
  setBusinessOffset(offset_ms: number): void;
  /** Resolves when inbox, jobs and deliveries hold nothing that is due now. */
  idle(): Promise<void>;
  stop(): Promise<void>;
}

const IDLE_CLOSE_MS = 50;
/** Bytes. Small buffers are cut from pools, and one that lives keeps its pool: with Node's 64 KiB that is eight times as much (see `sealed-bodies.ts`). */
const BUFFER_POOL = 8 * 1024;
const LOOPBACK = ["127.0.0.0/8", "::1/128"];
const CHECKOUT_DIST = join(dirname(fileURLToPath(import.meta.url)), "../../../apps/checkout/dist");

/** Starts a hub: database, workers and HTTP. Resolves when it is ready to take money. */
export async function startHub(config: Config, options: HubOptions = {}): Promise<RunningHub> {
  Buffer.poolSize = BUFFER_POOL;
  const business = new OffsetClock();
  const hub = await makeHub(config, business, options);
  const stops: (() => Promise<void>)[] = [];
  try {
    return await run(config, options, hub, business, stops);
  } catch (error) {
    for (const stop of stops.reverse()) await stop();
    await hub.store.close();
    throw error;
  }
}

async function run(
  config: Config,
  options: HubOptions,
  hub: OperatedHub,
  business: OffsetClock,
  stops: (() => Promise<void>)[],
): Promise<RunningHub> {
  const role = options.role ?? "all";
  if (config.LUNAS_MODE === "development") {
    const sandbox_url = config.LUNAS_SANDBOX_URL ?? `http://127.0.0.1:${config.SANDBOX_PORT}`;
    await provisionDevelopment(hub, {
      api_key: config.LUNAS_DEV_API_KEY ?? DEVELOPMENT.api_key,
      sandbox_url,
      shop_webhook_url: `http://127.0.0.1:${config.SHOP_PORT}/api/payments/notification`,
    });
    if (options.followClock !== false) stops.push(followSandboxClock(sandbox_url, business, hub.signals, hub.log));
  } else {
    await refuseDevelopment(hub);
  }
  await warnOfUnusable(hub);
  const hold = followHold(hub);
  stops.push(() => hold.stop());
  await hold.look();
  if (role !== "api") {
    await releaseLeases(hub.store);
    await armHousekeeping(hub);
  }
  const workers = role === "api" ? undefined : startWorkers(config, hub, stops);
  const api = buildApi(hub, {
    checkoutDist: options.checkoutDist ?? CHECKOUT_DIST,
    trustProxyHops: config.LUNAS_TRUST_PROXY_HOPS,
    inbox: new Inbox(hub),
    ready: () => readiness(hub),
    metricsToken: config.LUNAS_METRICS_TOKEN,
    checkEndpointUrl: hub.checkEndpointUrl,
  });
  await api.register(operatorRoutes(hub));
  stops.push(() => closeApi(api));
  const url = await api.listen({ host: config.HOST, port: config.PORT });
  hub.log.info({ url, database: hub.store.engine.name, mode: hub.mode, role, hold: hub.hold.reason }, "Lunas is ready");
  let stopped: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    // Side by side: each finishes what is under way, and the slowest alone decides how long it takes. None needs another to end.
    const ended = await Promise.allSettled(stops.map((one) => one()));
    await hub.store.close();
    for (const one of ended) if (one.status === "rejected") throw one.reason;
  };
  const setBusinessOffset = (offset_ms: number): void => {
    business.setOffset(offset_ms);
    hub.signals.emit({ kind: "jobs" });
    hub.signals.emit({ kind: "deliveries" });
  };
  return { hub, url, api, setBusinessOffset, idle: async () => workers?.idle(), stop: () => (stopped ??= stop()) };
}

function startWorkers(config: Config, hub: Hub, stops: (() => Promise<void>)[]): { idle(): Promise<void> } {
  const router: Router = startRouter(hub);
  const worker: Worker = startWorker(hub, { ...HANDLERS, parked: runParkedJob, sweep, prune });
  const poster = new RushPost({
    inline: makePost(hub.http),
    allow: allowedRanges(config),
    lost: (error) => hub.log.error({ err: error }, "the thread that sends webhooks has ended; what it had under way is sent without it"),
  });
  const dispatcher: Dispatcher = startDispatcher(hub, makeSend(hub, poster.post));
  stops.push(
    () => dispatcher.stop().finally(() => poster.close()),
    () => worker.stop(),
    () => router.stop(),
  );
  return {
    idle: async () => {
      await router.idle();
      await worker.idle();
      await dispatcher.idle();
    },
  };
}

/** Ranges that the hub may call although its guard forbids them. */
function allowedRanges({ LUNAS_ALLOW_CIDRS, LUNAS_MODE }: Config): string[] {
  return [...LUNAS_ALLOW_CIDRS, ...(LUNAS_MODE === "production" ? [] : LOOPBACK)];
}

/** The parts that the rooms share. Also what the CLI works with when no hub is running. */
export async function makeHub(config: Config, business: OffsetClock = new OffsetClock(), options: HubOptions = {}): Promise<OperatedHub> {
  const random = options.random ?? systemRandom;
  const log = pino({ level: config.LUNAS_LOG_LEVEL, redact: ["req.headers.authorization", "headers.authorization"] });
  const production = config.LUNAS_MODE === "production";
  const allow = allowedRanges(config);
  const policy = { allow: allow.map(parseCidr), https_only: production };
  const store = await openMigratedStore(config.LUNAS_DATABASE_URL, (error) => log.warn({ err: error }, "an idle database connection broke"));
  try {
    return {
      store,
      log,
      random,
      signals: makeSignals(),
      metrics: makeMetrics(),
      vault: await vaultOf(store, config),
      clocks: { business, wall: systemClock },
      newId: idMaker(systemClock, random),
      providers: options.providers ? new Map(options.providers.map((provider) => [provider.name, provider])) : providers,
      http: guardedHttp({ allow }),
      checkEndpointUrl: (url) => forbiddenUrl(url, policy),
      publicUrl: publicUrl(config),
      mode: config.LUNAS_MODE,
      hold: { reason: await readHold(store) },
    };
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** A database that is sealed under another key is refused before anything is sealed beside it. */
async function vaultOf(store: Store, config: Config): Promise<Vault> {
  try {
    return await openVault(store, masterKeyOf(config));
  } catch (error) {
    if (!(error instanceof VaultError)) throw error;
    throw new ConfigError(`LUNAS_MASTER_KEY: not the key of this database: ${error.message}`, { cause: error });
  }
}

/** Answers what is under way. Its connections fall idle one by one, and a client would keep each open for a minute: they are closed as they do. */
async function closeApi(api: FastifyInstance): Promise<void> {
  const idle = setInterval(() => api.server.closeIdleConnections(), IDLE_CLOSE_MS);
  try {
    await api.close();
  } finally {
    clearInterval(idle);
  }
}

async function readiness(hub: Hub): Promise<{ ok: boolean; problems: string[] }> {
  const problems: string[] = [];
  const pending = await pendingMigrations(hub.store);
  if (pending.length > 0) problems.push(`migrations are missing or the database cannot be read: ${pending.join(", ")}`);
  if (hub.hold.reason !== undefined) problems.push(`on hold: ${hub.hold.reason}`);
  return { ok: pending.length === 0, problems };
}
