import { expect, test } from "vitest";
import { en } from "../../apps/checkout/src/texts/en.ts";
import { id } from "../../apps/checkout/src/texts/id.ts";
import { readPage } from "./pages.ts";

/** Every text of the payment page, those with a name in them told of GoPay. */
function textsOf(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (typeof value === "function") return textsOf((value as (name: string) => unknown)("GoPay"));
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(textsOf) : [];
}

const english = textsOf(en);
const indonesian = textsOf(id);

/** What a page quotes from a screen: set in italics, and written large as buttons are. */
function quoted(text: string): string[] {
  return [...text.matchAll(/(?<!\*)\*(\p{Lu}[^*\n]+)\*(?!\*)/gu)].map((match) => match[1] ?? "");
}

test("every button that the page on mobile apps quotes is on the payment page", () => {
  const labels = quoted(readPage("docs/mobile-apps.md"));
  expect(labels.length).toBeGreaterThan(2);
  expect(labels.filter((label) => !english.includes(label) && !indonesian.includes(label))).toEqual([]);
});

test.each([
  ["README.md", english],
  ["README.id.md", indonesian],
])("the steps of the first payment in %s quote the payment page's own link", (path, texts) => {
  const steps = readPage(path)
    .split("\n")
    .filter((line) => /^\d\. /.test(line));
  // GoPay is a method's name and Pay a button of the simulator; what is left is the link.
  const bold = steps.flatMap((line) => [...line.matchAll(/\*\*([^*]+)\*\*/g)].map((match) => match[1] ?? ""));
  const labels = bold.filter((label) => !["GoPay", "Pay"].includes(label));
  expect(labels).toHaveLength(1);
  expect(texts).toContain(labels[0]);
});
