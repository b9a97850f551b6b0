import type { OpenApiDocument } from "../openapi.ts";
import { escape, htmlPage, prose } from "./html.ts";

/** A JSON schema, as far as the page shows it. */
interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly description?: string;
  readonly default?: unknown;
}

interface Media {
  readonly content?: Readonly<Record<string, { readonly schema?: Schema }>>;
}

interface Operation {
  readonly operationId?: string;
  readonly tags?: readonly string[];
  readonly summary?: string;
  readonly description?: string;
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly required?: boolean;
    readonly schema?: Schema;
    readonly description?: string;
  }[];
  readonly requestBody?: Media;
  readonly responses?: Readonly<Record<string, Media>>;
}

interface Entry {
  readonly id: string;
  readonly verb: string;
  readonly path: string;
  readonly operation: Operation;
}

/** The reference page, made from the OpenAPI document: one HTML page without scripts. */
export function referencePage(document: OpenApiDocument): string {
  const entries: Entry[] = Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([verb, operation]) => {
      const one = operation as unknown as Operation;
      return { id: one.operationId ?? `${verb}-${path}`, verb: verb.toUpperCase(), path, operation: one };
    }),
  );
  const groups = Map.groupBy(entries, ({ operation }) => operation.tags?.[0] ?? "Other");
  const schemas = Object.entries(document.components.schemas) as [string, Schema][];
  const menu = [...groups].map(
    ([tag, ones]) =>
      `<h2>${escape(tag)}</h2>${ones.map(({ id, operation }) => `<a href="#${escape(id)}">${escape(operation.summary ?? id)}</a>`).join("")}`,
  );
  const objects = schemas.map(([name]) => `<a href="#${escape(name)}">${escape(name)}</a>`).join("");
  const nav = `<nav><a href="/openapi.json">OpenAPI 3.1 document</a><a href="/docs/errors">Errors</a>${menu.join("")}<h2>Objects</h2>${objects}</nav>`;
  const body = [...groups].map(([tag, ones]) => `<h2>${escape(tag)}</h2>${ones.map(operationSection).join("")}`).join("");
  const objectSections = schemas
    .map(([name, schema]) => `<section id="${escape(name)}"><h3>${escape(name)}</h3>${schemaTable(schema)}</section>`)
    .join("");
  const main = `<main><h1>Lunas API</h1><p>${prose(document.info.description)}</p>${body}<h2>Objects</h2>${objectSections}</main>`;
  return htmlPage("Lunas API", nav + main);
}

function operationSection({ id, verb, path, operation }: Entry): string {
  const parameters = (operation.parameters ?? []).map(
    (one) =>
      `<tr><td><code>${escape(one.name)}</code></td><td>${escape(one.in)}${one.required ? ", required" : ""}</td><td>${typeOf(one.schema)} ${prose(one.description ?? one.schema?.description ?? "")}</td></tr>`,
  );
  const request = schemaOf(operation.requestBody);
  const answers = Object.entries(operation.responses ?? {}).map(
    ([status, media]) => `<tr><td>${escape(status)}</td><td>${typeOf(schemaOf(media))}</td></tr>`,
  );
  return `<section id="${escape(id)}"><h3><span class="verb">${verb}</span><code>${escape(path)}</code></h3><p>${prose(operation.summary ?? "")}${operation.description ? `. ${prose(operation.description)}` : ""}</p>${
    parameters.length > 0 ? `<table><tbody>${parameters.join("")}</tbody></table>` : ""
  }${request ? `<h4>Body</h4>${schemaTable(request)}` : ""}<h4>Answers</h4><table><tbody>${answers.join("")}</tbody></table></section>`;
}

function schemaOf(media: Media | undefined): Schema | undefined {
  return Object.values(media?.content ?? {})[0]?.schema;
}

function schemaTable(schema: Schema): string {
  const variants = schema.anyOf ?? schema.oneOf;
  if (!schema.properties && variants) return variants.map(schemaTable).join("");
  if (!schema.properties) return `<p>${typeOf(schema)}</p>`;
  const rows = Object.entries(schema.properties).map(([field, one]) => {
    const required = schema.required?.includes(field) ? "" : "optional";
    const fallback = one.default === undefined ? "" : ` Default <code>${escape(JSON.stringify(one.default))}</code>.`;
    return `<tr><td><code>${escape(field)}</code></td><td>${typeOf(one)}</td><td>${required} ${prose(one.description ?? "")}${fallback}</td></tr>`;
  });
  return `<table><tbody>${rows.join("")}</tbody></table>`;
}

function typeOf(schema: Schema | undefined): string {
  if (!schema) return "";
  if (schema.$ref) {
    const name = schema.$ref.split("/").at(-1)!;
    return `<a href="#${escape(name)}">${escape(name)}</a>`;
  }
  if (schema.const !== undefined) return `<code>${escape(JSON.stringify(schema.const))}</code>`;
  if (schema.enum) return schema.enum.map((one) => `<code>${escape(String(one))}</code>`).join(" ");
  const variants = schema.anyOf ?? schema.oneOf;
  if (variants) return variants.map(typeOf).join(" or ");
  if (schema.items) return `list of ${typeOf(schema.items)}`;
  if (schema.properties && Object.hasOwn(schema.properties, "data")) return `{ data: ${typeOf(schema.properties["data"])} }`;
  return escape(typeof schema.type === "string" ? schema.type : (schema.type?.join(" or ") ?? "any"));
}
