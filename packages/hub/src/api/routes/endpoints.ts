import { type EventType, LunasError, rfc3339 } from "@lunas/domain";
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import { replayEndpoint, testEndpoint } from "../../deliver/again.ts";
import type { EndpointRow } from "../../deliver/claim.ts";
import {
  createEndpoint,
  deleteEndpoint,
  findEndpoint,
  pauseEndpoint,
  resumeEndpoint,
  rotateSecret,
  updateEndpoint,
} from "../../deliver/operations.ts";
import type { Hub } from "../../hub.ts";
import { readDeliveryViews } from "../delivery-views.ts";
import { operation } from "../operation.ts";
import { decodeCursor, pageOf, pageQuery } from "../paging.ts";
import { delivery, endpoint, endpointWithSecret, listOf } from "../schemas/objects.ts";
import { endpointCreate, endpointUpdate, replay } from "../schemas/requests.ts";

const params = z.object({ id: z.string() });

/** Says what is wrong with a URL that a merchant gave us to call, or nothing. */
export type CheckEndpointUrl = (url: string) => string | undefined;

export function endpointRoutes(hub: Hub, checkUrl: CheckEndpointUrl): FastifyPluginAsyncZod {
  const requireUrl = (url: string): void => {
    const message = checkUrl(url);
    if (message !== undefined) throw new LunasError("invalid_request", { errors: [{ field: "url", message }] });
  };
  return async (app) => {
    app.post(
      "/endpoints",
      {
        schema: {
          ...operation("Endpoints", "createEndpoint", "Add a URL that is told of events", { 201: endpointWithSecret }),
          body: endpointCreate,
        },
      },
      async (request, reply) => {
        const { url, events, description } = request.body;
        requireUrl(url);
        const made = await createEndpoint(hub, request.shop_id, {
          url,
          events: (events as EventType[] | null | undefined) ?? null,
          description: description ?? null,
        });
        return reply.code(201).send({ ...viewOf(made.endpoint), secret: made.secret });
      },
    );
    app.get(
      "/endpoints",
      { schema: { ...operation("Endpoints", "listEndpoints", "List endpoints", { 200: listOf(endpoint) }), querystring: z.strictObject(pageQuery) } },
      async (request) => {
        const after = decodeCursor(request.query.cursor);
        const rows = await hub.store.read((db) => {
          let query = db
            .selectFrom("endpoints")
            .selectAll()
            .where("shop_id", "=", request.shop_id)
            .where("status", "!=", "deleted")
            .orderBy("id", "desc")
            .limit(request.query.limit + 1);
          if (after !== undefined) query = query.where("id", "<", after);
          return query.execute();
        });
        return pageOf(rows, request.query.limit, (row) => row.id, viewOf);
      },
    );
    app.get(
      "/endpoints/:id",
      { schema: { ...operation("Endpoints", "getEndpoint", "Read an endpoint", { 200: endpoint }), params } },
      async (request) => viewOf(await hub.store.read((db) => findEndpoint(db, request.shop_id, request.params.id))),
    );
    app.patch(
      "/endpoints/:id",
      { schema: { ...operation("Endpoints", "updateEndpoint", "Change an endpoint", { 200: endpoint }), params, body: endpointUpdate } },
      async (request) => {
        const { url, events, description } = request.body;
        if (url !== undefined) requireUrl(url);
        const wish = { url, events: events as EventType[] | null | undefined, description };
        return viewOf(await updateEndpoint(hub, request.shop_id, request.params.id, wish));
      },
    );
    app.delete(
      "/endpoints/:id",
      { schema: { ...operation("Endpoints", "deleteEndpoint", "Take an endpoint away", { 204: z.undefined().describe("Gone.") }), params } },
      async (request, reply) => {
        await deleteEndpoint(hub, request.shop_id, request.params.id);
        return reply.code(204).send();
      },
    );
    await app.register(endpointActions(hub));
  };
}

function endpointActions(hub: Hub): FastifyPluginAsyncZod {
  return async (app) => {
    app.post(
      "/endpoints/:id/rotate",
      {
        schema: {
          ...operation("Endpoints", "rotateEndpointSecret", "Make a new secret; the old one signs too for 24 hours", { 200: endpointWithSecret }),
          params,
        },
      },
      async (request) => {
        const made = await rotateSecret(hub, request.shop_id, request.params.id);
        return { ...viewOf(made.endpoint), secret: made.secret };
      },
    );
    app.post(
      "/endpoints/:id/pause",
      { schema: { ...operation("Endpoints", "pauseEndpoint", "Send nothing until it is resumed; events are kept", { 200: endpoint }), params } },
      async (request) => viewOf(await pauseEndpoint(hub, request.shop_id, request.params.id, "paused by hand")),
    );
    app.post(
      "/endpoints/:id/resume",
      { schema: { ...operation("Endpoints", "resumeEndpoint", "Send again, and all that was kept", { 200: endpoint }), params } },
      async (request) => viewOf(await resumeEndpoint(hub, request.shop_id, request.params.id)),
    );
    const counts = z.object({ rearmed: z.number(), created: z.number() });
    app.post(
      "/endpoints/:id/replay",
      {
        schema: {
          ...operation("Endpoints", "replayEndpoint", "Send past events again, each under its old id", { 200: counts }),
          params,
          body: replay.optional(),
        },
      },
      (request) => {
        const { since, only = "missing" } = request.body ?? {};
        return replayEndpoint(hub, request.shop_id, request.params.id, { only, since: since === undefined ? undefined : Date.parse(since) });
      },
    );
    app.post(
      "/endpoints/:id/test",
      { schema: { ...operation("Endpoints", "testEndpoint", "Send an `endpoint.test` event", { 201: delivery }), params } },
      async (request, reply) => {
        const row = await testEndpoint(hub, request.shop_id, request.params.id);
        const [view] = await hub.store.read((db) => readDeliveryViews(db, [row], hub.clocks.business.now()));
        return reply.code(201).send(view!);
      },
    );
  };
}

function viewOf(row: EndpointRow) {
  return {
    id: row.id,
    object: "endpoint" as const,
    url: row.url,
    description: row.description,
    events: row.events,
    format: row.format,
    status: row.status as "active" | "paused" | "disabled",
    paused_reason: row.paused_reason,
    failures_in_row: row.failures_in_row,
    last_success_at: row.last_success_at === null ? null : rfc3339(row.last_success_at),
    created_at: rfc3339(row.created_at),
  };
}
