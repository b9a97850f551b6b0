import { type ChildProcess, fork, type ForkOptions } from "node:child_process";
import { join } from "node:path";
import type { LoadOrder, LoadReport } from "./load.ts";

/** The first message of a child, or the error that it ended with. */
export function firstMessage<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    child.once("message", (message) => resolve(message as T));
    child.once("exit", (code) => reject(new Error(`a bench process ended with ${code} before it said anything`)));
  });
}

export function child(file: string, words: readonly string[] = [], options: ForkOptions = {}): ChildProcess {
  return fork(join(import.meta.dirname, file), [...words], { stdio: ["ignore", "inherit", "inherit", "ipc"], ...options });
}

/** Loads a server from a process of its own. */
export async function load(order: LoadOrder): Promise<LoadReport> {
  const worker = child("load.ts", [], { execArgv: ["--expose-gc"] });
  try {
    worker.send(order);
    const report = await firstMessage<LoadReport & { error?: string }>(worker);
    if (report.error) throw new Error(report.error);
    return report;
  } finally {
    worker.kill("SIGKILL");
  }
}

export async function end(process: ChildProcess): Promise<void> {
  if (process.exitCode !== null || process.signalCode !== null) return;
  const gone = new Promise<void>((resolve) => process.once("exit", () => resolve()));
  process.kill("SIGKILL");
  await gone;
}

/** Sends a question to a bench process and waits for its answer. */
export function ask<T>(process: ChildProcess, question: Record<string, unknown>): Promise<T> {
  return new Promise((resolve, reject) => {
    const failed = (code: number | null): void => reject(new Error(`a bench process ended with ${code}`));
    process.once("exit", failed);
    process.once("message", (message) => {
      process.off("exit", failed);
      const told = message as { error?: string };
      if (told.error) reject(new Error(told.error));
      else resolve(message as T);
    });
    process.send(question);
  });
}
