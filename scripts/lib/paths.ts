import { resolve } from "node:path";

/** The folder of the workspace. */
export const ROOT = resolve(import.meta.dirname, "../..");

/** A tool of the workspace, by its JavaScript entry: started with our own Node on every platform, without a shell. */
export const TOOLS = {
  vitest: resolve(ROOT, "node_modules/vitest/vitest.mjs"),
  vite: resolve(ROOT, "node_modules/vite/bin/vite.js"),
  tsc: resolve(ROOT, "node_modules/typescript/bin/tsc"),
  oxlint: resolve(ROOT, "node_modules/oxlint/bin/oxlint"),
  oxfmt: resolve(ROOT, "node_modules/oxfmt/bin/oxfmt"),
} as const;
