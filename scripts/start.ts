/**
 * `npm start`: the hub, the sandbox and the demo shop, each as a process of its own, until Ctrl+C.
 * Ports and addresses come from the environment (PORT, SANDBOX_PORT, SHOP_PORT, HOST); `npm start -- --verbose` shows all logs.
 */
import { mkdirSync } from "node:fs";
import { resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { buildStale } from "./lib/front-ends.ts";
import { whenNpmIsGone } from "./lib/orphan.ts";
import { ROOT } from "./lib/paths.ts";
import { requireRuntime } from "./lib/runtime.ts";
import { development, welcome } from "./lib/services.ts";
import { type Death, deathSentence, Supervisor } from "./lib/supervisor.ts";

const READY_WITHIN_MS = 60_000;
/** Longer than a service allows itself, so that it is the one who decides. */
const GRACE_MS = 25_000;
const SIGNAL_SPREAD_MS = 200;
/** A person or the system asked us to stop: all is well. */
const ASKED = Symbol("asked");

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

  const asked = Promise.withResolvers<typeof ASKED>();
  let times = 0;
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => {
      times += 1;
      // Ctrl+C reaches us from the terminal and once more through npm: only an impatient third one ends without grace.
      if (times > 2) void supervisor.stop(0);
      asked.resolve(ASKED);
    });
  }

  // Ctrl+C reaches the services as well: one of them may be gone a moment before we hear of it ourselves.
  const unlessAsked = async (death: Death): Promise<Death | typeof ASKED> => Promise.race([asked.promise, pause(SIGNAL_SPREAD_MS, death)]);
  // Whoever started us or read our output is gone: nobody is left to press Ctrl+C.
  whenNpmIsGone(() => asked.resolve(ASKED));
  process.stdout.on("error", () => asked.resolve(ASKED));

  const start = await Promise.race([supervisor.start(), asked.promise]);
  if (start === undefined) process.stdout.write(welcome(plan));
  const end = start ?? (await Promise.race([supervisor.died.then(unlessAsked), asked.promise]));
  if (end !== ASKED) process.stderr.write(`\n${typeof end === "string" ? end : `${deathSentence(end)}\nStopping the others.`}\n`);
  await supervisor.stop(GRACE_MS);
  return end === ASKED ? 0 : 1;
}

requireRuntime();
try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`\n${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
