import { once } from "node:events";
import { createServer, type IncomingMessage, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { type Config, readConfig } from "../config.ts";
import { Vault } from "../vault.ts";
import { operatorToken } from "./operator-routes.ts";
import { callRunningHub, hubUrls } from "./running-hub.ts";

const KEY = Buffer.alloc(32, 1).toString("base64");

describe("a command looks for a hub", () => {
  const servers: Server[] = [];
  afterEach(async () => {
    for (const server of servers.splice(0)) {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    }
  });

  /** @returns its port. */
  async function listen(answer: RequestListener): Promise<number> {
    const server = createServer(answer).listen(0, "127.0.0.1");
    servers.push(server);
    await once(server, "listening");
    return (server.address() as AddressInfo).port;
  }
  /** A port where nobody listens. */
  async function closedPort(): Promise<number> {
    const port = await listen(() => {});
    const server = servers.pop()!.close();
    await once(server, "close");
    return port;
  }
  const says =
    (status: number, type: string, body: unknown): RequestListener =>
    (_request, response) =>
      void response.writeHead(status, { "content-type": type }).end(JSON.stringify(body));
  const hub = (name: string): RequestListener => says(200, "application/json; charset=utf-8", { result: name });
  const problem = (status: number, body: object): RequestListener => says(status, "application/problem+json; charset=utf-8", { status, ...body });
  const config = (port: number, behind?: number): Config =>
    readConfig({ PORT: String(port), LUNAS_MASTER_KEY: KEY, ...(behind === undefined ? {} : { LUNAS_PUBLIC_URL: `http://127.0.0.1:${behind}` }) });

  test("where it listens first, on loopback if it listens everywhere, and then at its public address", () => {
    const everywhere = { HOST: "0.0.0.0", LUNAS_MODE: "production", LUNAS_PUBLIC_URL: "https://bayar.toko.example", LUNAS_MASTER_KEY: KEY };
    expect(hubUrls(readConfig(everywhere))).toEqual(["http://127.0.0.1:8080", "https://bayar.toko.example"]);
    expect(hubUrls(readConfig({}))).toEqual(["http://127.0.0.1:8080"]);
  });

  test("on its own machine, with the operator's token, whatever the public address is", async () => {
    let asked: IncomingMessage | undefined;
    const port = await listen((request, response) => {
      asked = request;
      hub("here")(request, response);
    });
    expect(await callRunningHub(config(port, await listen(hub("behind"))), "doctor", { a: 1 })).toEqual({ result: "here" });
    expect(asked).toMatchObject({
      method: "POST",
      url: "/_operator/doctor",
      headers: { authorization: `Bearer ${operatorToken({ vault: new Vault(KEY) })}` },
    });
  });

  test("at the public address when nobody listens here, or another program does", async () => {
    const behind = await listen(hub("behind"));
    expect(await callRunningHub(config(await closedPort(), behind), "doctor", {})).toEqual({ result: "behind" });
    for (const other of [says(404, "text/html", "no"), says(404, "application/json", { error: "no" }), says(200, "application/json", { fine: true })])
      expect(await callRunningHub(config(await listen(other), behind), "doctor", {})).toEqual({ result: "behind" });
  });

  test("and finds none", async () => {
    expect(await callRunningHub(config(await closedPort()), "doctor", {})).toBeUndefined();
    expect(await callRunningHub(config(await closedPort(), await listen(says(403, "text/html", "a proxy"))), "doctor", {})).toBeUndefined();
  });

  test("and is told by its words what is wrong", async () => {
    const wrong = await listen(problem(400, { title: "Invalid", errors: [{ field: "slug", message: "is taken" }] }));
    await expect(callRunningHub(config(wrong), "accounts-create", {})).rejects.toThrow(/^slug: is taken$/);
    const missing = await listen(problem(404, { title: "Not found", detail: "There is no live key key_1." }));
    await expect(callRunningHub(config(missing), "keys-revoke", {})).rejects.toThrow(/^There is no live key key_1\.$/);
    const broken = await listen(problem(500, { title: "Internal error" }));
    await expect(callRunningHub(config(broken), "doctor", {})).rejects.toThrow(/^the hub at \S+ answered 500: Internal error$/);
  });

  test("of the same master key: another's refusal is told only where no hub of this key answers", async () => {
    const stranger = await listen(problem(401, { title: "Unauthorized" }));
    expect(await callRunningHub(config(stranger, await listen(hub("behind"))), "doctor", {})).toEqual({ result: "behind" });
    await expect(callRunningHub(config(stranger), "doctor", {})).rejects.toThrow("does not know this operator");
  });

  test("and does not do it a second time by itself when the hub breaks off", async () => {
    const port = await listen((request) => void request.socket.destroy());
    await expect(callRunningHub(config(port, await listen(hub("behind"))), "reconcile", {})).rejects.toThrow("whether it has done it is not known");
  });
});
