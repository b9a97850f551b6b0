import { createHash } from "node:crypto";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { freshDatabase } from "./harness/postgres.ts";
import { type Stack, startStack } from "./harness/stack.ts";

const SERVER_KEY = "SB-Mid-server-lunas-sandbox";

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

/** Queries of a GET, which Midtrans never makes: none is anything to believe. */
const QUERIES = [
  "",
  "order_id=H",
  `order_id=${"x".repeat(8_000)}`,
  "%00",
  "%ff%fe",
  "order_id=%ED%A0%80",
  "__proto__[order_id]=H",
  "a=1&a=2",
  "&&&",
  "?".repeat(500),
  new URLSearchParams(Object.entries(genuine("H-GET")).map(([name, value]) => [name, String(value)])).toString(),
];
const FITTING = [200, 400, 403, 404, 405, 413, 414, 431];
const ACCOUNTS = ["its slug", "its slug and a topic", "its id"] as const;

describe.each(["sqlite", "postgres"] as const)("on %s, a callback", (engine) => {
  let stack: Stack;
  let paths: Record<(typeof ACCOUNTS)[number], string>;
  beforeAll(async () => {
    stack = await startStack(engine === "postgres" ? { databaseUrl: await freshDatabase() } : {});
    const { body } = await stack.api("GET", "/v1/accounts");
    paths = {
      "its slug": "/callbacks/midtrans",
      "its slug and a topic": "/callbacks/midtrans/some-topic",
      "its id": `/callbacks/${body.data[0].id}`,
    };
  });
  afterAll(() => stack.stop());

  /** Believed notifications, repetitions too: each acceptance adds one. */
  const stored = (): Promise<number> =>
    stack.hub.hub.store.read((db) =>
      db
        .selectFrom("notifications")
        .select((eb) => eb.fn.sum<number>("repeats").as("repeats"))
        .select((eb) => eb.fn.countAll().as("rows"))
        .where("verdict", "=", 0)
        .executeTakeFirst()
        .then((row) => Number(row?.rows ?? 0) + Number(row?.repeats ?? 0)),
    );
  const send = async (path: string, init: RequestInit): Promise<number> => {
    const answer = await fetch(`${stack.hub.url}${path}`, { ...init, redirect: "manual", signal: AbortSignal.timeout(10_000) });
    await answer.arrayBuffer();
    return answer.status;
  };
  const post = (path: string, body: Buffer, type: string): Promise<number> =>
    send(path, { method: "POST", headers: { "content-type": type }, body: new Uint8Array(body) });

  test.each(HOSTILE)(
    "with %s: never a 5xx, never a stuck request, never an acceptance that is not recorded",
    async (...[, body, type = "application/json"]: [string, Buffer, string?]) => {
      for (const name of ACCOUNTS) {
        const before = await stored();
        const status = await post(paths[name], body, type);
        expect([name, [200, 400, 403, 413].includes(status), status]).toEqual([name, true, status]);
        expect((await stored()) - before).toBe(status === 200 ? 1 : 0);
      }
    },
  );

  test("by GET, with a query of any kind and no body, is believed never", async () => {
    const before = await stored();
    for (const name of ACCOUNTS) {
      for (const query of QUERIES) {
        const status = await send(`${paths[name]}?${query}`, { method: "GET" });
        expect([query.slice(0, 40), FITTING.includes(status), status]).toEqual([query.slice(0, 40), true, status]);
      }
    }
    expect(await stored()).toBe(before);
  });

  test("without any body, not even an empty one, is told to be unreadable", async () => {
    for (const name of ACCOUNTS) {
      for (const lines of ["", "Content-Type: application/json\r\n", "Content-Length: 0\r\n"]) {
        const answer = await raw(stack.hub.url, `POST ${paths[name]} HTTP/1.1\r\nHost: hub\r\nConnection: close\r\n${lines}\r\n`);
        expect([name, lines, answer.slice(0, 12)]).toEqual([name, lines, "HTTP/1.1 400"]);
      }
    }
  });

  test("of a path or a method that is none leads nowhere", async () => {
    for (const path of [
      "/callbacks/",
      "/callbacks/nobody",
      "/callbacks/%00",
      "/callbacks/__proto__",
      "/callbacks/midtrans/a/b",
      `/callbacks/${"x".repeat(500)}`,
    ]) {
      const status = await post(path, json(genuine("H-NOWHERE")), "application/json");
      expect([path, status === 404 || status === 400, status]).toEqual([path, true, status]);
    }
    for (const method of ["PUT", "DELETE", "PATCH"]) expect(await send("/callbacks/midtrans", { method, body: "{}" })).toBe(405);
  });

  test("leaves money where it is, and a genuine notification still finds its payment", async () => {
    const { body: order } = await stack.api("POST", "/v1/orders", { reference: "AFTER", amount: 44_000 });
    const { body: payment } = await stack.api("POST", `/v1/orders/${order.id}/payments`, { method: "gopay" });
    await stack.control("POST", `/midtrans/${payment.provider_reference}/pay`);
    await stack.settle();
    const { body } = await stack.api("GET", "/v1/payments");
    expect(body.data.map((one: { status: string }) => one.status)).toEqual(["paid"]);
  });
});

/** Sends bytes as they are. @returns all that comes back. */
async function raw(url: string, text: string): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.write(text);
  return Buffer.concat((await socket.toArray()) as Buffer[]).toString();
}
