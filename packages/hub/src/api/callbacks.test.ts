import { connect } from "node:net";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Store, StoreError } from "../store/index.ts";
import { buildApi } from "./server.ts";
import { makeTestApi, type TestApi } from "./testing.ts";

let api: TestApi;
beforeEach(async () => {
  api = await makeTestApi();
});
afterEach(() => api.close());

const rows = () => api.store.read((db) => db.selectFrom("notifications").selectAll().execute());
const body = (proof?: string): Buffer => Buffer.from(api.gateway.callback("REF-1", "paid", proof).body);

describe("a callback", () => {
  test.each([
    ["by slug", () => `/callbacks/${api.slug}`],
    ["by account id", () => `/callbacks/${api.account_id}`],
    ["with a topic", () => `/callbacks/${api.slug}/payments`],
    ["with a slash at the end", () => `/callbacks/${api.slug}/`],
    ["with a query", () => `/callbacks/${api.slug}?a=1`],
  ])("%s is stored and answered as its provider wants", async (_how, url) => {
    const answer = await api.api.inject({ method: "POST", url: url(), payload: body() });
    expect([answer.statusCode, answer.headers["content-type"], answer.body]).toEqual([
      200,
      expect.stringMatching(/^application\/json/),
      '{"status":"stored"}',
    ]);
    expect(await rows()).toMatchObject([{ account_id: api.account_id, reference: "REF-1", claim: "paid", verdict: 0, remote_address: "127.0.0.1" }]);
  });

  test.each([
    "application/json",
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data",
    "image/png",
    "application/json; charset=utf-16",
    ";;",
    "x",
    "",
  ])("is taken with the content type %j", async (type) => {
    const answer = await api.api.inject({ method: "POST", url: `/callbacks/${api.slug}`, payload: body(), headers: { "content-type": type } });
    expect(answer.statusCode).toBe(200);
    expect(await rows()).toHaveLength(1);
  });

  test("repeated is stored once, and answered as well", async () => {
    const send = () => api.api.inject({ method: "POST", url: `/callbacks/${api.slug}`, payload: body() });
    await send();
    expect((await send()).json()).toEqual({ status: "repeated" });
    expect(await rows()).toMatchObject([{ repeats: 1 }]);
  });

  test("forged: 403, unreadable: 400, both quarantined; of an unknown account: 404; none of them wakes the inbox", async () => {
    const woken: string[] = [];
    api.hub.signals.on("inbox", () => woken.push("inbox"));
    const send = (url: string, payload: Buffer | string) => api.api.inject({ method: "POST", url, payload });
    expect((await send(`/callbacks/${api.slug}`, body("a guess"))).statusCode).toBe(403);
    expect((await send(`/callbacks/${api.slug}`, "not JSON")).statusCode).toBe(400);
    expect((await send("/callbacks/nobody", body())).statusCode).toBe(404);
    expect(await rows()).toMatchObject([
      { verdict: 1, route: 3 },
      { verdict: 2, route: 3 },
    ]);
    expect(woken).toEqual([]);
  });

  test("by GET without a body is read, too", async () => {
    expect((await api.api.inject({ method: "GET", url: `/callbacks/${api.slug}?x=1` })).statusCode).toBe(400);
  });

  test("of 256 KiB is read, one byte more is 413 in the provider's words", async () => {
    const send = (size: number) => api.api.inject({ method: "POST", url: `/callbacks/${api.slug}`, payload: Buffer.alloc(size, 0x20) });
    expect((await send(256 * 1024)).statusCode).toBe(400);
    const over = await send(256 * 1024 + 1);
    expect([over.statusCode, over.json()]).toEqual([413, { status: "too_large" }]);
  });

  test("503 when the database takes nothing, so that the provider comes again", async () => {
    const { engine } = api.store;
    const store: Store = {
      engine,
      read: (query) => api.store.read(query),
      write: (work) => api.store.write(work),
      recordNotifications: () => Promise.reject(new StoreError("full", "the disk is full", undefined)),
      close: () => Promise.resolve(),
    };
    const down = buildApi({ ...api.hub, store }, { ready: async () => ({ ok: true, problems: [] }) });
    const answer = await down.inject({ method: "POST", url: `/callbacks/${api.slug}`, payload: body() });
    await down.close();
    expect(answer.statusCode).toBe(503);
  });

  test("has no session, no policy and no cookie of ours in its answer", async () => {
    const answer = await api.api.inject({ method: "POST", url: `/callbacks/${api.slug}`, payload: body() });
    expect(Object.keys(answer.headers).sort()).toEqual(["connection", "content-length", "content-type", "date"]);
  });
});

describe("the address it came from", () => {
  const from = async (trustProxyHops: number, forwarded: string): Promise<string> => {
    const proxied = await makeTestApi({ trustProxyHops });
    await proxied.api.inject({ method: "POST", url: `/callbacks/${proxied.slug}`, payload: body(), headers: { "x-forwarded-for": forwarded } });
    const [row] = await proxied.store.read((db) => db.selectFrom("notifications").select("remote_address").execute());
    await proxied.close();
    return row!.remote_address;
  };

  test("is the peer's, whatever a header says, unless the operator has proxies", async () => {
    expect(await from(0, "10.9.9.9")).toBe("127.0.0.1");
    expect(await from(1, "203.0.113.5, 198.51.100.7")).toBe("198.51.100.7");
    expect(await from(2, "203.0.113.5, 198.51.100.7")).toBe("203.0.113.5");
  });
});

test("a body that breaks off is not stored", async () => {
  await api.api.listen({ port: 0, host: "127.0.0.1" });
  const { port } = api.api.server.address() as AddressInfo;
  const ended = Promise.withResolvers<void>();
  const socket = connect(port, "127.0.0.1", () => {
    socket.write(`POST /callbacks/${api.slug} HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n{"reference"`);
    socket.end();
  });
  socket.on("data", () => {}).on("close", () => ended.resolve());
  await ended.promise;
  expect(await rows()).toEqual([]);
});
