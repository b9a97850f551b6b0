// Writes the parts of docs/*.md that are made from the code. `--check` only tells which pages differ, and exits with 1 if any does.
import { globSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { renderPage } from "../tests/docs/blocks.ts";
import { ROOT } from "./lib/paths.ts";

const check = process.argv.includes("--check");
for (const path of globSync("docs/*.md", { cwd: ROOT }).sort()) {
  const file = join(ROOT, path);
  const before = readFileSync(file, "utf8");
  const after = renderPage(before);
  if (after === before) continue;
  if (check) process.exitCode = 1;
  else writeFileSync(file, after);
  process.stdout.write(`${path} ${check ? "differs" : "written"}\n`);
}
