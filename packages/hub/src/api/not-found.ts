import { LunasError } from "@lunas/domain";
import type { FastifyReply, FastifyRequest } from "fastify";
import { sendProblem } from "./problem.ts";
import { SECURITY_HEADERS } from "./security-headers.ts";

export type RouteList = { readonly methods: readonly string[]; readonly url: string }[];

/** Answers 405 where the path exists with another method, otherwise 404. */
export function notFoundHandler(routes: RouteList) {
  let patterns: { readonly methods: readonly string[]; readonly pattern: RegExp }[] | undefined;
  return (request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    patterns ??= routes.map(({ methods, url }) => ({ methods, pattern: patternOf(url) }));
    const path = request.url.split("?", 1)[0]!;
    const allowed = new Set(patterns.filter(({ pattern }) => pattern.test(path)).flatMap(({ methods }) => methods));
    void reply.headers(SECURITY_HEADERS);
    if (allowed.size === 0 || allowed.has(request.method)) return sendProblem(reply, new LunasError("not_found"), request.id);
    const list = [...allowed].join(", ");
    return sendProblem(reply.header("allow", list), new LunasError("method_not_allowed", { detail: `Allowed here: ${list}.` }), request.id);
  };
}

/** `/v1/orders/:id` as an expression of paths. */
function patternOf(url: string): RegExp {
  const parts = url.split("/").map((part) => (part.startsWith(":") ? "[^/]+" : part === "*" ? ".+" : part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")));
  return new RegExp(`^${parts.join("/")}/?$`);
}
