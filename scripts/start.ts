/**
 * `npm start`: the hub, the sandbox and the demo shop, each as a process of its own, until Ctrl+C.
 * Ports and addresses come from the environment (PORT, SANDBOX_PORT, SHOP_PORT, HOST); `npm start -- --verbose` shows all logs.
 */
import { mkdirSync } from "node:fs";
import { resolve } from "node:path";
import { buildStale } from "./lib/front-ends.ts";
import { ROOT } from "./lib/paths.ts";
import { requireRuntime } from "./lib/runtime.ts";
import { development, welcome } from "./lib/services.ts";
import { deathSentence, Supervisor } from "./lib/supervisor.ts";

const READY_WITHIN_MS = 60_000;
const GRACE_MS = 10_000;

async function main(): Promise<number> {
  const plan = development(process.env);
  await buildStale();
  mkdirSync(resolve(ROOT, "data"), { recursive: true });
  const verbose = process.argv.includes("--verbose") || process.env["LUNAS_LOG_LEVEL"] !== undefined;
  const supervisor = new Supervisor(plan.services, {
    cwd: ROOT,
    write: (text) => process.stdout.write(text),
    verbose,
    ready_within_ms: READY_WITHIN_MS,
  });

  const asked = Promise.withResolvers<void>();
  let times = 0;
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => {
      times += 1;
      // Ctrl+C reaches us from the terminal and once more through npm: only an impatient third one ends without grace.
      if (times > 2) void supervisor.stop(0);
      asked.resolve();
    });
  }

  const problem = await Promise.race([supervisor.start(), asked.promise.then(() => "stopped")]);
  if (problem !== undefined) {
    if (times === 0) process.stderr.write(`\n${problem}\n`);
    await supervisor.stop(GRACE_MS);
    return times === 0 ? 1 : 0;
  }
  process.stdout.write(welcome(plan));
  const death = await Promise.race([supervisor.died, asked.promise]);
  if (death) process.stderr.write(`\n${deathSentence(death)}\nStopping the others.\n`);
  await supervisor.stop(GRACE_MS);
  return death ? 1 : 0;
}

requireRuntime();
try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`\n${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
