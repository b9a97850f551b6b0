/** `npm run build`: the front ends and the sdk's `dist`, where missing or stale. `npm run build -- --force` builds all. */
import { buildStale } from "./lib/front-ends.ts";
import { requireRuntime } from "./lib/runtime.ts";

requireRuntime();
try {
  await buildStale({ force: process.argv.includes("--force") });
} catch (error) {
  process.stderr.write(`\n${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
