import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { inputsDigest, stateOf, type Target } from "../../scripts/lib/front-ends.ts";

const target: Target = {
  name: "page",
  folder: "page",
  config: "page/vite.config.ts",
  tool: "vite",
  proof: "page/dist/index.html",
  inputs: ["page", "lib", "lock.json"],
};

let root = "";
function put(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}
function pretendBuilt(): void {
  put("page/dist/index.html", "<html></html>");
  put("page/dist/.stamp", inputsDigest(target, root));
}

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "lunas-front-ends-"));
  put("page/vite.config.ts", "export default {}");
  put("page/src/main.ts", "one");
  put("lib/index.ts", "lib");
  put("lock.json", "{}");
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

test("there is nothing to build without a configuration", () => {
  rmSync(join(root, "page/vite.config.ts"));
  expect(stateOf(target, root)).toBe("absent");
});

test("what was never built is stale, what was built from the same bytes is fresh", () => {
  expect(stateOf(target, root)).toBe("stale");
  pretendBuilt();
  expect(stateOf(target, root)).toBe("fresh");
});

test.each(["page/src/main.ts", "page/src/new.css", "lib/index.ts", "lock.json", "page/vite.config.ts"])("a change of %s makes it stale", (path) => {
  pretendBuilt();
  put(path, "changed");
  expect(stateOf(target, root)).toBe("stale");
});

test("a change of a test, of a page of text or of the output itself does not", () => {
  pretendBuilt();
  put("page/src/main.test.ts", "test");
  put("page/README.md", "text");
  put("page/dist/more.js", "built");
  put("page/node_modules/x/index.js", "dependency");
  expect(stateOf(target, root)).toBe("fresh");
});

test("an output that was deleted is stale although its stamp is there", () => {
  pretendBuilt();
  rmSync(join(root, "page/dist/index.html"));
  expect(stateOf(target, root)).toBe("stale");
});
