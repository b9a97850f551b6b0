import { InvariantError } from "@lunas/domain";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { runInTransactionScope } from "../store/transaction-scope.ts";
import { guardedHttp } from "./http.ts";
import { UNTRUSTED_CERTIFICATE, UNTRUSTED_KEY } from "./testing/certificate.ts";
import { readText, resolverOf, serve, serveBytes } from "./testing/servers.ts";

const LOOPBACK = ["127.0.0.0/8", "::1/128"];
const http = guardedHttp({ allow: LOOPBACK });
const get = { method: "GET", headers: {}, timeout_ms: 10_000 } as const;

/** A promise and the function that fulfils it. */
const signal = (): { happened: Promise<void>; happen: () => void } => {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { happened: promise, happen: resolve };
};

describe("an exchange", () => {
  test("carries method, path, headers and body there, and status, kept headers and body back", async () => {
    let seen: unknown;
    const server = await serve(async (request, response) => {
      seen = {
        method: request.method,
        url: request.url,
        type: request.headers["content-type"],
        id: request.headers["webhook-id"],
        text: await readText(request),
      };
      response
        .writeHead(201, { "Content-Type": "application/json", "Retry-After": "7", "Set-Cookie": ["a=1", "b=2"], "X-Other": "y" })
        .end('{"sah":"é"}');
    });
    const result = await http({
      ...get,
      method: "POST",
      url: `${server.url}/hook/a%20b?x=1&y=%26#part`,
      headers: { "content-type": "application/json", "webhook-id": "evt_1" },
      body: Buffer.from("{}é"),
    });
    expect(seen).toEqual({ method: "POST", url: "/hook/a%20b?x=1&y=%26", type: "application/json", id: "evt_1", text: "{}é" });
    expect(result).toMatchObject({ ok: true, status: 201 });
    if (!result.ok) return;
    expect(Buffer.from(result.body).toString()).toBe('{"sah":"é"}');
    expect(result.headers).toMatchObject({ "content-type": "application/json", "retry-after": "7" });
    expect(Object.keys(result.headers)).not.toContain("set-cookie");
    expect(Object.keys(result.headers)).not.toContain("x-other");
    expect(result.elapsed_ms).toBeGreaterThan(0);
  });

  test("ends with an empty body where there is none", async () => {
    const server = await serve((_request, response) => response.writeHead(204).end());
    const result = await http({ ...get, method: "DELETE", url: server.url });
    expect(result.ok && [result.status, result.body.length]).toEqual([204, 0]);
  });

  test("is not confused by an interim answer", async () => {
    const server = await serve((_request, response) => {
      response.writeEarlyHints({ link: "</a.css>; rel=preload", "retry-after": "99" });
      response.writeHead(200, { "content-type": "text/plain" }).end("final");
    });
    const result = await http({ ...get, url: server.url });
    expect(result).toMatchObject({ ok: true, status: 200, headers: { "content-type": "text/plain" } });
    expect(result.ok && result.headers["retry-after"]).toBeUndefined();
  });

  test("shares its connection with those that follow it", async () => {
    const server = await serve((_request, response) => response.end("ok"));
    for (let call = 0; call < 20; call += 1) await http({ ...get, url: server.url });
    // Two take turns: undici leaves a connection alone for one turn of the event loop before it uses it again.
    expect(server.connections.length).toBeLessThanOrEqual(2);
  });

  test("opens at most 64 connections to one origin, and the rest wait for their turn", async () => {
    const gate = signal();
    const slow = await serve((_request, response) => void gate.happened.then(() => response.end("ok")));
    const calls = Array.from({ length: 200 }, () => http({ ...get, url: slow.url }));
    await expect.poll(() => slow.requests.length).toBe(64);
    gate.happen();
    const results = await Promise.all(calls);
    expect(results.every((result) => result.ok && result.status === 200)).toBe(true);
    expect(slow.requests).toHaveLength(200);
    expect(slow.peak()).toBe(64);
  });
});

