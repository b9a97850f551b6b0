import { type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HUB_FLAGS } from "../../scripts/lib/services.ts";
import { launchPostgres, type PostgresServer } from "../../tests/harness/postgres.ts";
import { ask, child, end, firstMessage } from "./children.ts";
import type { EngineName } from "./result.ts";

/** The server key of development's sandbox account: what the notifications are signed with. */
export const SERVER_KEY = "SB-Mid-server-lunas-sandbox";
export const API_KEY = "sk_test_lunas_dev";
const LOOK_MS = 50;
/** What costs the hub nothing, or lasts for a moment only, is looked at more closely. */
export const CLOSE_LOOK_MS = 10;
const PATIENCE_MS = 600_000;
const MASTER_KEY = "42".repeat(32);

/** What is left to do: 0 for nothing. */
export interface Progress {
  /** Notifications that nobody has looked at yet. */
  readonly waiting: number;
  /** Questions that are due to a gateway, or being asked. */
  readonly asking: number;
  readonly undelivered: number;
}

export interface Counts {
  readonly stored: number;
  readonly paid: number;
  /** Transitions of payments to paid, and events that tell of it: with distinct ones apart, so that twice would be seen. */
  readonly transitions: number;
  readonly transitions_distinct: number;
  readonly events: number;
  readonly events_distinct: number;
}

/** A running process of the bench that listens on a port. */
export class Server {
  readonly process: ChildProcess;
  readonly port: number;

  constructor(process: ChildProcess, port: number) {
    this.process = process;
    this.port = port;
  }

  ask<T>(question: Record<string, unknown>): Promise<T> {
    return ask<T>(this.process, question);
  }

  stop(): Promise<void> {
    return end(this.process);
  }
}

export class HubServer extends Server {
  counts(): Promise<Counts> {
    return this.ask<Counts>({ do: "count" });
  }

  async seedPayments(count: number, prefix: string): Promise<string[]> {
    return (await this.ask<{ references: string[] }>({ do: "seed-payments", count, prefix })).references;
  }

  /** Looks until nothing is left of what is waited for. @throws when that takes longer than anybody should wait. */
  async until(done: (progress: Progress) => boolean, what: string, look_ms = LOOK_MS): Promise<void> {
    const until = performance.now() + PATIENCE_MS;
    for (;;) {
      const progress = await this.ask<Progress>({ do: "progress" });
      if (done(progress)) return;
      if (performance.now() > until) throw new Error(`${what}: still ${JSON.stringify(progress)} after ${PATIENCE_MS / 1000} s`);
      await pause(look_ms);
    }
  }

  /** Resolves when the receiver has got so many deliveries. */
  async received(receiver: Server, count: number): Promise<void> {
    const until = performance.now() + PATIENCE_MS;
    while ((await receiver.ask<{ received: number }>({ do: "count" })).received < count) {
      if (performance.now() > until) throw new Error(`${count} deliveries did not arrive within ${PATIENCE_MS / 1000} s`);
      await pause(CLOSE_LOOK_MS);
    }
  }

  /** Resolves when all that was taken in has been looked at and asked about. */
  drained(): Promise<void> {
    return this.until((progress) => progress.waiting === 0 && progress.asking === 0, "the inbox to be empty and all questions to be answered");
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Where a measure runs: an engine, how much is to be done, and what it started, to be ended after it. */
export class Bench {
  readonly engine: EngineName;
  readonly quick: boolean;
  #folder = mkdtempSync(join(tmpdir(), "lunas-bench-"));
  #servers: Server[] = [];
  #postgres: PostgresServer | undefined;
  #databases = 0;

  constructor(engine: EngineName, quick: boolean) {
    this.engine = engine;
    this.quick = quick;
  }

  /** The full number, or that of a smoke test. */
  size(full: number, quick: number): number {
    return this.quick ? quick : full;
  }

  say(text: string): void {
    process.stderr.write(`  ${text}\n`);
  }

  /** An empty database whose commits reach the disk. */
  async database(): Promise<string> {
    this.#databases += 1;
    if (this.engine === "sqlite") return `sqlite:${join(this.#folder, `${this.#databases}.db`)}`;
    this.#postgres ??= await launchPostgres({ durable: true });
    return this.#postgres.freshDatabase();
  }

  environment(database: string): Record<string, string | undefined> {
    return {
      ...process.env,
      PORT: "0",
      LUNAS_MODE: "development",
      LUNAS_DATABASE_URL: database,
      LUNAS_MASTER_KEY: MASTER_KEY,
      LUNAS_LOG_LEVEL: "error",
      NODE_ENV: "production",
    };
  }

  async hub(database?: string): Promise<HubServer> {
    // With the flags that `lunas` is started with.
    const process = child("hub.ts", [], { env: this.environment(database ?? (await this.database())), execArgv: [...HUB_FLAGS] });
    const { url } = await firstMessage<{ url: string }>(process);
    return this.#keep(new HubServer(process, Number(new URL(url).port)));
  }

  async server(file: string): Promise<Server> {
    const process = child(file);
    return this.#keep(new Server(process, (await firstMessage<{ port: number }>(process)).port));
  }

  #keep<T extends Server>(server: T): T {
    this.#servers.push(server);
    return server;
  }

  async end(): Promise<void> {
    for (const server of this.#servers.splice(0)) await server.stop();
    await this.#postgres?.stop();
    this.#postgres = undefined;
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
