import { spawn, type ChildProcess } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { isWorthShowing } from "./log-lines.ts";
import { portProblem } from "./ports.ts";

/** A program that is started as a process of its own and is ready once one of its paths answers 2xx. */
export interface Service {
  readonly name: string;
  /** Arguments of Node: the file and what follows it. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly host: string;
  readonly port: number;
  /** The environment variable that moves it to another port. */
  readonly port_variable: string;
  /** Asked in turn; the first that answers 2xx makes it ready. */
  readonly ready_paths: readonly string[];
}

/** The end of a service that nobody asked for. */
export interface Death {
  readonly name: string;
  /** "exit code 1", "signal SIGKILL". */
  readonly how: string;
  readonly last_lines: readonly string[];
}

export interface SupervisorOptions {
  readonly cwd: string;
  readonly write: (text: string) => void;
  /** Shows every line of the services instead of warnings and errors only. */
  readonly verbose: boolean;
  readonly ready_within_ms: number;
}

const LEASH = pathToFileURL(join(import.meta.dirname, "leash.ts")).href;
const LAST_LINES = 30;
const READY_POLL_MS = 100;
const READY_ANSWER_MS = 2_000;

/** Starts services, waits until they are ready, and stops them all together. */
export class Supervisor {
  readonly #services: readonly Service[];
  readonly #options: SupervisorOptions;
  readonly #children = new Map<string, ChildProcess>();
  readonly #last_lines = new Map<string, string[]>();
  readonly #died = Promise.withResolvers<Death>();
  #stopping = false;

  constructor(services: readonly Service[], options: SupervisorOptions) {
    this.#services = services;
    this.#options = options;
  }

  /** Settles with the first service that ended by itself; never while all is well. */
  get died(): Promise<Death> {
    return this.#died.promise;
  }

  /** Process ids of what runs. */
  get pids(): readonly number[] {
    return [...this.#children.values()].flatMap((child) => child.pid ?? []);
  }

  /** Starts all and settles when all are ready: with undefined, or with the sentence that says what is in the way. */
  async start(): Promise<string | undefined> {
    for (const { name, port, host, port_variable } of this.#services) {
      const problem = await portProblem(port, host);
      if (problem === "EADDRINUSE")
        return `Port ${port} is taken, and ${name} needs it. Stop what uses it, or choose another: ${port_variable}=${port + 100} npm start`;
      if (problem !== undefined) return `${name} cannot listen on ${host}:${port} (${problem}). Choose another port: ${port_variable}=… npm start`;
    }
    for (const service of this.#services) this.#spawn(service);
    const deadline = AbortSignal.timeout(this.#options.ready_within_ms);
    const ready = Promise.all(this.#services.map((service) => this.#untilReady(service, deadline))).then((late) =>
      late.find((sentence) => sentence !== undefined),
    );
    return Promise.race([ready, this.died.then(deathSentence)]);
  }

  /** Asks all to stop, waits, and ends what is left after the grace. Safe to call twice; a second call with 0 ends them at once. */
  async stop(grace_ms: number): Promise<void> {
    this.#stopping = true;
    const children = [...this.#children.values()].filter((child) => !hasEnded(child));
    const ended = Promise.all(children.map((child) => new Promise((done) => child.once("exit", done))));
    for (const child of children) child.kill("SIGTERM");
    const kill = setTimeout(() => children.filter((child) => !hasEnded(child)).forEach((child) => child.kill("SIGKILL")), grace_ms);
    await ended;
    clearTimeout(kill);
  }

  #spawn(service: Service): void {
    const { cwd, write, verbose } = this.#options;
    const child = spawn(process.execPath, ["--import", LEASH, ...service.args], {
      cwd,
      env: { ...process.env, ...service.env },
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    });
    this.#children.set(service.name, child);
    const last_lines: string[] = [];
    this.#last_lines.set(service.name, last_lines);
    const width = Math.max(...this.#services.map(({ name }) => name.length));
    for (const [stream, is_error] of [
      [child.stdout, false],
      [child.stderr, true],
    ] as const) {
      if (!stream) continue;
      createInterface({ input: stream }).on("line", (line) => {
        last_lines.push(line);
        if (last_lines.length > LAST_LINES) last_lines.shift();
        if (verbose || isWorthShowing(line, is_error)) write(`${service.name.padEnd(width)} | ${line}\n`);
      });
    }
    child.once("error", (error) => this.#tell(service.name, error.message));
    // "close" and not "exit": the last lines have been read by then.
    child.once("close", (code, signal) => this.#tell(service.name, signal ? `signal ${signal}` : `exit code ${code}`));
  }

  #tell(name: string, how: string): void {
    if (!this.#stopping) this.#died.resolve({ name, how, last_lines: this.#last_lines.get(name) ?? [] });
  }

  async #untilReady(service: Service, deadline: AbortSignal): Promise<string | undefined> {
    while (!this.#stopping && !deadline.aborted) {
      for (const path of service.ready_paths) if (await answers(`http://${urlHost(service.host)}:${service.port}${path}`)) return undefined;
      await pause(READY_POLL_MS);
    }
    const tail = this.#last_lines.get(service.name) ?? [];
    return [
      `${service.name} was not ready after ${this.#options.ready_within_ms / 1000} s. Its last lines:`,
      ...tail.map((line) => `  ${line}`),
    ].join("\n");
  }
}

/** An address that listens on all interfaces is asked on loopback. */
export function urlHost(host: string): string {
  if (host === "0.0.0.0" || host === "::") return "127.0.0.1";
  return host.includes(":") ? `[${host}]` : host;
}

export function deathSentence({ name, how, last_lines }: Death): string {
  if (last_lines.length === 0) return `${name} ended by itself (${how}) and printed nothing.`;
  return [`${name} ended by itself (${how}). Its last lines:`, ...last_lines.map((line) => `  ${line}`)].join("\n");
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null || child.pid === undefined;
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(READY_ANSWER_MS) });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}