describe("the size of an answer", () => {
  const bytes = Buffer.alloc(300_000, "x");

  test("is read whole up to the limit", async () => {
    const server = await serve((_request, response) => response.end(bytes));
    const result = await http({ ...get, url: server.url, max_bytes: bytes.length });
    expect(result.ok && result.body.length).toBe(bytes.length);
  });

  test("is a fault beyond it, and the rest is not read", async () => {
    const closed = signal();
    const server = await serve((_request, response) => {
      response.on("close", closed.happen);
      // Never ended: only being cut off closes it.
      response.write(bytes);
    });
    expect(await http({ ...get, url: server.url, max_bytes: bytes.length - 1 })).toMatchObject({ ok: false, fault: "too_large" });
    await closed.happened;
  });

  test("is cut where truncating is asked for, and the rest is not read", async () => {
    const closed = signal();
    const server = await serve((_request, response) => {
      response.on("close", closed.happen);
      response.writeHead(503);
      response.write(bytes);
    });
    const result = await http({ ...get, url: server.url, max_bytes: 65_536, truncate: true });
    expect(result.ok && [result.status, result.body.length]).toEqual([503, 65_536]);
    await closed.happened;
  });

  test("is limited without being told", async () => {
    const server = await serve((_request, response) => response.end(Buffer.alloc(1024 * 1024 + 1)));
    expect(await http({ ...get, url: server.url })).toMatchObject({ ok: false, fault: "too_large" });
  });
});

