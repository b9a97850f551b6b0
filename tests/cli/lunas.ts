import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";

export const LUNAS = join(import.meta.dirname, "../../packages/hub/src/cli/lunas.ts");

export type Settings = Readonly<Record<string, string>>;

/** Nothing of the settings of whoever runs the tests. */
export function environment(settings: Settings): NodeJS.ProcessEnv {
  const { PATH, HOME, TMPDIR } = process.env;
  return { PATH, HOME, TMPDIR, ...settings };
}

export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs `lunas …` to its end. @param input its standard input. */
export async function lunas(settings: Settings, words: readonly string[], input = ""): Promise<Ended> {
  const child = spawn(process.execPath, [LUNAS, ...words], { env: environment(settings), stdio: ["pipe", "pipe", "pipe"] });
  const told = { out: "", err: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => void (told.out += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => void (told.err += text));
  child.stdin.end(input);
  const [code] = (await once(child, "close")) as [number | null];
  return { code, ...told };
}

export interface Serving {
  readonly url: string;
  /** Sends the signal. @returns the exit code and how long it took, in milliseconds. */
  end(signal: NodeJS.Signals): Promise<{ code: number | null; took_ms: number }>;
}

/** Starts `lunas serve` and waits until it says that it is ready. */
export async function serve(settings: Settings): Promise<Serving> {
  const child = spawn(process.execPath, [LUNAS, "serve"], {
    env: environment({ LUNAS_LOG_LEVEL: "info", ...settings }),
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = once(child, "close") as Promise<[number | null]>;
  const url = await ready(child);
  return {
    url,
    end: async (signal) => {
      const at = performance.now();
      child.kill(signal);
      const [code] = await ended;
      return { code, took_ms: performance.now() - at };
    },
  };
}

function ready(child: ChildProcessByStdio<null, Readable, Readable>): Promise<string> {
  return new Promise((resolve, reject) => {
    const lines: string[] = [];
    const listen = (line: string): void => {
      lines.push(line);
      if (line.includes("Lunas is ready")) resolve((JSON.parse(line) as { url: string }).url);
    };
    for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on("line", listen);
    child.once("close", (code) => reject(new Error(`the hub ended with ${code}:\n${lines.join("\n")}`)));
  });
}
