import { spawn } from "node:child_process";
import { join } from "node:path";
import { type Bench, pause } from "../lib/bench.ts";
import { end } from "../lib/children.ts";
import { freePort } from "../lib/ports.ts";
import { median, type Result, result } from "../lib/result.ts";

const CLI = join(import.meta.dirname, "../../packages/hub/src/cli/lunas.ts");

/** From the start of `lunas serve` until /readyz says 200: on an empty database, whose schema has to be made, and on one that was used before. */
export async function start(bench: Bench): Promise<Result[]> {
  const [first, again]: [number[], number[]] = [[], []];
  for (let round = 0; round < bench.size(5, 1); round += 1) {
    const database = await bench.database();
    first.push(await once(bench, database));
    again.push(await once(bench, database));
  }
  return [result("start.first", bench.engine, "ms", median(first)), result("start", bench.engine, "ms", median(again))];
}

async function once(bench: Bench, database: string): Promise<number> {
  const port = await freePort();
  const began = performance.now();
  const hub = spawn(process.execPath, [CLI, "serve"], {
    env: { ...bench.environment(database), PORT: String(port) },
    stdio: ["ignore", "ignore", "inherit"],
  });
  try {
    for (;;) {
      const ready = await fetch(`http://127.0.0.1:${port}/readyz`).then(
        (answer) => answer.status === 200,
        () => false,
      );
      if (ready) return performance.now() - began;
      if (hub.exitCode !== null) throw new Error(`the hub ended with ${hub.exitCode} before it was ready`);
      await pause(5);
    }
  } finally {
    await end(hub);
  }
}
