import type { HttpResult } from "@lunas/domain";
import { describe, expect, test } from "vitest";
import { guardedHttp } from "./http.ts";
import { resolverOf, serve } from "./testing/servers.ts";

const LOOPBACK = ["127.0.0.0/8", "::1/128"];
const get = { method: "GET", headers: {}, timeout_ms: 5_000 } as const;

function expectBlocked(result: HttpResult): void {
  expect(result).toMatchObject({ ok: false, fault: "blocked" });
}

describe("a name that leads to a forbidden address", () => {
  test("gets no connection", async () => {
    const server = await serve((_request, response) => response.end("inside"));
    const { resolve, asked } = resolverOf(["127.0.0.1"]);
    expectBlocked(await guardedHttp({ allow: [], resolver: resolve })({ ...get, url: `http://shop.example:${server.port}/` }));
    expect(asked).toEqual(["shop.example"]);
    expect(server.connections).toEqual([]);
    // The server is there: with its range open, the same call reaches it.
    const opened = await guardedHttp({ allow: LOOPBACK, resolver: resolve })({ ...get, url: `http://shop.example:${server.port}/` });
    expect(opened).toMatchObject({ ok: true, status: 200 });
    expect(server.connections).toHaveLength(1);
  });

  test("gets no connection when only one of its many addresses is forbidden, wherever it stands", async () => {
    const server = await serve((_request, response) => response.end("inside"));
    for (const addresses of [
      ["8.8.8.8", "127.0.0.1"],
      ["127.0.0.1", "8.8.8.8"],
      ["2606:4700::1111", "::1"],
    ]) {
      expectBlocked(
        await guardedHttp({ allow: [], resolver: resolverOf(addresses).resolve })({ ...get, url: `http://shop.example:${server.port}/` }),
      );
    }
    expect(server.connections).toEqual([]);
  });

  test("gets no connection after it has rebound, although it was fine a moment ago", async () => {
    const server = await serve((_request, response) => response.setHeader("connection", "close").end("fine"), "0.0.0.0");
    const { resolve, asked } = resolverOf(["127.0.0.1"], ["127.0.0.2"]);
    const http = guardedHttp({ allow: ["127.0.0.1/32"], resolver: resolve });
    const url = `http://rebinding.example:${server.port}/`;
    expect(await http({ ...get, url })).toMatchObject({ ok: true, status: 200 });
    expectBlocked(await http({ ...get, url }));
    expectBlocked(await http({ ...get, url }));
    expect(asked).toHaveLength(3);
    expect(server.connections).toEqual(["127.0.0.1"]);
  });

  test.skipIf(process.platform !== "linux")("would have been reached after it has rebound, had its range been open", async () => {
    const server = await serve((_request, response) => response.setHeader("connection", "close").end("fine"), "0.0.0.0");
    const http = guardedHttp({ allow: LOOPBACK, resolver: resolverOf(["127.0.0.1"], ["127.0.0.2"]).resolve });
    for (const _call of [1, 2]) await http({ ...get, url: `http://rebinding.example:${server.port}/` });
    expect(server.connections).toEqual(["127.0.0.1", "127.0.0.2"]);
  });

  test("is asked for once per connection: there is no second answer to slip in between check and connection", async () => {
    const server = await serve((_request, response) => response.end("fine"), "0.0.0.0");
    const { resolve, asked } = resolverOf(["127.0.0.1"], ["10.0.0.1"]);
    expect(await guardedHttp({ allow: ["127.0.0.1/32"], resolver: resolve })({ ...get, url: `http://shop.example:${server.port}/` })).toMatchObject({
      ok: true,
    });
    expect(asked).toEqual(["shop.example"]);
    expect(server.connections).toEqual(["127.0.0.1"]);
  });

  test("gets no request even when the resolver's answer changes its address after the check", async () => {
    const server = await serve((_request, response) => response.end("inside"));
    let reads = 0;
    const turncoat = {
      family: 4,
      get address(): string {
        reads += 1;
        return reads === 1 ? "8.8.8.8" : "127.0.0.1";
      },
    };
    expectBlocked(await guardedHttp({ allow: [], resolver: async () => [turncoat] })({ ...get, url: `http://shop.example:${server.port}/` }));
    expect(reads).toBeGreaterThan(1);
    expect(server.requests).toEqual([]);
  });

  test("is not told which address it leads to", async () => {
    const result = await guardedHttp({ allow: [], resolver: resolverOf(["10.20.30.40"]).resolve })({ ...get, url: "http://inner.example/" });
    expectBlocked(result);
    expect(JSON.stringify(result)).not.toContain("10.20.30.40");
  });
});

test("a literal forbidden address gets no connection, however it is spelled, and no resolver is asked", async () => {
  const server = await serve((_request, response) => response.end("inside"), "::");
  const { resolve, asked } = resolverOf(["8.8.8.8"]);
  const http = guardedHttp({ allow: [], resolver: resolve });
  for (const host of ["127.0.0.1", "0x7f.1", "2130706433", "0177.0.0.1", "127.1", "127.0.0.1.", "0", "[::1]", "[::ffff:127.0.0.1]", "[::]"]) {
    expectBlocked(await http({ ...get, url: `http://${host}:${server.port}/` }));
    expectBlocked(await http({ ...get, url: `https://${host}:${server.port}/` }));
  }
  expect(server.connections).toEqual([]);
  expect(asked).toEqual([]);
});

test("localhost is refused by what the system's own resolver says", async () => {
  const server = await serve((_request, response) => response.end("inside"));
  expectBlocked(await guardedHttp({ allow: [] })({ ...get, url: `http://localhost:${server.port}/` }));
  expect(server.connections).toEqual([]);
});

test("the connection goes to the checked address and the request keeps the name", async () => {
  let host: string | undefined;
  const server = await serve((request, response) => {
    host = request.headers.host;
    response.end();
  });
  const http = guardedHttp({ allow: LOOPBACK, resolver: resolverOf(["127.0.0.1"]).resolve });
  expect(await http({ ...get, url: `http://shop.example:${server.port}/` })).toMatchObject({ ok: true });
  expect(host).toBe(`shop.example:${server.port}`);
});

test("a redirect to a forbidden address is an answer, not a journey", async () => {
  const inner = await serve((_request, response) => response.end("inside"));
  for (const status of [301, 302, 303, 307, 308]) {
    const outer = await serve((_request, response) => response.writeHead(status, { location: inner.url }).end());
    const result = await guardedHttp({ allow: LOOPBACK })({ ...get, url: outer.url });
    expect(result).toMatchObject({ ok: true, status, headers: { location: inner.url } });
  }
  expect(inner.connections).toEqual([]);
});

test("a proxy of the environment is not used", async () => {
  const proxy = await serve((_request, response) => response.end("proxied"));
  const server = await serve((_request, response) => response.end("direct"));
  const names = ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "NODE_USE_ENV_PROXY"];
  const before = names.map((name) => [name, process.env[name]] as const);
  try {
    for (const name of names) process.env[name] = name === "NODE_USE_ENV_PROXY" ? "1" : proxy.url;
    const result = await guardedHttp({ allow: LOOPBACK })({ ...get, url: server.url });
    expect(result.ok && Buffer.from(result.body).toString()).toBe("direct");
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  }
  expect(proxy.connections).toEqual([]);
});
