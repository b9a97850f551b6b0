import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readConfig } from "../../packages/hub/src/config.ts";
import { type HubOptions, type RunningHub, startHub } from "../../packages/hub/src/main.ts";
import { type Sandbox, type SandboxOptions, startSandbox } from "../../packages/sandbox/src/index.ts";
import { startShop } from "../../apps/shop/server/main.ts";
import { API_KEY, freePort, WEBHOOK_SECRET } from "./known.ts";

export { API_KEY, freePort, WEBHOOK_SECRET };

export interface Stack {
  readonly hub: RunningHub;
  readonly sandbox: Sandbox;
  readonly shop: { readonly url: string; close(): Promise<void> } | undefined;
  /** Calls the hub's API as the development shop. */
  api(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<{ status: number; body: any; headers: Headers }>; // oxlint-disable-line typescript/no-explicit-any -- tests look into answers freely
  /** Calls the sandbox's control API. */
  control(method: string, path: string, body?: unknown): Promise<unknown>;
  /** Resolves when neither the sandbox nor the hub has anything that is due now. */
  settle(): Promise<void>;
  /** Moves the business time of both and waits for what fell due. */
  advance(seconds: number): Promise<void>;
  stop(): Promise<void>;
}

export interface StackOptions {
  /** A throw-away SQLite file when absent. */
  readonly databaseUrl?: string;
  readonly shop?: boolean;
  readonly hub?: HubOptions;
  readonly sandbox?: SandboxOptions;
  readonly environment?: Record<string, string>;
}

/** Hub, sandbox and, if wanted, the demo shop in this process, on free ports and throw-away databases. */
export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const folder = mkdtempSync(join(tmpdir(), "lunas-stack-"));
  const [hubPort, shopPort] = [await freePort(), await freePort()];
  const hubUrl = `http://127.0.0.1:${hubPort}`;
  const sandbox = await startSandbox({
    port: 0,
    databasePath: ":memory:",
    notify: { midtrans: `${hubUrl}/callbacks/midtrans` },
    seed: 7,
    ...options.sandbox,
  });
  const config = readConfig({
    PORT: String(hubPort),
    SHOP_PORT: String(shopPort),
    LUNAS_SANDBOX_URL: sandbox.url,
    LUNAS_DATABASE_URL: options.databaseUrl ?? `sqlite:${join(folder, "lunas.db")}`,
    LUNAS_LOG_LEVEL: "silent",
    ...options.environment,
  });
  const hub = await startHub(config, options.hub ?? {});
  const shop = options.shop
    ? await startShop({
        host: "127.0.0.1",
        port: shopPort,
        databasePath: join(folder, "shop.db"),
        publicUrl: `http://127.0.0.1:${shopPort}`,
        lunas: { baseUrl: hubUrl, apiKey: API_KEY, webhookSecret: WEBHOOK_SECRET },
      })
    : undefined;

  const settle = async (): Promise<void> => {
    // What one side does may give the other something to do: quiet is when both were quiet twice.
    for (let round = 0; round < 3; round += 1) {
      await sandbox.idle();
      await hub.idle();
    }
  };
  return {
    hub,
    sandbox,
    shop,
    settle,
    api: async (method, path, body, headers = {}) => {
      const answer = await fetch(`${hubUrl}${path}`, {
        method,
        headers: {
          authorization: `Bearer ${API_KEY}`,
          ...(body === undefined ? {} : { "content-type": "application/json" }),
          ...(method === "POST" ? { "idempotency-key": crypto.randomUUID() } : {}),
          ...headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await answer.text();
      return { status: answer.status, body: text === "" ? undefined : JSON.parse(text), headers: answer.headers };
    },
    control: async (method, path, body) => {
      const answer = await fetch(`${sandbox.url}/_control${path}`, {
        method,
        ...(body === undefined ? {} : { headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
      });
      const text = await answer.text();
      if (!answer.ok) throw new Error(`the sandbox answered ${answer.status}: ${text}`);
      return text === "" ? undefined : JSON.parse(text);
    },
    advance: async (seconds) => {
      sandbox.advance(seconds * 1000);
      hub.setBusinessOffset(sandbox.clock.read().offset_ms);
      await settle();
    },
    stop: async () => {
      await shop?.close();
      await hub.stop();
      await sandbox.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
