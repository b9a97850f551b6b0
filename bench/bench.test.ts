import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, onTestFinished, test } from "vitest";
import { meets, type Result, result, table } from "./lib/result.ts";

const run = promisify(execFile);

test("the bench takes notifications in on SQLite, finds every payment paid once, and writes what it measured", async () => {
  const folder = mkdtempSync(join(tmpdir(), "lunas-bench-test-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "bench.json");
  const { stdout, stderr } = await run(process.execPath, [
    join(import.meta.dirname, "run.ts"),
    "--quick",
    "--only",
    "ingest",
    "--engine",
    "sqlite",
    "--json",
    file,
  ]);
  const lines = JSON.parse(readFileSync(file, "utf8")) as Result[];
  const positive: unknown = expect.toSatisfy((value: unknown) => typeof value === "number" && value > 0, "a positive number");
  expect(lines).toEqual([
    { name: "ingest", engine: "sqlite", unit: "1/s", value: positive, baseline: positive, ratio: positive },
    { name: "ingest.p99_half_load", engine: "sqlite", unit: "ms", value: positive, baseline: positive, ratio: positive },
  ]);
  expect(stderr).toContain("every payment paid once");
  expect(stdout).toContain("ingest.p99_half_load");
});

test("a measure or an engine that does not exist is refused, with those that do", async () => {
  const refused = run(process.execPath, [join(import.meta.dirname, "run.ts"), "--only", "speed"]);
  await expect(refused).rejects.toMatchObject({ stderr: expect.stringContaining("there is no measure speed; there are ingest, apply") as unknown });
});

describe("a line meets its target", () => {
  test.each([
    [result("ingest", "sqlite", "1/s", 40, 100), true],
    [result("ingest", "sqlite", "1/s", 39, 100), false],
    [result("ingest", "postgres", "1/s", 25, 100), true],
    [result("ingest.p99_half_load", "sqlite", "ms", 20), true],
    [result("ingest.p99_half_load", "sqlite", "ms", 20.1), false],
    [result("deliver.p99_one_hangs", "postgres", "ms", 15, 10), true],
    [result("deliver.p99_one_hangs", "postgres", "ms", 16, 10), false],
    [result("open.p50", "sqlite", "ms", 1), undefined],
  ])("%o: %s", (line, met) => expect(meets(line)).toBe(met));

  test("and the table says so", () => {
    const text = table([result("ingest", "sqlite", "1/s", 39, 100), result("flat.status", "sqlite", "1/s", 90, 100)]);
    expect(
      text
        .split("\n")
        .slice(1)
        .map((line) => line.trim().split(/\s+/).at(-1)),
    ).toEqual(["FAIL", "pass"]);
  });
});
