import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, onTestFinished, test } from "vitest";
import { meets, type Result, result, table } from "./lib/result.ts";
import { MEASURES } from "./measures/index.ts";

const run = promisify(execFile);
const QUICK_LIMIT_MS = 240_000;

const positive: unknown = expect.toSatisfy((value: unknown) => typeof value === "number" && value > 0, "a positive number");

/** A smoke test's lines: their figures say nothing, but that they are there says that the measure works. */
async function quick(...flags: string[]): Promise<{ lines: Result[]; stdout: string; stderr: string }> {
  const folder = mkdtempSync(join(tmpdir(), "lunas-bench-test-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "bench.json");
  const { stdout, stderr } = await run(process.execPath, [join(import.meta.dirname, "run.ts"), "--quick", "--json", file, ...flags], {
    timeout: QUICK_LIMIT_MS,
  });
  return { lines: JSON.parse(readFileSync(file, "utf8")) as Result[], stdout, stderr };
}

function line(engine: Result["engine"], name: string, unit: Result["unit"], compared = true): unknown {
  return { name, engine, unit, value: positive, baseline: compared ? positive : null, ratio: compared ? positive : null };
}

// About 20 s on a machine with nothing else to do.
test(
  "every measure of the bench runs on SQLite, finds every payment paid once, and writes what it measured",
  { timeout: QUICK_LIMIT_MS },
  async () => {
    const { lines, stdout, stderr } = await quick("--engine", "sqlite");
    expect(lines).toEqual([
      line("sqlite", "ingest", "1/s"),
      line("sqlite", "ingest.p99_half_load", "ms"),
      line("sqlite", "apply", "1/s"),
      line("sqlite", "deliver", "1/s"),
      line("sqlite", "deliver.p99_one_hangs", "ms"),
      line("sqlite", "open.p50", "ms"),
      line("sqlite", "open.p99", "ms"),
      line("sqlite", "flat.ingest", "1/s"),
      line("sqlite", "flat.status", "1/s"),
      line("sqlite", "start.first", "ms", false),
      line("sqlite", "start", "ms", false),
      line("sqlite", "memory.idle", "MB", false),
      line("sqlite", "memory.load", "MB", false),
    ]);
    expect(stderr).toContain("every payment paid once");
    expect(stdout).toContain("ingest.p99_half_load");
  },
);

// About 7 s: a PostgreSQL whose commits reach the disk is started for it.
test("the bench takes notifications in on PostgreSQL, too, and finds every payment paid once", { timeout: QUICK_LIMIT_MS }, async () => {
  const { lines, stderr } = await quick("--engine", "postgres", "--only", "ingest");
  expect(lines).toEqual([line("postgres", "ingest", "1/s"), line("postgres", "ingest.p99_half_load", "ms")]);
  expect(stderr).toContain("every payment paid once");
});

test("the page on performance names every measure, and the baseline of those that have one", () => {
  const page = readFileSync(join(import.meta.dirname, "../docs/performance.md"), "utf8");
  const rows = [...page.matchAll(/^\| ((?:`\w+`(?:, )?)+) \| [^|]+ \| ([^|]*) \|/gm)].flatMap(([, names = "", baseline = ""]) =>
    [...names.matchAll(/`(\w+)`/g)].map((match) => [match[1], baseline.trim()] as const),
  );
  expect(rows.map(([name]) => name)).toEqual(Object.keys(MEASURES));
  const bare = rows.filter(([, baseline]) => baseline === "none").map(([name]) => name);
  expect(bare).toEqual(["start", "memory"]);
  expect(rows.every(([, baseline]) => baseline !== "")).toBe(true);
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
