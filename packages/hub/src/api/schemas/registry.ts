import { z } from "zod";

/** Schemas that have a name of their own in the OpenAPI document. */
export const named = z.registry<{ id: string }>();

export function name<T extends z.ZodType>(id: string, schema: T): T {
  named.add(schema, { id });
  return schema;
}
