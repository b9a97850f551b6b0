import { describe, expect, test } from "vitest";
import { closingLines, summarize, type RunFacts, type VitestReport } from "../../scripts/lib/summary.ts";

type FileResult = VitestReport["testResults"][number];

function fileResult(name: string, statuses: readonly string[], over: Partial<FileResult> = {}): FileResult {
  return {
    name: `/repo/${name}`,
    status: statuses.includes("failed") ? "failed" : "passed",
    message: "",
    assertionResults: statuses.map((status, index) => ({
      fullName: `test ${index}`,
      status,
      failureMessages: status === "failed" ? ["boom\n  at node_modules/a.js:1:1\n  at x\n  at y\n  at z"] : [],
    })),
    ...over,
  };
}

function run(files: readonly FileResult[], over: Partial<RunFacts> = {}): RunFacts {
  return { report: { testResults: files }, exit_code: 0, expected_files: undefined, root: "/repo", ...over };
}

function lastLine(facts: RunFacts): string | undefined {
  return closingLines(summarize(facts)).at(-1);
}

describe("the closing line", () => {
  test("counts what passed and says 0 failed", () => {
    expect(lastLine(run([fileResult("a.test.ts", ["passed", "passed"])]))).toBe("2 passed, 0 failed");
  });

  test("is the same when something was skipped: that is told on the line before", () => {
    const lines = closingLines(summarize(run([fileResult("a.test.ts", ["passed", "skipped", "todo"])])));
    expect(lines).toEqual(["2 skipped", "1 passed, 0 failed"]);
  });

  test("is the last line even after a hundred failures and more", () => {
    const lines = closingLines(
      summarize(
        run(
          [
            fileResult(
              "a.test.ts",
              Array.from({ length: 103 }, () => "failed"),
            ),
          ],
          { exit_code: 1 },
        ),
      ),
    );
    expect(lines.at(-1)).toBe("0 passed, 103 failed");
    expect(lines.at(-2)).toBe("… and 3 more");
  });

  test("is preceded by the file, the name and the first lines of a failure", () => {
    expect(closingLines(summarize(run([fileResult("a.test.ts", ["failed"])], { exit_code: 1 })))).toEqual([
      "FAILED a.test.ts > test 0",
      "    boom",
      "    at x",
      "    at y",
      "0 passed, 1 failed",
    ]);
  });
});

describe("counted as a failure", () => {
  const good = fileResult("a.test.ts", ["passed"]);

  test("a file that could not be collected", () => {
    const summary = summarize(
      run([good, fileResult("b.test.ts", [], { status: "failed", message: "Cannot find module './c.ts'" })], { exit_code: 1 }),
    );
    expect(summary.failures).toEqual([{ file: "b.test.ts", test: "", message: "Cannot find module './c.ts'" }]);
  });

  test("a file whose hook failed, although its tests are only skipped or passed", () => {
    expect(lastLine(run([fileResult("a.test.ts", ["passed", "skipped"], { status: "failed", message: "hook" })], { exit_code: 1 }))).toBe(
      "1 passed, 1 failed",
    );
  });

  test("a file that ended without a single test, as a killed worker leaves it", () => {
    expect(lastLine(run([good, fileResult("b.test.ts", [])]))).toBe("1 passed, 1 failed");
  });

  test("each test that did not finish", () => {
    expect(lastLine(run([fileResult("a.test.ts", ["passed", "pending", "pending"])], { exit_code: 1 }))).toBe("1 passed, 2 failed");
  });

  test("a file that had to run and is not in the report", () => {
    const summary = summarize(run([good], { expected_files: ["a.test.ts", "b.test.ts"] }));
    expect(summary.failures).toEqual([{ file: "b.test.ts", test: "", message: "the file never ran" }]);
  });

  test("an error outside of every test, which the report does not hold", () => {
    expect(lastLine(run([good], { exit_code: 1 }))).toBe("1 passed, 1 failed");
    expect(lastLine(run([good], { exit_code: null }))).toBe("1 passed, 1 failed");
  });

  test("a run of nothing", () => {
    expect(lastLine(run([]))).toBe("0 passed, 1 failed");
  });

  test("a run without a report", () => {
    expect(lastLine(run([], { report: undefined }))).toBe("0 passed, 1 failed");
  });
});
