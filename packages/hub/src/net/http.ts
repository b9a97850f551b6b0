import { type Http, type HttpRequest, type HttpResult, invariant } from "@lunas/domain";
import { Agent, type Dispatcher } from "undici";
import { inTransactionScope } from "../store/transaction-scope.ts";
import { faultOf, messageOf, TotalTimeoutError } from "./faults.ts";
import { guardedConnector } from "./guard.ts";
import { parseCidr } from "./ranges.ts";
import { type Resolver, systemResolver } from "./resolver.ts";

const BYTES_MAX = 1024 * 1024;
/** Connections to one origin at most. */
const CONNECTIONS_MAX = 64;
const KEEP_ALIVE_MS = 4_000;
const KEEP_ALIVE_MAX_MS = 30_000;
/** All connections are made anew after this time, also those that are never idle, so that a name which has moved is followed and judged again. */
const CONNECTION_AGE_MAX_MS = 5 * 60_000;

/** Answer headers that are passed on; nobody reads others, and what a stranger sends is not kept without a reason. */
const KEPT_HEADERS = ["content-type", "content-length", "date", "retry-after", "location", "x-request-id", "idempotency-replayed"] as const;

export interface GuardedHttpOptions {
  /** CIDR ranges that are open although the guard forbids them. */
  readonly allow: readonly string[];
  readonly resolver?: Resolver;
  /** Connections are made anew after this time. */
  readonly connection_age_max_ms?: number;
}

export type GuardedHttp = Http & {
  /** Waits for what is under way and closes all connections. */
  close(): Promise<void>;
};

/**
 * The hub's way out: every address is checked where the connection is made, redirects are not followed, proxies of the environment
 * are not used, and nothing is thrown: what went wrong is a value. No database transaction may be open while it calls.
 *
 * @example
 * const http = guardedHttp({ allow: [] });
 * const result = await http({ method: "GET", url: "https://api.midtrans.com/v2/ORDER-1/status", headers: {}, timeout_ms: 10_000 });
 */
export function guardedHttp(options: GuardedHttpOptions): GuardedHttp {
  const connect = guardedConnector(options.allow.map(parseCidr), options.resolver ?? systemResolver());
  const agents = new Agents(() => makeAgent(connect), options.connection_age_max_ms ?? CONNECTION_AGE_MAX_MS);
  const http = async (request: HttpRequest): Promise<HttpResult> => {
    invariant(!inTransactionScope(), "the network was used while a database transaction was open");
    return new Promise((resolve) => new Call(request, resolve).start(agents.current()));
  };
  return Object.assign(http, { close: () => agents.close() });
}

function makeAgent(connect: ReturnType<typeof guardedConnector>): Agent {
  return new Agent({
    connect,
    connections: CONNECTIONS_MAX,
    pipelining: 1,
    allowH2: false,
    keepAliveTimeout: KEEP_ALIVE_MS,
    keepAliveMaxTimeout: KEEP_ALIVE_MAX_MS,
    // One timer of ours covers the whole call.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
}

/** One agent after another. undici's own limit of a connection's age (`clientTtl`) looks at all of them for each request. */
class Agents {
  readonly #make: () => Agent;
  readonly #age_max_ms: number;
  #agent: Agent;
  #since = performance.now();
  #closed = false;
  /** Agents of before, while their last requests are under way. */
  readonly #leaving = new Set<Promise<void>>();

  constructor(make: () => Agent, age_max_ms: number) {
    this.#make = make;
    this.#age_max_ms = age_max_ms;
    this.#agent = make();
  }

  current(): Agent {
    if (this.#closed || performance.now() - this.#since < this.#age_max_ms) return this.#agent;
    // That one of its connections broke meanwhile is nobody's concern any more, and must not end the process as a rejection that nobody hears.
    const leaving = this.#agent
      .close()
      .catch(() => {})
      .finally(() => this.#leaving.delete(leaving));
    this.#leaving.add(leaving);
    this.#agent = this.#make();
    this.#since = performance.now();
    return this.#agent;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([this.#agent.close(), ...this.#leaving]);
  }
}

interface Place {
  readonly origin: string;
  readonly path: string;
}

const NOTHING = Buffer.alloc(0);
const PLACES_KEPT = 1_000;
const places = new Map<string, Place>();

/** The same few URLs are called again and again, thousands of times a second. @throws TypeError when it is no URL. */
function placeOf(text: string): Place {
  let place = places.get(text);
  if (!place) {
    const url = new URL(text);
    place = { origin: url.origin, path: url.pathname + url.search };
    if (places.size >= PLACES_KEPT) places.clear();
    places.set(text, place);
  }
  return place;
}

/** One request and its answer. A handler of undici's own kind, because a stream and an abort signal per call cost as much as the call. */
class Call implements Dispatcher.DispatchHandler {
  readonly #request: HttpRequest;
  readonly #began = performance.now();
  readonly #chunks: Buffer[] = [];
  readonly #timer: NodeJS.Timeout;
  #resolve: ((result: HttpResult) => void) | undefined;
  #controller: Dispatcher.DispatchController | undefined;
  #size = 0;
  #status = 0;
  #headers: Record<string, string> = {};

  constructor(request: HttpRequest, resolve: (result: HttpResult) => void) {
    this.#request = request;
    this.#resolve = resolve;
    this.#timer = setTimeout(() => this.#fail(new TotalTimeoutError(request.timeout_ms)), request.timeout_ms);
  }

  start(agent: Agent): void {
    const { method, headers, body } = this.#request;
    try {
      const { origin, path } = placeOf(this.#request.url);
      agent.dispatch({ origin, path, method, headers, body: body ?? null }, this);
    } catch (error) {
      this.#fail(error);
    }
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    // It waited for a connection until its time was over: nothing is sent any more.
    if (!this.#resolve) controller.abort(new TotalTimeoutError(this.#request.timeout_ms));
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: Record<string, string | string[] | undefined>): void {
    if (status < 200) return;
    this.#status = status;
    for (const name of KEPT_HEADERS) {
      const value = headers[name];
      if (value !== undefined) this.#headers[name] = Array.isArray(value) ? value.join(", ") : value;
    }
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    const limit = this.#request.max_bytes ?? BYTES_MAX;
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    if (this.#size <= limit) return;
    if (this.#request.truncate) this.#succeed(limit);
    else this.#settle({ ok: false, fault: "too_large", message: `the answer is larger than ${limit} bytes`, elapsed_ms: this.#elapsed() });
    // The rest is never read.
    this.#controller?.abort(new Error("enough was read"));
  }

  onResponseEnd(): void {
    this.#succeed(this.#size);
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#fail(error);
  }

  #succeed(size: number): void {
    const body = this.#chunks.length > 1 ? Buffer.concat(this.#chunks) : (this.#chunks[0] ?? NOTHING);
    this.#settle({ ok: true, status: this.#status, headers: this.#headers, body: body.subarray(0, size), elapsed_ms: this.#elapsed() });
  }

  #fail(error: unknown): void {
    if (!this.#resolve) return;
    this.#settle({ ok: false, fault: faultOf(error), message: messageOf(error), elapsed_ms: this.#elapsed() });
    this.#controller?.abort(error instanceof Error ? error : new Error("failed"));
  }

  #settle(result: HttpResult): void {
    clearTimeout(this.#timer);
    this.#resolve?.(result);
    this.#resolve = undefined;
  }

  #elapsed(): number {
    return performance.now() - this.#began;
  }
}
