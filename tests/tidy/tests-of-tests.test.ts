import { describe, expect, test } from "vitest";
import { allTestFiles } from "../../scripts/lib/test-files.ts";
import { allFiles, isCode, told } from "./rules/source.ts";
import { duplicateNames, skipProblems, sleepProblems } from "./rules/test-files.ts";

const code = allFiles().filter(isCode);

test("no test sleeps", () => {
  expect(told(code.flatMap(sleepProblems))).toEqual([]);
});

test("no test is left out, and none leaves the others out", () => {
  expect(told(code.flatMap(skipProblems))).toEqual([]);
});

test("no two tests of a file have one name", () => {
  expect(told(code.flatMap(duplicateNames))).toEqual([]);
});

test("every test file of the tree is one that npm test runs", () => {
  const named = code.map(({ path }) => path).filter((path) => /\.(test|spec)\.[a-z]+$/.test(path) || path.includes("__tests__"));
  expect(named.filter((path) => !allTestFiles().includes(path))).toEqual([]);
});

const file = (text: string, path = "packages/domain/src/a.test.ts"): { path: string; text: string } => ({ path, text });

describe("sleeping is seen in", () => {
  test.each([
    "await new Promise((done) => setTimeout(done, 100));",
    'import { setTimeout as pause } from "node:timers/promises";',
    "await sleep(100);",
    "await page.waitForTimeout(100);",
    "Atomics.wait(view, 0, 0, 100);",
    "globalThis.setTimeout(done, 5);",
    "// timer:\nsetTimeout(done, 5);",
  ])("%s", (text) => expect(sleepProblems(file(text))).toHaveLength(1));

  test("helpers of tests, too, but not in the product", () => {
    expect(sleepProblems(file("setTimeout(done, 5);", "tests/harness/hub.ts"))).toHaveLength(1);
    expect(sleepProblems(file("setTimeout(done, 5);", "packages/hub/src/reconcile/worker.ts"))).toEqual([]);
  });

  test("and is taken with its reason beside it", () => {
    expect(sleepProblems(file("// timer: a server that never answers, ended by the client\nsetTimeout(done, 5);"))).toEqual([]);
    expect(sleepProblems(file("setTimeout(done, 5); // timer: paces the load that is measured"))).toEqual([]);
    expect(sleepProblems(file('expect(text).toBe("setTimeout(done, 5)"); vi.useFakeTimers();'))).toEqual([]);
  });
});

describe("a test that is left out is seen in", () => {
  const skip = "skip";
  test.each([
    `test.${skip}("a", () => {});`,
    'describe.only("a", () => {});',
    `it.each([1]).${skip}("a", () => {});`,
    'test.todo("later");',
    'test.fails("a", () => {});',
  ])("%s", (text) => expect(skipProblems(file(text))).toHaveLength(1));

  test("but not where a test skips itself for want of a tool, with a message", () => {
    expect(
      skipProblems(file('test("a", (context) => { if (!chromium) context.skip("no chromium"); }); test.skipIf(!strace)("b", () => {});')),
    ).toEqual([]);
  });
});

describe("two tests of one name are seen", () => {
  const twice = (text: string): string[] => duplicateNames(file(text)).map(({ what }) => what);

  test("beside each other and in chapters of one name", () => {
    expect(twice('test("a", () => {}); test("a", () => {});')).toEqual(['has a second test named "a"']);
    expect(twice('describe("x", () => { test("a", () => {}); }); describe("x", () => { test.each([1])("a", () => {}); });')).toEqual([
      'has a second test named "x > a"',
    ]);
  });

  test("but not in chapters of their own, and not where the name is computed", () => {
    expect(twice('describe("x", () => { test("a", () => {}); }); describe("y", () => { test("a", () => {}); });')).toEqual([]);
    expect(twice('for (const name of names) { test(`${name}`, () => {}); } test(`a`, () => {}); pattern.test("a"); pattern.test("a");')).toEqual([]);
  });
});
