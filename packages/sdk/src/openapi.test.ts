import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { Lunas } from "./client.ts";
import { CALLS } from "./testing/calls.ts";
import { typeOf, type OpenApi, type Operation, type Schema } from "./testing/openapi-types.ts";
import type { FetchLike } from "./transport.ts";

// The client is written by hand. The hub's committed OpenAPI document says whether it is right.

const ROOT = resolve(import.meta.dirname, "../../..");
const document = JSON.parse(readFileSync(join(ROOT, "packages/hub/openapi.json"), "utf8")) as OpenApi;

function operation(asked: string): Operation | undefined {
  const [method, url] = asked.split(" ") as [string, string];
  const parts = url.split("?")[0]!.split("/");
  const found = Object.entries(document.paths).find(([path]) => {
    const places = path.split("/");
    return places.length === parts.length && places.every((place, i) => place === parts[i] || place.startsWith("{"));
  });
  return found?.[1][method.toLowerCase()];
}

test("the client has a method for every operation of the document's /v1", () => {
  const asked = new Set(CALLS.map(([, , call]) => operation(call)));
  const missing = Object.entries(document.paths)
    .filter(([path]) => path.startsWith("/v1/"))
    .flatMap(([path, operations]) => Object.entries(operations).flatMap(([method, one]) => (asked.has(one) ? [] : `${method} ${path}`)));
  expect(missing).toEqual([]);
});

const json = (content: Record<string, { schema?: Schema }> | undefined): Schema | undefined =>
  Object.entries(content ?? {}).find(([type]) => type.startsWith("application/json"))?.[1].schema;

test.each(CALLS.map(([name, call, asked, body]) => ({ name, call, asked, body })))(
  "$name asks what the document has",
  async ({ call, asked, body }) => {
    const found = operation(asked);
    expect(found, `${asked} is not in the document`).toBeDefined();
    const fields = json(found!.requestBody?.content)?.properties ?? {};
    expect(Object.keys(fields)).toEqual(expect.arrayContaining(Object.keys(body ?? {})));
    const named = (place: string): string[] => (found!.parameters ?? []).filter((each) => each.in === place).map((each) => each.name.toLowerCase());
    const query = [...new URL(asked.split(" ")[1]!, "http://hub.test").searchParams.keys()];
    expect(named("query")).toEqual(expect.arrayContaining(query));

    const sent: string[] = [];
    const fetch: FetchLike = (_url, { headers }) => {
      sent.push(...Object.keys(headers));
      return Promise.resolve({ status: 200, headers: new Headers(), text: () => Promise.resolve('{"data":[],"next_cursor":null}') });
    };
    await call(new Lunas({ apiKey: "sk_test_x", baseUrl: "http://hub.test", fetch }));
    expect(sent.includes("idempotency-key")).toBe(named("header").includes("idempotency-key"));
  },
);

/** What these give is taken out of the answer. */
const UNWRAPPED: Record<string, string> = {
  "orders.findByReference": "[data][number] | undefined",
  "payments.timeline": "[data]",
  "events.resend": "[data]",
  "methods.list": "[data]",
};

/** The document says of an event's data only that it is an object; the client tells the kinds of events apart. */
const FINER = ["events.get", "events.list"];

/** What the client says it may send, and where. */
const BODIES: Record<string, string> = {
  OrderCreate: "POST /v1/orders",
  PaymentCreate: "POST /v1/orders/x/payments",
  RefundCreate: "POST /v1/payments/x/refunds",
  EndpointCreate: "POST /v1/endpoints",
  EndpointUpdate: "PATCH /v1/endpoints/x",
  ReplayParams: "POST /v1/endpoints/x/replay",
  ResendParams: "POST /v1/events/x/resend",
  RefundClose: "POST /v1/refunds/x/close",
  AccountCreate: "POST /v1/accounts",
  AccountUpdate: "PATCH /v1/accounts/x",
};

/** What the client may ask lists for. */
const QUERIES: Record<string, string> = {
  OrderList: "GET /v1/orders",
  PaymentList: "GET /v1/payments",
  RefundList: "GET /v1/refunds",
  EventList: "GET /v1/events",
  DeliveryList: "GET /v1/deliveries",
  NotificationList: "GET /v1/notifications",
  PageParams: "GET /v1/accounts",
};

