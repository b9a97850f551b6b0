import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { isWorthShowing } from "../../scripts/lib/log-lines.ts";
import { runtimeProblem } from "../../scripts/lib/runtime.ts";
import { development, welcome } from "../../scripts/lib/services.ts";

describe("npm start", () => {
  test("uses the documented ports, database and key when nothing is set", () => {
    const plan = development({});
    expect(plan.services.map(({ name, port }) => [name, port])).toEqual([
      ["sandbox", 8090],
      ["hub", 8080],
      ["shop", 8070],
    ]);
    const hub = plan.services.find(({ name }) => name === "hub");
    expect(hub?.env).toMatchObject({
      LUNAS_MODE: "development",
      LUNAS_DATABASE_URL: "sqlite:./data/lunas.db",
      LUNAS_DEV_API_KEY: "sk_test_lunas_dev",
      HOST: "127.0.0.1",
    });
  });

  test("tells every service of every port that was moved", () => {
    const plan = development({ PORT: "9080", SANDBOX_PORT: "9090", SHOP_PORT: "9070" });
    for (const service of plan.services) expect(service.env).toMatchObject({ PORT: "9080", SANDBOX_PORT: "9090", SHOP_PORT: "9070" });
    expect(welcome(plan)).toContain("http://127.0.0.1:9070");
  });

  test("refuses what is not a port, and two services on one", () => {
    expect(() => development({ PORT: "http" })).toThrow('PORT must be a port from 1 to 65535, not "http"');
    expect(() => development({ PORT: "8090" })).toThrow("three different ports");
  });
});

describe("the runtime", () => {
  test("is taken from 24.15 on", () => {
    expect(["v24.15.0", "v25.0.0", "v26.10.0"].map((version) => runtimeProblem(version))).toEqual([undefined, undefined, undefined]);
  });

  test("is refused with a way out when it is older", () => {
    for (const version of ["v20.20.2", "v22.18.0", "v24.14.9"]) expect(runtimeProblem(version)).toContain(`this is ${version}`);
  });
});

describe("a line of a service's log is shown", () => {
  test.each([
    ['{"level":30,"msg":"listening"}', false, false],
    ['{"level":50,"msg":"disk full"}', false, true],
    ['{"level":30,"msg":"listening"}', true, false],
    ["listening on :8080", false, false],
    ["Error: no such table", true, true],
    ["{ not json", true, true],
    ["   ", true, false],
  ])("%s (stderr: %s): %s", (line, is_error, shown) => {
    expect(isWorthShowing(line, is_error)).toBe(shown);
  });
});

test("the hub is started with the same flags by npm start, by npm run lunas, by its own first line and by the unit that the docs show", () => {
  const flags = development({})
    .services.find(({ name }) => name === "hub")!
    .args.filter((word) => word.startsWith("--"));
  expect(flags).toHaveLength(3);
  const read = (file: string): string => readFileSync(join(import.meta.dirname, "../..", file), "utf8");
  const started = (JSON.parse(read("package.json")) as { scripts: Record<string, string> }).scripts["lunas"];
  expect(started).toBe(`node ${flags.join(" ")} packages/hub/src/cli/lunas.ts`);
  expect(read("packages/hub/src/cli/lunas.ts").split("\n")[0]).toBe(`#!/usr/bin/env -S node ${flags.join(" ")}`);
  expect(read("docs/operations.md")).toContain(`/node ${flags.join(" ")} packages/hub/src/cli/lunas.ts serve\n`);
});
