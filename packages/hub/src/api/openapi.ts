import fastifySwagger from "@fastify/swagger";
import type { FastifyInstance } from "fastify";
import { createJsonSchemaTransform, createJsonSchemaTransformObject } from "fastify-type-provider-zod";
import { named } from "./schemas/registry.ts";

const DESCRIPTION = `Payments for Indonesian online shops. Amounts are in major units (44000 is Rp 44.000), times RFC 3339 in UTC.
Requests that move money carry an \`Idempotency-Key\`. Errors are RFC 9457 problem details; their codes are explained at \`/docs/errors\`.`;

interface Parameter {
  readonly name: string;
  readonly in: string;
}

interface Operation {
  description?: string;
  parameters?: (Parameter & Record<string, unknown>)[];
  security?: Record<string, string[]>[];
  responses?: Record<string, { description: string }>;
}

export interface OpenApiDocument {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation & Record<string, unknown>>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, unknown>> };
}

/** Collects the document from the routes that are registered after it. */
export async function registerOpenApi(app: FastifyInstance): Promise<void> {
  await app.register(fastifySwagger, {
    openapi: {
      openapi: "3.1.0",
      info: { title: "Lunas", version: "1.0.0", description: DESCRIPTION },
      servers: [],
      components: { securitySchemes: { api_key: { type: "http", scheme: "bearer", description: "`Authorization: Bearer sk_…`" } } },
      security: [{ api_key: [] }],
    },
    transform: createJsonSchemaTransform({ schemaRegistry: named }),
    transformObject: createJsonSchemaTransformObject({ schemaRegistry: named }),
  });
}

/** The document in its final form, the same text for the same routes. */
export function openApiDocument(app: FastifyInstance): OpenApiDocument {
  const raw = structuredClone(app.swagger()) as unknown as OpenApiDocument;
  for (const [path, operations] of Object.entries(raw.paths)) {
    for (const operation of Object.values(operations)) finishOperation(path, operation);
  }
  const { schemas: all } = raw.components;
  const used = referredFrom(raw.paths, all);
  const schemas = Object.fromEntries(Object.entries(all).filter(([name]) => used.has(name)));
  for (const schema of Object.values(schemas)) openUp(schema);
  return sortKeys({ ...raw, components: { ...raw.components, schemas } }) as OpenApiDocument;
}

const STATUS_WORDS: Readonly<Record<string, string>> = { "200": "Done.", "201": "Made." };

function finishOperation(path: string, operation: Operation): void {
  // The page's token is all the authorization that a buyer needs.
  if (path.startsWith("/pay/")) operation.security = [];
  for (const [status, answer] of Object.entries(operation.responses ?? {})) {
    openUp(answer);
    answer.description = answer.description === "Default Response" ? (STATUS_WORDS[status] ?? "Done.") : answer.description;
  }
  if (!operation.description?.includes("Idempotency-Key")) return;
  const header = {
    name: "Idempotency-Key",
    in: "header",
    required: true,
    schema: { type: "string", minLength: 1, maxLength: 255, pattern: "^[!-~]+$" },
  };
  operation.parameters = [...(operation.parameters ?? []), header];
}

/** The registry gives each schema twice, as it is taken and as it is given: what no path leads to is left out. */
function referredFrom(paths: unknown, schemas: Readonly<Record<string, unknown>>): Set<string> {
  const found = new Set<string>();
  const queue: unknown[] = [paths];
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    for (const [, name] of JSON.stringify(next).matchAll(/"#\/components\/schemas\/([^"]+)"/g)) {
      if (found.has(name!)) continue;
      found.add(name!);
      queue.push(schemas[name!]);
    }
  }
  return found;
}

/** What we answer may grow: a reader that refuses an unknown field would break at the next version. */
function openUp(schema: unknown): void {
  if (typeof schema !== "object" || schema === null) return;
  const node = schema as Record<string, unknown>;
  if (node["additionalProperties"] === false) delete node["additionalProperties"];
  for (const value of Object.values(node)) openUp(value);
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, one]) => [key, sortKeys(one)]),
  );
}
