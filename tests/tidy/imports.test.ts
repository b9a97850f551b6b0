import { describe, expect, test } from "vitest";
import { importProblems } from "./rules/imports.ts";
import { allFiles, isCode, told } from "./rules/source.ts";

test("every import in the tree goes in the direction of the house", () => {
  expect(told(allFiles().filter(isCode).flatMap(importProblems))).toEqual([]);
});

const problems = (path: string, text: string): string[] => importProblems({ path, text }).map(({ what }) => what);

describe("the rule refuses", () => {
  test.each([
    ["packages/domain/src/a.ts", 'import { x } from "@lunas/providers";', "packages/domain may not import packages/providers"],
    ["packages/domain/src/a.test.ts", 'import { x } from "@lunas/sandbox";', "packages/domain may not import packages/sandbox"],
    [
      "packages/providers/midtrans/gateway.ts",
      'import { x } from "../../hub/src/store/index.ts";',
      "packages/providers may not import packages/hub/src/store",
    ],
    [
      "packages/providers/midtrans/gateway.ts",
      'import type { X } from "../xendit/wire.ts";',
      "a provider's folder (xendit) is imported only through the registry",
    ],
    ["packages/sdk/src/client.ts", 'export type { Order } from "@lunas/domain";', "packages/sdk may not import packages/domain"],
    ["packages/sandbox/src/a.ts", 'import { x } from "@lunas/hub";', "only the command line may import the composition root"],
    ["packages/hub/src/collect/a.ts", 'import { x } from "../api/server.ts";', "packages/hub/src/collect may not import packages/hub/src/api"],
    ["packages/hub/src/deliver/a.ts", 'const x = await import("../cli/lunas.ts");', "packages/hub/src/deliver may not import packages/hub/src/cli"],
    ["packages/hub/src/reconcile/a.ts", 'export * from "../api/routes.ts";', "packages/hub/src/reconcile may not import packages/hub/src/api"],
    ["packages/hub/src/ingest/a.ts", 'type X = import("@lunas/providers/midtrans").X;', "packages/hub/src/ingest may not import packages/providers"],
    ["packages/hub/src/store/a.ts", 'import { x } from "../collect/apply.ts";', "packages/hub/src/store may not import packages/hub/src/collect"],
    ["packages/hub/src/api/a.ts", 'import { x } from "../main.ts";', "only the command line may import the composition root"],
    ["packages/hub/src/hub.ts", 'import { x } from "./collect/apply.ts";', "packages/hub may not import packages/hub/src/collect"],
    ["packages/hub/src/api/a.ts", 'import { x } from "../provision.ts";', "only the command line may import the composition root"],
    ["packages/hub/src/collect/a.ts", 'import { x } from "../testing/drive.ts";', "what is made for tests"],
    ["apps/shop/server/main.ts", 'import { x } from "@lunas/domain";', "apps/shop may not import packages/domain"],
    ["apps/checkout/src/main.tsx", 'import { x } from "../../shop/web/a.ts";', "apps/checkout may not import apps/shop"],
    ["packages/domain/src/a.ts", 'import { x } from "./money";', "Node wants the file's full name"],
  ])("%s: %s", (path, text, why) => {
    expect(problems(path, text)).toEqual([expect.stringContaining(why)]);
  });
});

describe("the rule takes", () => {
  test.each([
    ["packages/domain/src/a.ts", 'import { createHash } from "node:crypto"; import { b } from "./b.ts";'],
    ["packages/providers/registry.ts", 'import { midtrans } from "./midtrans/index.ts";'],
    ["packages/providers/midtrans/emulator/a.ts", 'import { x } from "../wire.ts"; import { y } from "@lunas/domain"; import { z } from "zod";'],
    ["packages/hub/src/main.ts", 'import { x } from "./api/server.ts"; import { y } from "@lunas/providers"; import { z } from "@lunas/sandbox";'],
    ["packages/hub/src/cli/lunas.ts", 'import { x } from "../main.ts"; import { y } from "@lunas/sandbox";'],
    ["packages/hub/src/collect/a.ts", 'import { x } from "../store/index.ts"; import type { Hub } from "../hub.ts";'],
    ["packages/hub/src/collect/a.test.ts", 'import { emulator } from "@lunas/providers/midtrans/emulator";'],
    ["packages/hub/src/testing/drive.ts", 'import { x } from "../collect/orders.ts"; import { y } from "../../../../tests/harness/postgres.ts";'],
    ["tests/chaos/run.ts", 'import { x } from "../../packages/hub/src/main.ts";'],
  ])("%s: %s", (path, text) => {
    expect(problems(path, text)).toEqual([]);
  });
});
