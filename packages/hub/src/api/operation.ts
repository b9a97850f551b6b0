import type { z } from "zod";
import { problem } from "./schemas/objects.ts";

/** What the OpenAPI document says of a route, and its answers. Every operation may answer a problem. */
export function operation<R extends Record<number, z.ZodType>>(tag: string, operationId: string, summary: string, answers: R) {
  return {
    tags: [tag],
    operationId,
    summary,
    response: { ...answers, default: { description: "A problem.", content: { "application/problem+json": { schema: problem } } } },
  };
}

/** A route that moves money. The header is checked by `once`, which says why it is needed. */
export const idempotent = { description: "Needs the header `Idempotency-Key`: a new one for each intent, the same one for each repetition of it." };
