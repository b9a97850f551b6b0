/** The part of an OpenAPI 3.1 document that says what shapes there are. */
export interface Schema {
  $ref?: string;
  type?: string | string[];
  const?: unknown;
  enum?: unknown[];
  anyOf?: Schema[];
  oneOf?: Schema[];
  allOf?: Schema[];
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: Schema | boolean;
}

export interface Operation {
  parameters?: { name: string; in: "query" | "header" | "path" | "cookie"; required?: boolean }[];
  requestBody?: { content?: Record<string, { schema?: Schema }> };
  responses?: Record<string, { content?: Record<string, { schema?: Schema }> }>;
}

export interface OpenApi {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema> };
}

function objectType(schema: Schema, openWords: boolean): string {
  const required = new Set(schema.required);
  const fields = Object.entries(schema.properties ?? {}).map(
    ([name, field]) => `${JSON.stringify(name)}${required.has(name) ? "" : "?"}: ${typeOf(field, openWords)}`,
  );
  const rest = schema.additionalProperties;
  if (fields.length === 0 && rest) return `Readonly<Record<string, ${rest === true ? "unknown" : typeOf(rest, openWords)}>>`;
  return `{ ${fields.join("; ")} }`;
}

function plainType(type: string | undefined, schema: Schema, openWords: boolean): string {
  switch (type) {
    case "object":
      return objectType(schema, openWords);
    case "array":
      return `readonly (${schema.items ? typeOf(schema.items, openWords) : "unknown"})[]`;
    case "integer":
      return "number";
    case undefined:
      return schema.properties ? objectType(schema, openWords) : "unknown";
    default:
      return type;
  }
}

/**
 * A schema as a TypeScript type; references become the names of other types.
 * @param openWords enumerated words stand for any string: for what the hub takes, where the client may allow words of a newer hub.
 */
export function typeOf(schema: Schema, openWords = false): string {
  if (schema.$ref) return schema.$ref.slice(schema.$ref.lastIndexOf("/") + 1);
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return openWords ? "string" : schema.enum.map((word) => JSON.stringify(word)).join(" | ");
  const any = schema.anyOf ?? schema.oneOf;
  if (any) return any.map((each) => `(${typeOf(each, openWords)})`).join(" | ");
  if (schema.allOf) return schema.allOf.map((each) => `(${typeOf(each, openWords)})`).join(" & ");
  const types = Array.isArray(schema.type) ? schema.type : [schema.type];
  return types.map((type) => plainType(type, schema, openWords)).join(" | ");
}
