import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "../..");

test("npm run demo does the main job without a browser, tells its whole story and ends with 0", async () => {
  const { NODE_OPTIONS: _own, ...env } = process.env;
  // It rejects at any exit code but 0.
  const { stdout, stderr } = await promisify(execFile)(process.execPath, ["scripts/demo.ts"], { cwd: ROOT, env });
  expect(stderr).toBe("");
  expect(stdout).toMatch(/ hub +payment paid, \d+ IDR confirmed by the gateway/);
  expect(stdout).toMatch(/ shop +order paid \(transaction [0-9a-f-]{36}\), because a signed webhook said so/);
  const [, timeline = ""] = stdout.split("Timeline of the payment\n");
  const story = timeline.split("\n").filter((line) => line.startsWith("  "));
  const at = (line: RegExp): number => story.findIndex((one) => line.test(one));
  const steps = [
    at(/ answer +hub → midtrans +open .*: says pending \[applied\]/),
    at(/ transition +.* payment: submitted → pending/),
    at(/ notification +midtrans notification +a notification claims "paid"/),
    at(/ answer +hub → midtrans +get .*: says paid \[applied\]/),
    at(/ transition +.* payment: pending → paid/),
    at(/ event +hub +order\.paid/),
  ];
  expect(steps, story.join("\n")).not.toContain(-1);
  expect(steps).toEqual(steps.toSorted((a, b) => a - b));
  expect(at(/ attempt +hub → .*: answered 20\d in/)).toBeGreaterThan(-1);
  expect(stdout.trimEnd().split("\n").at(-1)).toBe("Lunas.");
});

/** Refuses what only a build makes. */
const NOTHING_BUILT = `
import { registerHooks } from "node:module";
registerHooks({
  resolve(specifier, context, next) {
    const found = next(specifier, context);
    if (/\\/(packages|apps)\\/[^/]+\\/dist\\//.test(found.url)) throw new Error("imports " + found.url);
    return found;
  },
});
await import(process.env.PROGRAM);`;

test.each(["tests/chaos/chaos.ts", "bench/measures/index.ts", "packages/hub/src/main.ts"])(
  "%s runs in a clone that was only installed: it imports nothing that has to be built",
  async (program) => {
    const { NODE_OPTIONS: _own, ...env } = process.env;
    const args = ["--input-type=module", "-e", NOTHING_BUILT];
    await promisify(execFile)(process.execPath, args, { cwd: ROOT, env: { ...env, PROGRAM: join(ROOT, program) } });
  },
);
