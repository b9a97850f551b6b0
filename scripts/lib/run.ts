import { spawn } from "node:child_process";

export interface RunResult {
  /** Exit code; null where a signal ended it. */
  readonly code: number | null;
  /** What it printed, both streams, where `output` is "kept". */
  readonly text: string;
}

export interface RunOptions {
  readonly cwd: string;
  /** "shown" goes straight to the terminal; "kept" is collected. */
  readonly output: "shown" | "kept";
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** Runs a JavaScript tool with our own Node and waits for its end. Never throws for an exit code. */
export function runNode(args: readonly string[], options: RunOptions): Promise<RunResult> {
  return new Promise((done, fail) => {
    const child = spawn(process.execPath, args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: options.output === "shown" ? "inherit" : ["ignore", "pipe", "pipe"],
    });
    const chunks: Buffer[] = [];
    child.stdout?.on("data", (chunk: Buffer) => chunks.push(chunk));
    child.stderr?.on("data", (chunk: Buffer) => chunks.push(chunk));
    child.once("error", fail);
    child.once("close", (code) => done({ code, text: Buffer.concat(chunks).toString("utf8") }));
  });
}
