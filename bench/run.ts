/**
 * `npm run bench`: every speed we claim, as ratios against baselines that are measured in the same run.
 * `-- --json FILE` writes the lines, `--only NAME` (repeatable) runs some measures, `--engine NAME` one engine, `--quick` is a smoke test.
 */
import { writeFileSync } from "node:fs";
import { availableParallelism, cpus, loadavg } from "node:os";
import { parseArgs } from "node:util";
import { Bench } from "./lib/bench.ts";
import { type EngineName, meets, type Result, table } from "./lib/result.ts";
import { MEASURES } from "./measures/index.ts";

const ENGINES: readonly EngineName[] = ["sqlite", "postgres"];

const { values } = parseArgs({
  options: {
    json: { type: "string" },
    only: { type: "string", multiple: true },
    engine: { type: "string", multiple: true },
    quick: { type: "boolean", default: false },
  },
});

function chosen<T extends string>(all: readonly T[], wished: readonly string[] | undefined, what: string): T[] {
  const unknown = (wished ?? []).filter((name) => !all.includes(name as T));
  if (unknown.length > 0) throw new Error(`there is no ${what} ${unknown.join(", ")}; there are ${all.join(", ")}`);
  return all.filter((name) => wished?.includes(name) ?? true);
}

const names = chosen(Object.keys(MEASURES), values.only, "measure");
const engines = chosen(ENGINES, values.engine, "engine");
const lines: Result[] = [];
process.stderr.write(`${availableParallelism()} cores, ${cpus()[0]?.model}, node ${process.version}, ${loadavg()[0]!.toFixed(1)} others busy\n`);
let broken = false;
for (const engine of engines) {
  for (const name of names) {
    process.stderr.write(`${name} on ${engine}\n`);
    const bench = new Bench(engine, values.quick);
    try {
      lines.push(...(await MEASURES[name]!(bench)));
    } catch (error) {
      broken = true;
      process.stderr.write(
        `${name} on ${engine} could not be measured: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
      );
    } finally {
      await bench.end();
    }
  }
}
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(lines, null, 2)}\n`);
process.stdout.write(`${table(lines)}\n`);
// What a smoke test measures says nothing.
const missed = values.quick ? 0 : lines.filter((line) => meets(line) === false).length;
if (missed > 0) process.stdout.write(`${missed} of ${lines.length} lines miss their target\n`);
process.exitCode = broken || missed > 0 ? 1 : 0;
