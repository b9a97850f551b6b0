import { relative } from "node:path";

/** The part of vitest's JSON report that counts. */
export interface VitestReport {
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message: string;
    readonly assertionResults: readonly { readonly fullName: string; readonly status: string; readonly failureMessages?: readonly string[] | null }[];
  }[];
}

export interface Failure {
  /** File, relative to the root; empty where no file is to blame. */
  readonly file: string;
  /** Full name of the test; empty where the file as a whole failed. */
  readonly test: string;
  readonly message: string;
}

export interface Summary {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly failures: readonly Failure[];
}

export interface RunFacts {
  /** Undefined where vitest left no readable report. */
  readonly report: VitestReport | undefined;
  /** Exit code of vitest; null where a signal ended it. */
  readonly exit_code: number | null;
  /** Files that had to run, relative to the root; undefined in a run of chosen files. */
  readonly expected_files: readonly string[] | undefined;
  readonly root: string;
}

type FileResult = VitestReport["testResults"][number];

/**
 * Counts a run. Stricter than vitest's own numbers: a file that could not be collected, whose hook failed, that ended
 * with tests unfinished, holds no test or never ran is one failure each; so are errors outside of every test and a run of nothing.
 */
export function summarize({ report, exit_code, expected_files, root }: RunFacts): Summary {
  const failures: Failure[] = [];
  let passed = 0;
  let skipped = 0;
  const seen = new Set<string>();
  for (const result of report?.testResults ?? []) {
    const file = relative(root, result.name).replaceAll("\\", "/");
    seen.add(file);
    passed += result.assertionResults.filter((test) => test.status === "passed").length;
    skipped += result.assertionResults.filter((test) => test.status === "skipped" || test.status === "todo").length;
    failures.push(...failuresOf(file, result));
  }
  for (const file of expected_files ?? []) if (!seen.has(file)) failures.push({ file, test: "", message: "the file never ran" });
  if (!report) failures.push({ file: "", test: "", message: "vitest left no report: it did not start, or it was ended from outside" });
  else if (passed + skipped + failures.length === 0) failures.push({ file: "", test: "", message: "no test ran" });
  else if (exit_code !== 0 && failures.length === 0) {
    failures.push({
      file: "",
      test: "",
      message: `an error outside of every test (vitest ended with ${exit_code ?? "a signal"}); see its output above`,
    });
  }
  return { passed, failed: failures.length, skipped, failures };
}

function failuresOf(file: string, result: FileResult): Failure[] {
  const failures: Failure[] = [];
  for (const test of result.assertionResults) {
    if (test.status === "failed") failures.push({ file, test: test.fullName, message: test.failureMessages?.[0] ?? "failed" });
    else if (!["passed", "skipped", "todo"].includes(test.status)) failures.push({ file, test: test.fullName, message: "did not finish" });
  }
  if (failures.length > 0) return failures;
  if (result.status !== "passed") return [{ file, test: "", message: result.message || "the file failed outside of its tests" }];
  if (result.assertionResults.length === 0) return [{ file, test: "", message: "the file ended without a single test" }];
  return [];
}

const MESSAGE_LINES = 3;
const FAILURES_SHOWN = 100;

/** What is printed at the end: the failures, compactly, how many tests were skipped, and last the plain closing line, which is always `N passed, N failed`. */
export function closingLines(summary: Summary): string[] {
  const lines: string[] = [];
  for (const failure of summary.failures.slice(0, FAILURES_SHOWN)) {
    lines.push(`FAILED ${[failure.file, failure.test].filter(Boolean).join(" > ") || "the run"}`);
    const message = failure.message
      .split("\n")
      .map((line) => line.trim())
      .filter((line) => line !== "" && !line.includes("node_modules"))
      .slice(0, MESSAGE_LINES);
    lines.push(...message.map((line) => `    ${line}`));
  }
  const more = summary.failures.length - FAILURES_SHOWN;
  if (more > 0) lines.push(`… and ${more} more`);
  if (summary.skipped > 0) lines.push(`${summary.skipped} skipped`);
  lines.push(`${summary.passed} passed, ${summary.failed} failed`);
  return lines;
}
