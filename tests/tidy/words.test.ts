import { describe, expect, test } from "vitest";
import { allFiles, isCode, told } from "./rules/source.ts";
import { anyProblems, lockProblems, machineProblems, noteProblems } from "./rules/words.ts";

const files = allFiles();

test("no file holds a note for later", () => {
  expect(told(files.flatMap(noteProblems))).toEqual([]);
});

test("no file names a path of one machine or a package registry", () => {
  expect(told(files.flatMap(machineProblems))).toEqual([]);
});

test("every `any` is explained", () => {
  expect(told(files.filter(isCode).flatMap(anyProblems))).toEqual([]);
});

test("the lock file works with every registry", () => {
  const locks = files.filter(({ path }) => path === "package-lock.json");
  expect(locks).toHaveLength(1);
  expect(told(locks.flatMap(lockProblems))).toEqual([]);
});

const file = (text: string): { path: string; text: string } => ({ path: "packages/domain/src/a.ts", text });
// Samples are put together from parts: this file is read by the rules as well.
const [TO, FIX, WORK, REG] = ["TO", "FIX", "wo", "regis"] as const;

describe("the rules see", () => {
  test.each([`// ${TO}DO: later`, `/* ${FIX}ME */`, `const a = 1; // X${"XX"} why`])("the note in %s", (text) =>
    expect(noteProblems(file(text))).toHaveLength(1),
  );

  test("no note in ordinary words", () => expect(noteProblems(file("const todo = hacked(method); // todos"))).toEqual([]));

  test.each([
    `cd /${WORK}rk/main`,
    `"/${"ro"}ot/.cache"`,
    `'/${"ho"}me/ana/lunas'`,
    `(/${"Us"}ers/ana)`,
    `/tmp/${"lu"}nas/x`,
    `https://${REG}try.npmjs.org/a`,
    `npm.pkg.${"github"}.com`,
  ])("the machine in %s", (text) => expect(machineProblems(file(text))).toHaveLength(1));

  test.each(["/v1/orders", "join(root, `${folder}/work/x`)", "./work/x", "https://example.com/home/page", "docs/work/a.md"])(
    "no machine in %s",
    (text) => expect(machineProblems(file(text))).toEqual([]),
  );

  test.each([
    "const a: any = 1;",
    "// any\nconst a: any = 1;",
    "// oxlint-disable-next-line typescript/no-explicit-any\nfunction f(a: any) {}",
    "let a = b as any;",
  ])("the bare any in %j", (text) => expect(anyProblems(file(text))).toHaveLength(1));

  test.each([
    "// The library types its rows as any.\nconst a: any = row;",
    "// oxlint-disable-next-line typescript/no-explicit-any -- the library's own type\nfunction f(a: any) {}",
    "const any = 1; // a name, not a type",
  ])("no bare any in %j", (text) => expect(anyProblems(file(text))).toEqual([]));

  test("a package that is pinned to a host, but not one of the workspace", () => {
    expect(lockProblems(file('  "resolved": "https://example.com/a.tgz",'))).toHaveLength(1);
    expect(lockProblems(file('  "resolved": "packages/domain",'))).toEqual([]);
  });
});
