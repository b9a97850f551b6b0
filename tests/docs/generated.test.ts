import { expect, test } from "vitest";
import { ORDER_PAYMENT_STATUSES, PAYMENT_FLAGS, PAYMENT_STATUSES, REFUND_INPUTS } from "../../packages/domain/src/index.ts";
import { SETTINGS } from "../../packages/hub/src/config.ts";
import { BLOCKS, blocksOf, duration, renderPage } from "./blocks.ts";
import { allPages, readPage } from "./pages.ts";

const pages = allPages();

test.each(pages.map(({ path, text }) => [path, text]))("what %s says of the code is what the code says", (_path, text) => {
  // After a change of the code: node scripts/generate-docs.ts
  expect(text).toBe(renderPage(text));
});

test("every generated block stands in exactly one page", () => {
  expect(pages.flatMap(({ text }) => blocksOf(text)).sort()).toEqual(Object.keys(BLOCKS).sort());
});

test("a page that differs from the code is seen, and so is a block that nobody makes", () => {
  const page = (name: string, text: string): string => `<!-- generated: ${name} -->\n${text}<!-- /generated -->\n`;
  expect(renderPage(page("settings", "\nold\n\n"))).not.toBe(page("settings", "\nold\n\n"));
  expect(renderPage(renderPage(page("settings", "")))).toBe(renderPage(page("settings", "")));
  expect(() => renderPage(page("nothing", ""))).toThrow("no generated block nothing");
});

test("durations are told in the largest unit without a rest", () => {
  expect([0, 5_000, 120_000, 90_000, 7_200_000, 86_400_000, 259_200_000].map(duration)).toEqual([
    "0",
    "5 s",
    "2 min",
    "90 s",
    "2 h",
    "24 h",
    "3 days",
  ]);
});

test("the configuration page has every setting", () => {
  const page = readPage("docs/configuration.md");
  for (const name of Object.keys(SETTINGS)) expect(page).toContain(`| \`${name}\` |`);
});

test("the payments page explains every status, every flag and every word about a refund", () => {
  const page = readPage("docs/payments.md");
  for (const word of [...PAYMENT_STATUSES, ...PAYMENT_FLAGS, ...ORDER_PAYMENT_STATUSES, ...REFUND_INPUTS]) {
    expect(page, word).toMatch(new RegExp(`^\\| (\`\\w+\`, )*\`${word}\`(, \`\\w+\`)* \\|`, "m"));
  }
});

test("the operations page names every metric of the hub, and none that is not there", () => {
  const metrics = (text: string): string[] => [...new Set([...text.matchAll(/\blunas_[a-z_]+\b/g)].map((match) => match[0]))].sort();
  const sources = ["packages/hub/src/metrics.ts", "packages/hub/src/api/service.ts"].map(readPage).join("\n");
  expect(metrics(readPage("docs/operations.md"))).toEqual(metrics(sources));
});
