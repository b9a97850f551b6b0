import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Fastify from "fastify";
import { Webhook as ReferenceWebhook } from "standardwebhooks";
import { Webhook as SvixWebhook } from "svix";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { signWebhook, verifyWebhook } from "../../packages/sdk/src/index.ts";
import { codeBlocks, readPage, ROOT } from "./pages.ts";

const SECRET = "whsec_bHVuYXMtZG9jcy1wYWdlLWVuZHBvaW50LXNlY3JldA==";

describe("the reference vector of the webhooks page", () => {
  const block = codeBlocks(readPage("docs/webhooks.md"), "").find((one) => one.startsWith("secret ")) ?? "";
  const vector = Object.fromEntries(
    block.split("\n").flatMap((line) => [/^(\S+)\s+(.*)$/.exec(line)?.slice(1) ?? []].filter((pair) => pair.length === 2)),
  );
  const { secret = "", body = "", ...headers } = vector as Record<string, string>;
  const now = Number(headers["webhook-timestamp"]) * 1000;

  test("is what the SDK makes and takes", () => {
    expect(signWebhook(body, secret, { id: headers["webhook-id"] ?? "", now })).toEqual(headers);
    expect(verifyWebhook(body, headers, secret, { now })).toEqual({ test: 2432232314 });
  });

  test.each([
    ["standardwebhooks", new ReferenceWebhook(secret)],
    ["svix", new SvixWebhook(secret)],
  ])("is what %s makes", (_name, webhook) => {
    expect(webhook.sign(headers["webhook-id"] ?? "", new Date(now), body)).toBe(headers["webhook-signature"]);
  });
});

interface Handlers {
  readonly paid: string[];
  register(app: unknown): void;
  POST(request: Request): Promise<Response>;
}

describe("the handler of the getting-started page", () => {
  let folder: string;
  let handlers: Handlers;

  beforeAll(async () => {
    process.env["LUNAS_WEBHOOK_SECRET"] = SECRET;
    const blocks = codeBlocks(readPage("docs/getting-started.md"), "ts");
    const pick = (text: string): string => blocks.find((block) => block.includes(text)) ?? "";
    // What the page leaves to its reader: a database that remembers, and what is done with a paid order.
    const own = `
      const seen = new Set();
      const db = { transaction: async (work) => work({ run: async (_sql, id) => ({ changes: seen.has(id) ? 0 : (seen.add(id), 1) }) }) };
      export const paid = [];
      const markPaid = async (_tx, order) => void paid.push(order.reference);`;
    const module = [
      own,
      pick("export async function handle("),
      `export function register(app) {\n${pick("scope.post(")}\n}`,
      pick("export async function POST("),
    ];
    mkdirSync(join(ROOT, ".tmp"), { recursive: true });
    folder = mkdtempSync(join(ROOT, ".tmp/docs-"));
    writeFileSync(join(folder, "handlers.ts"), module.join("\n"));
    handlers = (await import(join(folder, "handlers.ts"))) as Handlers;
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const bodyOf = (id: string, reference: string): string =>
    JSON.stringify({
      id,
      type: "order.paid",
      version: 1,
      sequence: 2,
      subject: { type: "order", id: "ord_1" },
      data: { order: { reference, description: "kopi ☕" } },
    });

  test("in Fastify: a signed webhook is taken once, a changed one not at all", async () => {
    const app = Fastify();
    handlers.register(app);
    app.post("/other", async (request) => request.body);
    const body = bodyOf("evt_1", "INV-1");
    const headers = { "content-type": "application/json", ...signWebhook(body, SECRET, { id: "evt_1" }) };
    const send = async (payload: string): Promise<number> =>
      (await app.inject({ method: "POST", url: "/api/payments/notification", payload, headers })).statusCode;
    expect([await send(body), await send(body), await send(body.replace("INV-1", "INV-2"))]).toEqual([204, 204, 401]);
    expect(handlers.paid).toEqual(["INV-1"]);
    // Its other routes keep their JSON.
    expect((await app.inject({ method: "POST", url: "/other", payload: { a: 1 } })).json()).toEqual({ a: 1 });
    await app.close();
  });

  test("in Next.js: the same, and a webhook without headers is refused", async () => {
    const body = bodyOf("evt_2", "INV-3");
    const send = async (headers: Record<string, string>): Promise<number> =>
      (await handlers.POST(new Request("https://toko.example/api", { method: "POST", body, headers }))).status;
    expect([await send(signWebhook(body, SECRET, { id: "evt_2" })), await send({})]).toEqual([204, 401]);
    expect(handlers.paid).toContain("INV-3");
  });
});
