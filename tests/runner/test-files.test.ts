import { expect, test } from "vitest";
import { allTestFiles } from "../../scripts/lib/test-files.ts";

test("a full run expects every kind of test file, and nothing built or installed", () => {
  const files = allTestFiles();
  expect(files).toContain("tests/runner/test-files.test.ts");
  expect(files).toContain("packages/domain/src/machine.test.ts");
  expect(files.filter((file) => /node_modules|\/dist\//.test(file))).toEqual([]);
  expect(new Set(files).size).toBe(files.length);
});
