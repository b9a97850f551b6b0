import { type ErrorCode, ERRORS, LunasError } from "@lunas/domain";
import type { FastifyError, FastifyReply, FastifyRequest } from "fastify";
import type { Hub } from "../hub.ts";
import { StoreError } from "../store/index.ts";

export const PROBLEM_TYPE = "application/problem+json";

/** RFC 9457 problem details, as every error of the API is answered. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: ErrorCode;
  readonly detail?: string;
  readonly errors?: readonly { readonly field: string; readonly message: string }[];
  readonly request_id: string;
  readonly [extra: string]: unknown;
}

export function problemOf(error: LunasError, request_id: string): Problem {
  const { status, title } = ERRORS[error.code];
  return {
    ...error.extra,
    type: `/docs/errors#${error.code}`,
    title,
    status,
    code: error.code,
    ...(error.detail === undefined ? {} : { detail: error.detail }),
    ...(error.errors === undefined ? {} : { errors: error.errors }),
    request_id,
  };
}

/** Codes of the framework's own refusals, in our words. */
const FRAMEWORK: Readonly<Record<string, (error: FastifyError) => LunasError>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: () => new LunasError("payload_too_large"),
  FST_ERR_CTP_INVALID_MEDIA_TYPE: () => new LunasError("unsupported_media_type"),
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: () => new LunasError("malformed_json", { detail: "The body has another length than Content-Length says." }),
  FST_ERR_BAD_URL: () => new LunasError("invalid_request", { detail: "The path is not a valid URL path." }),
  FST_ERR_MAX_PARAM_LENGTH: () => new LunasError("not_found"),
};

/** Translates whatever was thrown, once, at the edge. What is not known is a mistake of ours, told without its details. */
export function toLunasError(error: unknown): LunasError {
  if (error instanceof LunasError) return error;
  if (error instanceof StoreError && (error.fault === "unavailable" || error.fault === "full" || error.fault === "read_only")) {
    return new LunasError("unavailable", {
      detail: "The database does not take this just now.",
      operator: error.message,
      cause: error,
      retry_after_s: 1,
    });
  }
  const { code, statusCode } = (error ?? {}) as { code?: unknown; statusCode?: unknown };
  const known = typeof code === "string" ? FRAMEWORK[code] : undefined;
  if (known) return known(error as FastifyError);
  // A refusal of the framework that has no line above, such as a broken header.
  if (typeof statusCode === "number" && statusCode >= 400 && statusCode < 500) return new LunasError("invalid_request", { cause: error });
  return new LunasError("internal", { operator: error instanceof Error ? error.message : String(error), cause: error });
}

export function sendProblem(reply: FastifyReply, error: LunasError, request_id: string): FastifyReply {
  if (error.retry_after_s !== undefined) void reply.header("retry-after", Math.max(1, Math.ceil(error.retry_after_s)));
  if (error.code === "unauthorized") void reply.header("www-authenticate", 'Bearer realm="lunas"');
  return reply
    .code(ERRORS[error.code].status)
    .type(PROBLEM_TYPE)
    .send(JSON.stringify(problemOf(error, request_id)));
}

/** The error handler of every route but the callbacks. */
export function errorHandler(hub: Pick<Hub, "log">) {
  return (error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const known = toLunasError(error);
    const { status } = ERRORS[known.code];
    if (status === 500)
      hub.log.error({ err: error, request_id: request.id, route: request.routeOptions.url, method: request.method }, "a request failed");
    else if (status > 500)
      hub.log.warn(
        { reason: known.message, code: known.code, request_id: request.id, route: request.routeOptions.url },
        "a request could not be served",
      );
    return sendProblem(reply, known, request.id);
  };
}
