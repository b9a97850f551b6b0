import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { operatorToken } from "../../packages/hub/src/cli/operator-routes.ts";
import { Vault } from "../../packages/hub/src/vault.ts";

const LUNAS = join(import.meta.dirname, "../../packages/hub/src/cli/lunas.ts");
const READY_PATIENCE_MS = 60_000;
const LINES_KEPT = 400;

// timer: paces the load, the kills and the repeated looks; what is judged is waited for by its state.
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A hub as a process of its own, which can be killed as hard as a machine that loses its power. */
export class HubProcess {
  readonly url: string;
  readonly #environment: Record<string, string>;
  #child: ChildProcess | undefined;
  #output: string[] = [];
  #started_in_ms = 1_000;
  /** Ends that nobody asked for. */
  readonly problems: string[] = [];
  kills = 0;
  /** Of the kills, those that came before the hub was ready. */
  kills_at_start = 0;

  constructor(environment: Record<string, string>) {
    this.#environment = environment;
    this.url = `http://127.0.0.1:${environment["PORT"]}`;
  }

  async start(): Promise<void> {
    const began = performance.now();
    const child = this.#spawn();
    while (performance.now() - began < READY_PATIENCE_MS) {
      if (ended(child)) throw new Error(`the hub ended with ${child.exitCode ?? child.signalCode}:\n${this.output()}`);
      if (await this.#isUp()) {
        this.#started_in_ms = performance.now() - began;
        return;
      }
      await pause(30);
    }
    throw new Error(`the hub was not ready in time:\n${this.output()}`);
  }

  /** Starts it and kills it before it is ready: while it opens its database, migrates, or takes up what the last one left. @param share of the time that a start takes. */
  async startAndKill(share: number): Promise<void> {
    const began = performance.now();
    const child = this.#spawn();
    while (performance.now() - began < this.#started_in_ms * share && !ended(child)) await pause(5);
    const was_up = await this.#isUp();
    await this.kill();
    if (!was_up) this.kills_at_start += 1;
  }

  /** SIGKILL: nothing of it gets a chance to tidy up. */
  async kill(): Promise<void> {
    if (await this.#end("SIGKILL")) this.kills += 1;
  }

  async stop(): Promise<void> {
    await this.#end("SIGTERM");
  }

  #spawn(): ChildProcess {
    const child = spawn(process.execPath, [LUNAS, "serve"], { env: { ...process.env, ...this.#environment }, stdio: ["ignore", "pipe", "pipe"] });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (data: Buffer) => {
        this.#output.push(data.toString());
        if (this.#output.length > LINES_KEPT) this.#output.shift();
      });
    }
    child.once("exit", (code, signal) => {
      if (this.#child !== child) return;
      this.problems.push(`the hub ended by itself (${signal ?? `exit code ${code}`}): ${this.output().split("\n").slice(-8).join(" | ")}`);
    });
    return child;
  }

  /** @returns whether there was one to end. */
  async #end(signal: NodeJS.Signals): Promise<boolean> {
    const child = this.#child;
    this.#child = undefined;
    if (!child || ended(child)) return false;
    const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
    child.kill(signal);
    await gone;
    return true;
  }

  async #isUp(): Promise<boolean> {
    return (await fetch(`${this.url}/healthz`).catch(() => undefined))?.ok === true;
  }

  /** What `lunas doctor` shows, asked of the running hub. */
  async doctor(): Promise<Record<string, number>> {
    const token = operatorToken({ vault: new Vault(this.#environment["LUNAS_MASTER_KEY"]!) });
    const answer = await fetch(`${this.url}/_operator/doctor`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: "{}",
    });
    if (!answer.ok) throw new Error(`doctor: ${answer.status} ${await answer.text()}`);
    return ((await answer.json()) as { result: Record<string, number> }).result;
  }

  /** Runs a command of the CLI with this hub's environment. */
  async command(...words: string[]): Promise<string> {
    const child = spawn(process.execPath, [LUNAS, ...words], { env: { ...process.env, ...this.#environment }, stdio: ["ignore", "pipe", "pipe"] });
    const out: string[] = [];
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (data: Buffer) => out.push(data.toString()));
    const code = await new Promise<number | null>((resolve) => child.once("exit", resolve));
    if (code !== 0) throw new Error(`lunas ${words.join(" ")} ended with ${code}: ${out.join("")}`);
    return out.join("");
  }

  /** The last lines that the hub wrote. */
  output(): string {
    return this.#output.join("").split("\n").slice(-40).join("\n");
  }
}

function ended(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}
