import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { DeliveryStatus, Http, HttpRequest, HttpResult } from "@lunas/domain";
import { onTestFinished } from "vitest";
import { freshDatabase } from "../../../../../tests/harness/postgres.ts";
import { emitEvent } from "../../collect/emit.ts";
import type { Hub } from "../../hub.ts";
import { openMigratedStore, type Store } from "../../store/index.ts";
import { makeTestHub, type TestHub } from "../../testing/make-hub.ts";
import { type AttemptRow, readAttempts } from "../attempts.ts";
import type { DeliveryRow, EndpointRow } from "../claim.ts";
import { type Dispatcher, startDispatcher } from "../dispatcher.ts";
import type { StoredSecret } from "../secrets.ts";
import { deliveryStatus } from "../status.ts";
import { makeSend } from "../send.ts";

export const ENGINES = ["sqlite", "postgres"] as const;
export type Engine = (typeof ENGINES)[number];

/** Of every endpoint that a stage makes, unless the test gives others. */
export const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=";

export interface Stage extends TestHub {
  /** An endpoint of the shop. @param events the types that it wants: all of them by default. */
  endpoint(url: string, options?: { events?: string[]; secrets?: readonly StoredSecret[]; format?: string }): Promise<string>;
  /** Something happened: an event for whichever endpoint wants it. @returns its id. */
  event(type?: "payment.paid" | "order.paid"): Promise<string>;
  /** Begins to deliver; is stopped with the test. */
  start(hub?: Hub): Dispatcher;
  /** Business time passes. */
  advance(by_ms: number): void;
  /** As they are now: `delivering` what an attempt is under way for. */
  deliveries(endpoint_id?: string): Promise<(Omit<DeliveryRow, "status"> & { status: DeliveryStatus })[]>;
  attempts(delivery_id: string): Promise<AttemptRow[]>;
  endpointRow(id: string): Promise<EndpointRow>;
  /** Resolves when so many results of this outcome have been written since the stage was made. */
  written(outcome: string, count: number): Promise<void>;
}

/** A hub with a store of the given engine and a network that the test plays. */
export async function makeStage(engine: Engine, http: Http, shared?: Store): Promise<Stage> {
  const store = shared ?? (await openMigratedStore(engine === "postgres" ? await freshDatabase() : "sqlite::memory:"));
  const test = await makeTestHub({ store, http });
  const running: Dispatcher[] = [];
  const outcomes = new Map<string, number>();
  const watchers = new Set<() => void>();
  const hub: Hub = {
    ...test.hub,
    metrics: {
      observe: () => {},
      count: (_name, labels = {}, by = 1) => {
        outcomes.set(labels["outcome"]!, (outcomes.get(labels["outcome"]!) ?? 0) + by);
        for (const look of watchers) look();
      },
    },
  };
  onTestFinished(async () => {
    for (const dispatcher of running) await dispatcher.stop();
    if (!shared) await store.close();
  });
  let made = 0;
  return {
    ...test,
    hub,
    endpoint: (url, options = {}) => insertEndpoint(hub, test.shop_id, url, options),
    event: (type = "payment.paid") => {
      made += 1;
      const subject = { type: "payment" as const, id: `pay_${made}` };
      return hub.store.write((tx) => emitEvent(hub, tx, { shop_id: test.shop_id, type, subject, data: { made } }));
    },
    start: (other = hub) => {
      const dispatcher = startDispatcher(other, makeSend(other));
      running.push(dispatcher);
      return dispatcher;
    },
    advance: (by_ms) => test.clock.advance(by_ms),
    deliveries: (endpoint_id) =>
      store.read(async (db) => {
        const all = db.selectFrom("deliveries").selectAll().orderBy("id");
        const rows = await (endpoint_id === undefined ? all : all.where("endpoint_id", "=", endpoint_id)).execute();
        return rows.map((row) => ({ ...row, status: deliveryStatus(row, test.clock.now()) }));
      }),
    attempts: (delivery_id) =>
      store.read(async (db) => readAttempts(db, await db.selectFrom("deliveries").selectAll().where("id", "=", delivery_id).execute())),
    endpointRow: (id) => store.read((db) => db.selectFrom("endpoints").selectAll().where("id", "=", id).executeTakeFirstOrThrow()),
    written: (outcome, count) =>
      new Promise((resolve) => {
        const look = (): void => {
          if ((outcomes.get(outcome) ?? 0) < count) return;
          watchers.delete(look);
          resolve();
        };
        watchers.add(look);
        look();
      }),
  };
}

async function insertEndpoint(
  hub: Hub,
  shop_id: string,
  url: string,
  options: { events?: string[]; secrets?: readonly StoredSecret[]; format?: string },
): Promise<string> {
  const id = hub.newId("endpoint");
  const secrets = hub.vault.seal(`endpoint:${id}`, JSON.stringify(options.secrets ?? [{ secret: SECRET, expires_at: null }]));
  const now = hub.clocks.business.now();
  await hub.store.write((tx) =>
    tx
      .insertInto("endpoints")
      .values({
        id,
        shop_id,
        url,
        description: null,
        events: JSON.stringify(options.events ?? null),
        format: options.format ?? "standard",
        status: "active",
        paused_reason: null,
        secrets,
        failures_in_row: 0,
        first_failure_at: null,
        last_success_at: null,
        version: 1,
        created_at: now,
        updated_at: now,
      })
      .execute(),
  );
  return id;
}

/** An answer of an endpoint. */
export function answer(status: number, headers: Record<string, string> = {}, body = ""): HttpResult {
  return { ok: true, status, headers, body: new TextEncoder().encode(body), elapsed_ms: 3 };
}

/** What a call came to that got no answer. */
export function fault(kind: Extract<HttpResult, { ok: false }>["fault"], message = `${kind} failed`): HttpResult {
  return { ok: false, fault: kind, message, elapsed_ms: 3 };
}

/** A network on which the test decides about each request, and which remembers them. */
export function played(play: (request: HttpRequest, index: number) => HttpResult | Promise<HttpResult>): { http: Http; requests: HttpRequest[] } {
  const requests: HttpRequest[] = [];
  return {
    requests,
    http: async (request) => {
      requests.push(request);
      return play(request, requests.length - 1);
    },
  };
}

export function webhookId(request: Pick<HttpRequest, "headers">): string {
  return request.headers["webhook-id"]!;
}

export interface Received {
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body: Buffer;
}

/** A real receiver on this machine. @param reply resolves to the status; until then the answer is held back. */
export async function receiver(reply: (received: Received) => number | Promise<number>): Promise<{ url: string; received: Received[] }> {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    void collect(request).then(async (one) => {
      received.push(one);
      response.writeHead(await reply(one)).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => closed(server));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, received };
}

async function collect(request: IncomingMessage): Promise<Received> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return { path: request.url ?? "", headers: request.headers as Record<string, string>, body: Buffer.concat(chunks) };
}

function closed(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}
