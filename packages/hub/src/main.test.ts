import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { COMMANDS } from "./cli/commands.ts";
import { ConfigError, readConfig } from "./config.ts";
import { makeHub, type RunningHub, startHub } from "./main.ts";
import { DEVELOPMENT } from "./provision.ts";
import { FakeGateway } from "./testing/fake-gateway.ts";

const key = (byte: number): string => Buffer.alloc(32, byte).toString("base64");

describe("a hub in production", () => {
  let folder: string;
  const running: RunningHub[] = [];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "lunas-main-"));
  });
  afterEach(async () => {
    for (const hub of running.splice(0)) await hub.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const development = () =>
    readConfig({ PORT: "0", LUNAS_DATABASE_URL: `sqlite:${folder}/lunas.db`, LUNAS_MASTER_KEY: key(1), LUNAS_LOG_LEVEL: "silent" });
  const production = (more: Record<string, string> = {}) =>
    readConfig({
      PORT: "0",
      LUNAS_DATABASE_URL: `sqlite:${folder}/lunas.db`,
      LUNAS_MASTER_KEY: key(1),
      LUNAS_LOG_LEVEL: "silent",
      LUNAS_MODE: "production",
      LUNAS_PUBLIC_URL: "https://bayar.toko.example",
      ...more,
    });
  const start = async (config: ReturnType<typeof readConfig>): Promise<RunningHub> => {
    const hub = await startHub(config, { followClock: false });
    running.push(hub);
    return hub;
  };
  /** Runs a command on the database of a hub that is not running. */
  const command = async (name: string, input: Record<string, unknown>): Promise<unknown> => {
    const hub = await makeHub(production());
    try {
      return await COMMANDS[name]!.run(hub, COMMANDS[name]!.input.parse(input));
    } finally {
      await hub.store.close();
    }
  };

  test("starts though an account is at a provider that it does not have, and tells the operator of it", async () => {
    await command("keys-create", { new_shop: "Toko" });
    await command("accounts-create", { provider: "midtrans", slug: "real", credentials: { server_key: "Mid-server-1", client_key: "Mid-client-1" } });
    const made = await makeHub(production());
    await made.store.write((tx) => tx.updateTable("accounts").set({ provider: "future" }).execute());
    await made.store.close();
    const hub = await start(production());
    expect((await fetch(`${hub.url}/readyz`)).status).toBe(200);
    expect((await fetch(`${hub.url}/callbacks/real`, { method: "POST", body: "{}" })).status).toBe(503);
    expect(await COMMANDS["doctor"]!.run(hub.hub, {} as never)).toMatchObject({ accounts_unusable: 1 });
  });

  test("does not start on what development has set up, says what to do, and starts when it is done", async () => {
    await (await start(development())).stop();
    const refused = await start(production()).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(ConfigError);
    const { message } = refused as Error;
    expect(message).toContain("the account midtrans has the sandbox's credentials; disable it: lunas accounts disable midtrans");
    const [, id] = /lunas keys revoke (key_\w+)/.exec(message) ?? [];
    await command("accounts-disable", { slug: "midtrans" });
    await command("keys-revoke", { id });
    expect((await start(production())).hub.mode).toBe("production");
  });

  test("refuses a database that is sealed under another master key", async () => {
    await (await start(production())).stop();
    await expect(start(production({ LUNAS_MASTER_KEY: key(2) }))).rejects.toThrow(/LUNAS_MASTER_KEY: not the key of this database/);
    await expect(start(production({ LUNAS_MASTER_KEY: `${key(2)},${key(1)}` }))).resolves.toBeDefined();
  });

  test("takes endpoints by https only, on the internet and in the networks that the operator has opened", async () => {
    const { key: api_key } = (await command("keys-create", { new_shop: "Toko" })) as { key: string };
    const { api } = await start(production({ LUNAS_ALLOW_CIDRS: "10.1.0.0/16" }));
    const post = async (url: string): Promise<number> =>
      (await api.inject({ method: "POST", url: "/v1/endpoints", headers: { authorization: `Bearer ${api_key}` }, payload: { url } })).statusCode;
    expect(await post("https://10.1.2.3/hook")).toBe(201);
    expect(await post("https://toko.example/hook")).toBe(201);
    expect(await post("http://10.1.2.3/hook")).toBe(400);
    expect(await post("https://10.2.0.1/hook")).toBe(400);
    expect(await post("https://127.0.0.1/hook")).toBe(400);
  });

  test("gives the operator's routes to nobody but the holder of the master key", async () => {
    const { api } = await start(production());
    for (const authorization of ["", "Bearer ", "Bearer op_guess"]) {
      expect((await api.inject({ method: "POST", url: "/_operator/doctor", headers: { authorization }, payload: {} })).statusCode).toBe(401);
    }
  });
});

test("a hub that is stopped answers the request that is under way, keeps what came of it, and takes no other", async () => {
  const folder = mkdtempSync(join(tmpdir(), "lunas-stop-"));
  const config = readConfig({ PORT: "0", LUNAS_DATABASE_URL: `sqlite:${folder}/lunas.db`, LUNAS_MASTER_KEY: key(1), LUNAS_LOG_LEVEL: "silent" });
  const gateway = new FakeGateway();
  const hub = await startHub(config, { followClock: false, providers: [gateway.provider] });
  const post = async (path: string, body: object): Promise<{ status: number; id: string }> => {
    const headers = { authorization: `Bearer ${DEVELOPMENT.api_key}`, "content-type": "application/json", "idempotency-key": path };
    const answer = await fetch(`${hub.url}${path}`, { method: "POST", headers, body: JSON.stringify(body) });
    return { ...((await answer.json()) as { id: string }), status: answer.status };
  };
  const { id } = await post("/v1/orders", { reference: "INV-1", amount: 10_000 });
  let answer = (): void => {};
  const asked = new Promise<void>((resolve) => {
    const wait = new Promise<void>((release) => (answer = release));
    // The gateway is asked, and its answer takes its time.
    gateway.next("open", {
      get wait() {
        resolve();
        return wait;
      },
    });
  });
  const paying = post(`/v1/orders/${id}/payments`, { method: "gopay" });
  await asked;
  const stopped = hub.stop();
  answer();
  expect(await paying).toMatchObject({ status: 201 });
  await stopped;
  await expect(post("/v1/orders", { reference: "INV-2", amount: 10_000 })).rejects.toThrow();
  const again = await makeHub(config);
  expect(await again.store.read((db) => db.selectFrom("payments").select("status").execute())).toEqual([{ status: "pending" }]);
  await again.store.close();
  rmSync(folder, { recursive: true, force: true });
});
