import { once } from "node:events";
import { type AddressInfo, connect } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { operatorRoutes, operatorToken } from "../cli/operator-routes.ts";
import { makeTestApi, type TestApi } from "./testing.ts";

describe("a client that does not come to an end", () => {
  const TIMEOUT_MS = 300;
  const DRIP_MS = 20;
  let api: TestApi;
  let port: number;
  beforeAll(async () => {
    api = await makeTestApi({ requestTimeoutMs: TIMEOUT_MS });
    await api.api.register(operatorRoutes({ ...api.hub, checkEndpointUrl: () => undefined }));
    await api.api.listen({ port: 0, host: "127.0.0.1" });
    port = (api.api.server.address() as AddressInfo).port;
  });
  afterAll(() => api.close());

  /** Sends this much of a request, drips on or falls silent, and waits until the hub has had enough. @returns what it answered. */
  async function stall(begin: string, drip: string | undefined): Promise<string> {
    const socket = connect(port, "127.0.0.1");
    let answer = "";
    socket.setEncoding("utf8").on("data", (text: string) => void (answer += text));
    // Cut off while we write is cut off.
    socket.on("error", () => {});
    const closed = new Promise((resolve) => void socket.once("close", resolve));
    await once(socket, "connect");
    socket.write(begin);
    const dripping = drip === undefined ? undefined : setInterval(() => socket.write(drip), DRIP_MS);
    await closed;
    clearInterval(dripping);
    return answer;
  }
  const request = (path: string, rest: string): string => `POST ${path} HTTP/1.1\r\nHost: hub\r\nContent-Type: application/json\r\n${rest}`;

  test.each(["/callbacks/fake", "/callbacks/fake/topic", "/v1/orders", "/_operator/hold", `/pay/${"A".repeat(32)}/payments`])(
    "%s: it is cut off in time, answered or not, and nothing is stored",
    async (path) => {
      const token = path.startsWith("/_operator") ? operatorToken(api.hub) : api.api_key;
      const key = path.startsWith("/callbacks") ? "" : `Authorization: Bearer ${token}\r\nIdempotency-Key: k\r\n`;
      const began = performance.now();
      const answers = await Promise.all([
        stall(request(path, `${key}Content-Length: 1000\r\n\r\n{"a":`), undefined),
        stall(request(path, `${key}Content-Length: 100000\r\n\r\n{"a":"`), "x"),
        stall(request(path, `${key}Transfer-Encoding: chunked\r\n\r\n`), "1\r\nx\r\n"),
        stall(request(path, key), "X-More: 1\r\n"),
        stall(request(path, `${key}Content-Length: 10\r\n`), undefined),
      ]);
      expect(performance.now() - began).toBeLessThan(20 * TIMEOUT_MS);
      for (const answer of answers) expect(answer).toMatch(/^$|^HTTP\/1\.1 4\d\d /);
      const { rows } = await api.store.read(async (db) => ({ rows: await db.selectFrom("notifications").select("seq").execute() }));
      expect(rows).toEqual([]);
    },
  );
});
