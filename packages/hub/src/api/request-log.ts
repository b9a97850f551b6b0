import type { FastifyInstance } from "fastify";
import type { Hub } from "../hub.ts";

/**
 * One line for each request, by its route and never by its address: bodies, headers, query values and the tokens of payment pages are
 * nobody's business. And how long it took, for `/metrics`.
 */
export function logRequests(app: FastifyInstance, hub: Pick<Hub, "log" | "metrics">): void {
  app.addHook("onResponse", (request, reply, done) => {
    const route = request.routeOptions.url ?? "(none)";
    const { statusCode } = reply;
    hub.metrics.observe("lunas_http_request_seconds", reply.elapsedTime / 1000, {
      method: request.method,
      route,
      status: `${Math.floor(statusCode / 100)}xx`,
    });
    const shop = request.shop_id === "" ? {} : { shop_id: request.shop_id };
    hub.log.info(
      { request_id: request.id, method: request.method, route, status: statusCode, ms: Math.round(reply.elapsedTime), ...shop },
      "request",
    );
    done();
  });
}
