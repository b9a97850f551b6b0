import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { buildCheckout, type CheckoutBuild } from "./browser/checkout-build.ts";

/** On a slow phone network this is about three seconds. React alone is 68.5 kB of it. */
const LIMIT_BYTES = 90_000;

let build: CheckoutBuild;
beforeAll(async () => {
  build = await buildCheckout();
});
afterAll(() => build.remove());

test("the payment page's first load stays under 90 kB gzip: its HTML and every script and style there is", () => {
  const files = globSync("**/*.{html,js,css}", { cwd: build.folder }).sort();
  const sizes = files.map((file) => ({ file, bytes: gzipSync(readFileSync(join(build.folder, file)), { level: 9 }).length }));
  const total = sizes.reduce((sum, { bytes }) => sum + bytes, 0);
  expect(files.map((file) => file.split(".").at(-1))).toEqual(["js", "css", "html"]);
  expect(total, JSON.stringify(sizes)).toBeLessThan(LIMIT_BYTES);
  // It holds React at all, and not its development build.
  expect(total).toBeGreaterThan(60_000);
});

test("the page works under its policy: nothing inline, nothing from elsewhere, no fonts", () => {
  const html = readFileSync(join(build.folder, "index.html"), "utf8");
  expect(html.match(/<script[^>]*>/gu)).toEqual([expect.stringMatching(/ src="\/checkout-assets\/assets\/[^"]+\.js"/u)]);
  expect(html).not.toMatch(/<style|\sstyle=|\son\w+=|https?:/u);
  const css = globSync("**/*.css", { cwd: build.folder })
    .map((file) => readFileSync(join(build.folder, file), "utf8"))
    .join("");
  expect(css).not.toMatch(/url\(|@import|@font-face/u);
});
