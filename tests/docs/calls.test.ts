import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Stack, startStack } from "../harness/stack.ts";
import { allPages, readCurl, readPage, shellCommands, words } from "./pages.ts";

/** The calls of each page are made in the page's order, on a hub of its own. What a page takes for granted is done before. */
const PAGES: Readonly<Record<string, readonly string[]>> = {
  "docs/getting-started.md": [],
  "docs/mobile-apps.md": [],
  "docs/webhooks.md": [],
  "docs/payments.md": ["gopay", "pay"],
  "docs/operations.md": [],
  "README.md": ["gopay"],
  "README.id.md": ["gopay"],
  "examples/midtrans-only/README.md": [],
};

/** Ids of the last answers, under the names that the pages give them. */
class Placeholders {
  readonly #values = new Map<string, string>();

  remember(body: unknown): void {
    const { object, id, provider_reference, data } = (body ?? {}) as { object?: string; id?: string; provider_reference?: string; data?: unknown[] };
    if (Array.isArray(data)) return this.remember(data[0]);
    if (typeof id !== "string") return;
    // An event has no `object`: its id says what it is.
    const name = object ?? (id.startsWith("evt_") ? "event" : undefined);
    if (name) this.#values.set(`${name.toUpperCase()}_ID`, id);
    if (object === "payment" && provider_reference) this.#values.set("PROVIDER_REFERENCE", provider_reference);
  }

  /** @param sandbox there, ORDER_ID is the gateway's. */
  fill(text: string, sandbox: boolean): string {
    return text.replaceAll(/\b[A-Z]+_(?:ID|REFERENCE)\b/g, (name) => {
      const value = this.#values.get(sandbox && name === "ORDER_ID" ? "PROVIDER_REFERENCE" : name);
      if (value === undefined) throw new Error(`nothing has answered with a ${name} yet`);
      return value;
    });
  }
}

test("every page that shows a call is called", () => {
  // The sandbox's own page is held by the tests of its room.
  const calling = allPages().filter(({ text }) => shellCommands(text).some((command) => words(command)[0] === "curl"));
  expect(calling.map(({ path }) => path).filter((path) => !(path in PAGES))).toEqual([]);
});

describe.each(Object.entries(PAGES))("the calls of %s", (path, before) => {
  const calls = shellCommands(readPage(path)).filter((command) => words(command)[0] === "curl" && command.includes("http"));
  const known = new Placeholders();
  let stack: Stack;
  let last: unknown;

  beforeAll(async () => {
    stack = await startStack();
    if (!before.includes("gopay")) return;
    const order = await stack.api("POST", "/v1/orders", { reference: "INV-1", amount: 44_000 });
    const payment = await stack.api("POST", `/v1/orders/${order.body.id}/payments`, { method: before[0] });
    known.remember(order.body);
    known.remember(payment.body);
    if (before.includes("pay")) await stack.control("POST", `/midtrans/${payment.body.provider_reference}/pay`);
    await stack.settle();
  });
  afterAll(() => stack.stop());

  test("are there", () => expect(calls.length).toBeGreaterThan(0));

  test.each(calls)("%s", async (command) => {
    const call = readCurl(command);
    const sandbox = call.url.startsWith("http://127.0.0.1:8090");
    if (call.url.endsWith("/close")) await makeManual(stack, known);
    const url = known.fill(call.url.replace("http://127.0.0.1:8090", stack.sandbox.url).replace("http://127.0.0.1:8080", stack.hub.url), sandbox);
    const answer = await fetch(url, { method: call.method, headers: call.headers, ...(call.body === undefined ? {} : { body: call.body }) });
    const text = await answer.text();
    if (call.answers === undefined) expect(answer.status, text).toBeLessThan(300);
    else expect(answer.status, text).toBe(call.answers);
    last = text === "" ? undefined : JSON.parse(text);
    known.remember(last);
    if (url.endsWith("/clock")) stack.hub.setBusinessOffset(stack.sandbox.clock.read().offset_ms);
    await stack.settle();
  });

  if (path !== "docs/getting-started.md") return;
  test("end as the page says: paid, and late", () => {
    expect(last).toMatchObject({ status: "paid", flags: ["late"] });
  });
});

/** A refund that only a person can close: of a virtual account. */
async function makeManual(stack: Stack, known: Placeholders): Promise<void> {
  const order = await stack.api("POST", "/v1/orders", { reference: "INV-VA", amount: 44_000 });
  const payment = await stack.api("POST", `/v1/orders/${order.body.id}/payments`, { method: "bca_va" });
  await stack.control("POST", `/midtrans/${payment.body.provider_reference}/pay`);
  await stack.settle();
  const refund = await stack.api("POST", `/v1/payments/${payment.body.id}/refunds`, {});
  expect(refund.body.status).toBe("manual");
  known.remember(refund.body);
}
