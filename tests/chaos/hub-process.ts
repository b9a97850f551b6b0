import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { operatorToken } from "../../packages/hub/src/cli/operator-routes.ts";
import { Vault } from "../../packages/hub/src/vault.ts";

const LUNAS = join(import.meta.dirname, "../../packages/hub/src/cli/lunas.ts");
const READY_PATIENCE_MS = 30_000;

// timer: paces the load, the kills and the repeated looks; what is judged is waited for by its state.
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A hub as a process of its own, which can be killed as hard as a machine that loses its power. */
export class HubProcess {
  readonly url: string;
  #environment: Record<string, string>;
  #child: ChildProcess | undefined;
  #output: string[] = [];
  kills = 0;

  constructor(environment: Record<string, string>) {
    this.#environment = environment;
    this.url = `http://127.0.0.1:${environment["PORT"]}`;
  }

  async start(): Promise<void> {
    const child = spawn(process.execPath, [LUNAS, "serve"], { env: { ...process.env, ...this.#environment }, stdio: ["ignore", "pipe", "pipe"] });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (data: Buffer) => {
        this.#output.push(data.toString());
        if (this.#output.length > 400) this.#output.shift();
      });
    }
    const deadline = Date.now() + READY_PATIENCE_MS;
    while (Date.now() < deadline) {
      if (child.exitCode !== null) throw new Error(`the hub ended with ${child.exitCode}:\n${this.output()}`);
      const answer = await fetch(`${this.url}/healthz`).catch(() => undefined);
      if (answer?.ok) return;
      await pause(30);
    }
    throw new Error(`the hub was not ready in time:\n${this.output()}`);
  }

  /** SIGKILL: nothing of it gets a chance to tidy up. */
  async kill(): Promise<void> {
    this.kills += 1;
    await this.#end("SIGKILL");
  }

  async stop(): Promise<void> {
    await this.#end("SIGTERM");
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (!child || child.exitCode !== null) return;
    const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
    child.kill(signal);
    await gone;
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