test("the client's types are those of the document, both of what it gets and of what it sends, with every field and no other", () => {
  const lines = [`import type * as Sdk from ${JSON.stringify(join(import.meta.dirname, "index.ts"))};`];
  for (const [name, schema] of Object.entries(document.components.schemas)) lines.push(`export type ${name} = ${typeOf(schema)};`);
  for (const [name, , asked] of CALLS) {
    const answer = Object.entries(operation(asked)?.responses ?? {}).find(([status]) => status.startsWith("2"))?.[1];
    const schema = json(answer?.content);
    if (!schema || FINER.includes(name)) continue;
    const [resource, method] = name.split(".") as [string, string];
    const theirs = `(${typeOf(schema)})${(UNWRAPPED[name] ?? "").replace("[data]", '["data"]')}`;
    const ours = `Awaited<ReturnType<Sdk.Lunas["${resource}"]["${method}"]>>`;
    lines.push(`export const ${resource}_${method}: (it: DeepReadonly<${theirs}>) => DeepReadonly<${ours}> = (it) => it;`);
    lines.push(sameFields(`${resource}_${method}`, theirs, ours));
  }
  for (const [ours, asked] of Object.entries(BODIES)) {
    const schema = json(operation(asked)?.requestBody?.content);
    expect(schema, `${asked} takes no JSON in the document`).toBeDefined();
    lines.push(`export type ${ours}Body = ${typeOf(schema!, true)};`);
    lines.push(`export const ${ours}: (it: Sdk.${ours}) => ${ours}Body = (it) => it;`);
    // Assigning allows more fields than there are, and fewer where they may be left out; the hub does not.
    lines.push(sameFields(ours, `${ours}Body`, `Sdk.${ours}`));
  }
  for (const [ours, asked] of Object.entries(QUERIES)) {
    const names = (operation(asked)?.parameters ?? []).filter((each) => each.in === "query").map((each) => `${JSON.stringify(each.name)}: unknown`);
    lines.push(sameFields(ours, `{ ${names.join("; ")} }`, `{ [K in keyof Sdk.${ours}]: unknown }`));
  }
  // The paths of all fields, however deep; what is a map of anything ends there.
  lines.push(
    "export type Fields<T> = T extends readonly (infer E)[] ? Fields<E> : T extends object ? string extends keyof T ? never : " +
      "{ [K in keyof T & string]-?: K | `${K}.${Fields<NonNullable<T[K]>>}` }[keyof T & string] : never;",
  );
  lines.push(
    "export type DeepReadonly<T> = T extends readonly (infer E)[] ? readonly DeepReadonly<E>[] : T extends object ? { readonly [K in keyof T]: DeepReadonly<T[K]> } : T;",
  );

  const folder = mkdtempSync(join(tmpdir(), "lunas-contract-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "contract.mts");
  const config = join(folder, "tsconfig.json");
  writeFileSync(file, lines.join("\n"));
  writeFileSync(
    config,
    JSON.stringify({
      extends: join(ROOT, "tsconfig.json"),
      compilerOptions: { typeRoots: [join(ROOT, "node_modules/@types")] },
      files: [file],
      include: [],
    }),
  );
  expect(typeCheck(config)).toBe("");
});

/** Lines that do not compile unless both types have the same fields: what the document says is in the client, and nothing else. */
function sameFields(name: string, theirs: string, ours: string): string {
  return [
    `export const ${name}_all: (it: Fields<${theirs}>) => Fields<${ours}> = (it) => it;`,
    `export const ${name}_only: (it: Fields<${ours}>) => Fields<${theirs}> = (it) => it;`,
  ].join("\n");
}

function typeCheck(config: string): string {
  try {
    return execFileSync(process.execPath, [join(ROOT, "node_modules/typescript/bin/tsc"), "-p", config], { encoding: "utf8" });
  } catch (error) {
    return String((error as { stdout?: unknown }).stdout);
  }
}
