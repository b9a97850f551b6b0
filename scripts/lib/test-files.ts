import { globSync } from "node:fs";
import { join, matchesGlob } from "node:path";
import { ROOT } from "./paths.ts";

/** Tests of one room each: they run side by side. */
export const ROOM_TESTS: readonly string[] = ["packages/**/*.test.ts", "apps/**/*.test.ts", "tests/tidy/**/*.test.ts", "tests/runner/**/*.test.ts"];

/** Tests that cross packages or start whole processes: they run one after the other. */
export const WHOLE_TESTS: readonly string[] = ["tests/!(tidy|runner)/**/*.test.ts", "tests/*.test.ts", "examples/**/*.test.ts", "bench/**/*.test.ts"];

export const LEFT_OUT: readonly string[] = ["**/node_modules/**", "**/dist/**", "**/data/**"];

/** Every test file in the tree, relative to its root: what a full run must have run. */
export function allTestFiles(root: string = ROOT): string[] {
  const found = [...ROOM_TESTS, ...WHOLE_TESTS].flatMap((pattern) => globSync(pattern, { cwd: root, exclude: ["node_modules"] }));
  const kept = found
    .map((file) => file.replaceAll("\\", "/"))
    .filter((file) => !LEFT_OUT.some((pattern) => matchesGlob(join("/", file), join("/", pattern))));
  return [...new Set(kept)].sort();
}
