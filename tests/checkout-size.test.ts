import { once } from "node:events";
import { globSync, readFileSync } from "node:fs";
import { get, type IncomingMessage } from "node:http";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { buildCheckout, type CheckoutBuild } from "./browser/checkout-build.ts";
import { startStack } from "./harness/stack.ts";

/** On a slow phone network this is about three seconds. React alone is 68.5 kB of it. */
const LIMIT_BYTES = 90_000;

let build: CheckoutBuild;
beforeAll(async () => {
  build = await buildCheckout();
});
afterAll(() => build.remove());

/** What a browser that takes gzip is sent, body by body, as it goes over the wire. */
async function sent(url: string): Promise<{ type: string; encoding: string | undefined; bytes: number; text: string }> {
  const asked = get(url, { headers: { "accept-encoding": "gzip" } });
  const [answer] = (await once(asked, "response")) as [IncomingMessage];
  const body = Buffer.concat((await answer.toArray()) as Buffer[]);
  const encoding = answer.headers["content-encoding"];
  expect([url, answer.statusCode]).toEqual([url, 200]);
  return {
    type: answer.headers["content-type"] ?? "",
    encoding,
    bytes: body.length,
    text: (encoding === "gzip" ? gunzipSync(body) : body).toString(),
  };
}

test("the payment page's first load, as a running hub sends it, stays under 90 kB: its HTML and every script and style that it names", async () => {
  const stack = await startStack({ hub: { checkoutDist: build.folder } });
  try {
    const { body: order } = await stack.api("POST", "/v1/orders", { reference: "SIZE", amount: 44_000 });
    const page = await sent(order.checkout_url);
    const names = [...page.text.matchAll(/(?:src|href)="(\/checkout-assets\/[^"]+\.(?:js|css))"/gu)].map((match) => match[1]!);
    const files = await Promise.all(names.map((name) => sent(new URL(name, stack.hub.url).href)));
    const all = [page, ...files];
    // One script and one style sheet, and no other that a script could load later.
    expect(names.map((name) => name.split(".").at(-1) ?? "").toSorted()).toEqual(["css", "js"]);
    expect(globSync("**/*.{js,css}", { cwd: build.folder })).toHaveLength(2);
    expect(all.map(({ encoding }) => encoding)).toEqual(["gzip", "gzip", "gzip"]);
    const total = all.reduce((sum, { bytes }) => sum + bytes, 0);
    expect(total, JSON.stringify(all.map(({ type, bytes }) => [type, bytes]))).toBeLessThan(LIMIT_BYTES);
    // It holds React at all, and not its development build.
    expect(total).toBeGreaterThan(60_000);
  } finally {
    await stack.stop();
  }
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
