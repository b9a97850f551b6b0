/**
 * `npm test`: builds what is stale, runs every test and ends with the line "N passed, N failed".
 * Arguments go to vitest: `npm test -- packages/domain`.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildStale } from "./lib/front-ends.ts";
import { ROOT, TOOLS } from "./lib/paths.ts";
import { runNode } from "./lib/run.ts";
import { requireRuntime } from "./lib/runtime.ts";
import { closingLines, summarize, type VitestReport } from "./lib/summary.ts";
import { allTestFiles } from "./lib/test-files.ts";

function readReport(file: string): VitestReport | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as VitestReport;
  } catch {
    return undefined;
  }
}

requireRuntime();
const chosen = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), "lunas-test-"));
const file = join(folder, "report.json");
try {
  await buildStale();
  const args = [TOOLS.vitest, "run", "--reporter=default", "--reporter=json", `--outputFile.json=${file}`, ...chosen];
  const { code } = await runNode(args, { cwd: ROOT, output: "shown" });
  const summary = summarize({
    report: readReport(file),
    exit_code: code,
    expected_files: chosen.length === 0 ? allTestFiles() : undefined,
    root: ROOT,
  });
  process.exitCode = summary.failed === 0 ? 0 : 1;
  process.stdout.write(`\n${closingLines(summary).join("\n")}\n`);
} catch (error) {
  // A front end that does not build is a failure like any other, and the closing line is still the last.
  process.exitCode = 1;
  process.stdout.write(`\nFAILED before the tests\n${error instanceof Error ? error.message : String(error)}\n0 passed, 1 failed\n`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