describe("a fault", () => {
  test("of the name is dns", async () => {
    const missing = Object.assign(new Error("getaddrinfo ENOTFOUND shop.example"), { code: "ENOTFOUND" });
    expect(await guardedHttp({ allow: [], resolver: () => Promise.reject(missing) })({ ...get, url: "http://shop.example/" })).toMatchObject({
      ok: false,
      fault: "dns",
    });
    expect(await guardedHttp({ allow: [], resolver: resolverOf([]).resolve })({ ...get, url: "http://shop.example/" })).toMatchObject({
      ok: false,
      fault: "dns",
    });
  });

  test("of the connection is connect", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    expect(await http({ ...get, url: `http://127.0.0.1:${port}/` })).toMatchObject({
      ok: false,
      fault: "connect",
      message: expect.stringMatching(/./),
    });
  });

  test("of the certificate is tls: a stranger's is never taken", async () => {
    let requests = 0;
    const server = createServer({ key: UNTRUSTED_KEY, cert: UNTRUSTED_CERTIFICATE }, (_request, response) => {
      requests += 1;
      response.end();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const named = guardedHttp({ allow: LOOPBACK, resolver: resolverOf(["127.0.0.1"]).resolve });
    expect(await named({ ...get, url: `https://shop.test:${port}/` })).toMatchObject({ ok: false, fault: "tls" });
    expect(requests).toBe(0);
  });

  test("of a server that speaks no TLS is tls", async () => {
    const garbage = await serveBytes((socket) => void socket.end("220 mail ready\r\n"));
    const silent = await serveBytes((socket) => void socket.end());
    for (const { port } of [garbage, silent])
      expect(await http({ ...get, url: `https://127.0.0.1:${port}/` })).toMatchObject({ ok: false, fault: "tls" });
  });

  test.each([
    ["cuts the connection", ""],
    ["sends garbage", "%PDF-1.7 this is no HTTP\r\n\r\n"],
    ["sends an impossible status", "HTTP/1.1 99999 OK\r\n\r\n"],
    ["names two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nabc"],
    ["changes the protocol unasked", "HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"],
    ["stops within the headers", "HTTP/1.1 200 OK\r\nContent-"],
    ["stops within the body", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort"],
    ["stops within a chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nshort"],
    ["sends headers without end", `HTTP/1.1 200 OK\r\nX-Long: ${"x".repeat(200_000)}\r\n\r\n`],
  ])("of a server that %s is reset", async (_what, bytes) => {
    const server = await serveBytes((socket) => void socket.end(bytes));
    expect(await http({ ...get, url: server.url })).toMatchObject({ ok: false, fault: "reset", message: expect.stringMatching(/./) });
  });

  test("of a server that says nothing, or never ends, is timeout, and it is let go", async () => {
    for (const begin of ["", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nso far"]) {
      const closed = signal();
      const server = await serveBytes((socket) => {
        socket.on("close", closed.happen);
        if (begin !== "") socket.write(begin);
      });
      const result = await http({ ...get, url: server.url, timeout_ms: 60 });
      expect(result).toMatchObject({ ok: false, fault: "timeout", message: "no whole answer within 60 ms" });
      await closed.happened;
    }
  });

  test("of our own making is internal", async () => {
    expect(await http({ ...get, url: "not a url" })).toMatchObject({ ok: false, fault: "internal" });
    expect(await http({ ...get, url: "ftp://127.0.0.1/" })).toMatchObject({ ok: false, fault: "internal" });
    expect(await http({ ...get, url: "http://127.0.0.1/", headers: { "bad header": "x" } })).toMatchObject({ ok: false, fault: "internal" });
    expect(await http({ ...get, url: "http://127.0.0.1/", headers: { good: "a\r\nb: c" } })).toMatchObject({ ok: false, fault: "internal" });
  });
});

test("a call whose time was over before it got a connection is never sent", async () => {
  const server = await serve((_request, response) => response.end("late"));
  const resolved = signal();
  const slow = guardedHttp({
    allow: LOOPBACK,
    resolver: async () => {
      await resolved.happened;
      return [{ address: "127.0.0.1", family: 4 }];
    },
  });
  const url = `http://shop.example:${server.port}/`;
  expect(await slow({ ...get, method: "POST", url, body: "{}", timeout_ms: 30 })).toMatchObject({ ok: false, fault: "timeout" });
  resolved.happen();
  // A second call over the same pool shows that the connection was made and that only this one was sent.
  expect(await slow({ ...get, url: `${url}second` })).toMatchObject({ ok: true, status: 200 });
  expect(server.requests).toEqual(["GET /second"]);
});

test("the network is refused while a database transaction is open, and usable after it (F19)", async () => {
  const server = await serve((_request, response) => response.end("ok"));
  await expect(runInTransactionScope(() => http({ ...get, url: server.url }))).rejects.toThrow(InvariantError);
  await expect(runInTransactionScope(() => Promise.resolve().then(() => http({ ...get, url: server.url })))).rejects.toThrow(/transaction was open/);
  expect(server.connections).toEqual([]);
  expect(await http({ ...get, url: server.url })).toMatchObject({ ok: true });
});

test("connections are made anew when they are old, also where there is always something under way, which is not cut off", async () => {
  const gate = signal();
  const server = await serve(
    (request, response) => void (request.url === "/slow" ? gate.happened : Promise.resolve()).then(() => response.end("done")),
  );
  const young = guardedHttp({ allow: LOOPBACK });
  for (let n = 0; n < 10; n += 1) await young({ ...get, url: server.url });
  // A second one where the first was not free again in the same turn.
  const few = server.connections.length;
  expect(few).toBeLessThanOrEqual(2);
  const old = guardedHttp({ allow: LOOPBACK, connection_age_max_ms: 0 });
  const slow = old({ ...get, url: `${server.url}/slow` });
  await expect.poll(() => server.requests).toContain("GET /slow");
  for (let n = 0; n < 3; n += 1) expect(await old({ ...get, url: server.url })).toMatchObject({ ok: true });
  expect(server.connections).toHaveLength(few + 4);
  const closed = old.close();
  gate.happen();
  expect(await slow).toMatchObject({ ok: true, status: 200 });
  await closed;
  expect(await old({ ...get, url: server.url })).toMatchObject({ ok: false, fault: "internal" });
  await young.close();
});

test("closing waits for what is under way and refuses what comes after it", async () => {
  const gate = signal();
  const server = await serve((_request, response) => void gate.happened.then(() => response.end("done")));
  const own = guardedHttp({ allow: LOOPBACK });
  const call = own({ ...get, url: server.url });
  await expect.poll(() => server.requests.length).toBe(1);
  const closed = own.close();
  gate.happen();
  expect(await call).toMatchObject({ ok: true, status: 200 });
  await closed;
  expect(await own({ ...get, url: server.url })).toMatchObject({ ok: false, fault: "internal" });
});
