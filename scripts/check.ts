/**
 * `npm run check`: types, lint, format and the tidy tests, all of them, in seconds; prints only what failed.
 * `npm run check -- --fix` first mends what the linter and the formatter can mend.
 */
import { availableParallelism } from "node:os";
import { ROOT, TOOLS } from "./lib/paths.ts";
import { runNode } from "./lib/run.ts";
import { requireRuntime } from "./lib/runtime.ts";

interface Step {
  readonly name: string;
  readonly args: readonly string[];
}

const STEPS: readonly Step[] = [
  { name: "types", args: [TOOLS.tsc, "--noEmit", "-p", "tsconfig.json"] },
  { name: "types, web", args: [TOOLS.tsc, "--noEmit", "-p", "tsconfig.web.json"] },
  { name: "types, web tests", args: [TOOLS.tsc, "--noEmit", "-p", "tsconfig.web-tests.json"] },
  { name: "lint", args: [TOOLS.oxlint, "--type-aware", "--report-unused-disable-directives", "--deny-warnings", "."] },
  { name: "format", args: [TOOLS.oxfmt, "--check", "."] },
  { name: "tidy", args: [TOOLS.vitest, "run", "--reporter=default", "tests/tidy", "tests/runner"] },
];

const FIXES: readonly Step[] = [
  { name: "lint --fix", args: [TOOLS.oxlint, "--type-aware", "--fix", "."] },
  { name: "format --write", args: [TOOLS.oxfmt, "."] },
];

/** Runs one step and prints its line, and its output where it failed. True when it passed. */
async function run(step: Step): Promise<boolean> {
  const started_ms = performance.now();
  const { code, text } = await runNode(step.args, { cwd: ROOT, output: "kept", env: { NO_COLOR: "1", FORCE_COLOR: undefined } });
  const seconds = ((performance.now() - started_ms) / 1000).toFixed(1);
  const line = `${code === 0 ? "ok    " : "FAILED"} ${step.name} (${seconds} s)`;
  process.stdout.write(code === 0 ? `${line}\n` : `${line}\n${text.trim()}\n\n`);
  return code === 0;
}

/** Runs steps side by side, at most as many as there are cores. */
async function runAll(steps: readonly Step[], width: number): Promise<number> {
  const queue = [...steps];
  let failed = 0;
  const worker = async (): Promise<void> => {
    for (let step = queue.shift(); step !== undefined; step = queue.shift()) if (!(await run(step))) failed += 1;
  };
  await Promise.all(Array.from({ length: width }, worker));
  return failed;
}

requireRuntime();
if (process.argv.includes("--fix")) await runAll(FIXES, 1);
const failed = await runAll(STEPS, availableParallelism());
process.stdout.write(failed === 0 ? "all well\n" : `${failed} of ${STEPS.length} checks failed\n`);
process.exitCode = failed === 0 ? 0 : 1;
