import { describe, expect, test } from "vitest";
import { providerNameProblems, providerNames } from "./rules/provider-names.ts";
import { allFiles, told } from "./rules/source.ts";

const files = allFiles();

test("a provider is known by name in its own folder and in the registry only", () => {
  const names = providerNames(files);
  expect(names).toContain("midtrans");
  expect(told(files.flatMap((file) => providerNameProblems(file, names)))).toEqual([]);
});

const problems = (path: string, text: string): string[] => providerNameProblems({ path, text }, ["midtrans"]).map(({ line }) => `line ${line}`);

describe("the rule", () => {
  test.each([
    ["packages/sandbox/src/start.ts", "const EMULATORS = { midtrans: make };\n", "line 1"],
    ["packages/hub/src/cli/serve.ts", "// why\nconst url = `${base}/callbacks/midtrans`;", "line 2"],
    ["packages/hub/src/collect/a.ts", "function askMidtrans() {}", "line 1"],
    ["packages/providers/package.json", '{\n "exports": { "./midtrans": "./midtrans/index.ts" } }', "line 2"],
    ["packages/providers/xendit/gateway.ts", 'import type { X } from "../midtrans/wire.ts";', "line 1"],
    ["scripts/demo.ts", "await pay(`/midtrans/${id}`);", "line 1"],
  ])("refuses %s: %s", (path, text, where) => expect(problems(path, text)).toEqual([where]));

  test.each([
    ["packages/providers/midtrans/gateway.ts", 'const name = "midtrans";'],
    ["packages/providers/registry.ts", 'import { midtrans } from "./midtrans/index.ts";'],
    ["packages/hub/src/collect/a.ts", "/* as midtrans.md says */ const a = 1; // midtrans"],
    ["packages/hub/src/collect/a.test.ts", 'const account = "midtrans";'],
    ["packages/sandbox/src/testing/merchant.ts", "const at = `${url}/midtrans`;"],
    ["apps/shop/web/lib/texts.ts", 'const note = "Midtrans";'],
    ["docs/sandbox.md", "Today it emulates Midtrans."],
  ])("takes %s: %s", (path, text) => expect(problems(path, text)).toEqual([]));
});
