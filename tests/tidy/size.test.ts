import { describe, expect, test } from "vitest";
import { fileProblems, longOnes } from "./rules/size.ts";
import { allFiles, isCode, told } from "./rules/source.ts";

const code = allFiles().filter(isCode);

test("no file is over 500 lines without a reason at its top", () => {
  expect(told(code.flatMap(fileProblems))).toEqual([]);
});

test("long files and functions are reported, and fail nothing", () => {
  const long = told(code.flatMap(longOnes));
  if (long.length > 0) console.info(`worth a look:\n${long.map((line) => `  ${line}`).join("\n")}`);
  expect(code.length).toBeGreaterThan(50);
});

const lines = (count: number): string => "x;\n".repeat(count);
const sized = (text: string, path = "packages/domain/src/a.ts"): { path: string; text: string } => ({ path, text });

describe("the rules see", () => {
  test("a file of 501 lines, but not one of 500", () => {
    expect(fileProblems(sized(lines(501)))).toHaveLength(1);
    expect(fileProblems(sized(lines(500)))).toEqual([]);
  });

  test("a reason at the top, but not one further down and not an empty one", () => {
    expect(fileProblems(sized(`// Long because it is one table.\n${lines(600)}`))).toEqual([]);
    expect(fileProblems(sized(`${lines(20)}// Long because it is one table.\n${lines(600)}`))).toHaveLength(1);
    expect(fileProblems(sized(`// Long because\n${lines(600)}`))).toHaveLength(1);
  });

  test("a file of 301 lines as worth a look", () => {
    expect(longOnes(sized(lines(301)))).toEqual([{ path: "packages/domain/src/a.ts", line: 1, what: "301 lines" }]);
    expect(longOnes(sized(lines(300)))).toEqual([]);
  });

  test.each([
    ["function", `function f() {\n${lines(69)}}\n`],
    ["arrow", `const f = () => {\n${lines(69)}};\n`],
    ["method", `class A {\n  f() {\n${lines(69)}}\n}\n`],
  ])("a %s of 71 lines, but not one of 70", (_kind, text) => {
    expect(longOnes(sized(text)).map(({ what }) => what)).toEqual(["function of 71 lines"]);
    expect(longOnes(sized(text.replace("x;\n", "")))).toEqual([]);
  });

  test("a long test, but not a long chapter of tests", () => {
    const text = `describe("chapter", () => {\ntest("one", () => {\n${lines(69)}});\n});\n`;
    expect(longOnes(sized(text, "a.test.ts")).map(({ what }) => what)).toEqual(["function of 71 lines"]);
  });
});
