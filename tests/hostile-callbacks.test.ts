import { createHash } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Stack, startStack } from "./harness/stack.ts";

const SERVER_KEY = "SB-Mid-server-lunas-sandbox";

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack.stop());

/** A notification that is genuine but for what the case does to it. */
function genuine(order_id: string, more: Record<string, unknown> = {}): Record<string, unknown> {
  const fields = { order_id, status_code: "200", gross_amount: "44000.00" };
  const signature_key = createHash("sha512").update(`${order_id}20044000.00${SERVER_KEY}`).digest("hex");
  return {
    ...fields,
    signature_key,
    transaction_status: "settlement",
    transaction_id: `tx-${order_id}`,
    payment_type: "gopay",
    currency: "IDR",
    fraud_status: "accept",
    ...more,
  };
}

const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
const deep = (levels: number): string => "[".repeat(levels) + "]".repeat(levels);

const HOSTILE: [name: string, body: Buffer, type?: string][] = [
  ["an empty body", Buffer.alloc(0)],
  ["only white space", Buffer.from(" \r\n\t ")],
  ["JSON null", Buffer.from("null")],
  ["a number", Buffer.from("1e400")],
  ["a string", Buffer.from('"order"')],
  ["an array", Buffer.from("[{}]")],
  ["an empty object", Buffer.from("{}")],
  ["a truncated object", json(genuine("H-1")).subarray(0, 120)],
  ["two objects", Buffer.concat([json(genuine("H-2")), json(genuine("H-2"))])],
  ["a trailing comma", Buffer.from('{"order_id":"H",}')],
  ["single quotes", Buffer.from("{'order_id':'H'}")],
  ["comments", Buffer.from('{/*x*/"order_id":"H"}')],
  ["NaN", Buffer.from('{"order_id":NaN}')],
  ["a hundred thousand levels", Buffer.from(deep(100_000))],
  ["deep inside a genuine one", Buffer.from(JSON.stringify(genuine("H-3")).replace(/\}$/, `,"x":${deep(5_000)}}`))],
  ["a doubled order_id", Buffer.from(JSON.stringify(genuine("H-4")).replace("{", '{"order_id":"another",'))],
  ["a doubled key in other spelling", Buffer.from(JSON.stringify(genuine("H-5")).replace("{", '{"order\\u005fid":"another",'))],
  ["a doubled transaction_status", Buffer.from(JSON.stringify(genuine("H-6")).replace(/\}$/, ',"transaction_status":"refund"}'))],
  ["numbers where strings are signed", json(genuine("H-7", { gross_amount: 44000, status_code: 200 }))],
  ["an amount of a million digits", json(genuine("H-8", { gross_amount: "9".repeat(200_000) }))],
  ["an object as order_id", json(genuine("H-9", { order_id: { toString: "x" } }))],
  ["prototype keys", Buffer.from('{"__proto__":{"order_id":"H"},"constructor":{"prototype":{}}}')],
  ["invalid UTF-8", Buffer.concat([Buffer.from('{"order_id":"'), Buffer.from([0xff, 0xfe, 0xc0, 0xaf]), Buffer.from('"}')])],
  ["a lone surrogate", Buffer.from('{"order_id":"\\ud800"}')],
  ["NUL in an id", json(genuine("H\u0000-10"))],
  ["a byte order mark", Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), json(genuine("H-11"))])],
  ["UTF-16", Buffer.from(JSON.stringify(genuine("H-12")), "utf16le")],
  ["gzip that is none", json(genuine("H-13")), "application/gzip"],
  ["a form", Buffer.from("order_id=H&status_code=200"), "application/x-www-form-urlencoded"],
  ["an unreadable content type", json(genuine("H-14")), ";;"],
  ["a path as order_id", json(genuine("../../v1/orders"))],
  ["SQL as order_id", json(genuine("'; DROP TABLE payments; --"))],
  ["a signature in upper case", json({ ...genuine("H-15"), signature_key: String(genuine("H-15")["signature_key"]).toUpperCase() })],
  ["256 KiB and one byte", Buffer.concat([json(genuine("H-16")), Buffer.alloc(256 * 1024 + 1 - json(genuine("H-16")).length, 0x20)])],
  ["a megabyte", Buffer.alloc(1024 * 1024, 0x7b)],
];

const stored = async (): Promise<number> =>
  await stack.hub.hub.store.read((db) =>
    db
      .selectFrom("notifications")
      .select((eb) => eb.fn.sum<number>("repeats").as("repeats"))
      .select((eb) => eb.fn.countAll().as("rows"))
      .where("verdict", "=", 0)
      .executeTakeFirst()
      .then((row) => Number(row?.rows ?? 0) + Number(row?.repeats ?? 0)),
  );

test.each(HOSTILE)(
  "a callback with %s: never a 5xx, never a stuck request, never an acceptance that is not recorded",
  async (...[, body, type = "application/json"]: [string, Buffer, string?]) => {
    const before = await stored();
    const answer = await fetch(`${stack.hub.url}/callbacks/midtrans`, {
      method: "POST",
      headers: { "content-type": type },
      body: new Uint8Array(body),
      signal: AbortSignal.timeout(10_000),
    });
    await answer.arrayBuffer();
    expect([200, 400, 403, 413]).toContain(answer.status);
    expect((await stored()) - before).toBe(answer.status === 200 ? 1 : 0);
  },
);

test("after all of that no money has moved, and a genuine notification still finds its payment", async () => {
  const { body: order } = await stack.api("POST", "/v1/orders", { reference: "AFTER", amount: 44_000 });
  const { body: payment } = await stack.api("POST", `/v1/orders/${order.id}/payments`, { method: "gopay" });
  await stack.control("POST", `/midtrans/${payment.provider_reference}/pay`);
  await stack.settle();
  const { body } = await stack.api("GET", "/v1/payments");
  expect(body.data.map((one: { status: string }) => one.status)).toEqual(["paid"]);
});
