import { readFileSync } from "node:fs";
import { SWITCHES } from "@lunas/providers/midtrans/emulator";
import { expect, test } from "vitest";
import { FAULTS } from "./faults.ts";
import { openBench } from "./testing/merchant.ts";

const page = readFileSync(new URL("../../../docs/sandbox.md", import.meta.url), "utf8");

/** First cells of the rows of a chapter's tables. */
function rows(chapter: string): string[] {
  const text = page.split(`\n## ${chapter}\n`)[1]!.split("\n## ")[0]!;
  return [...text.matchAll(/^\| (`[^|]*) \|/gm)].map((match) => match[1]!);
}

test("the page names every fault, where it applies and its default time, and no other", () => {
  const told = [...page.matchAll(/^\| `([a-z0-9-]+)` \| (api|notification|api, notification) \| (.*) \|$/gm)].map(([, name, on, text]) => ({
    name,
    on,
    text: text!,
  }));
  expect(told.map(({ name, on }) => `${name}: ${on}`).sort()).toEqual(
    Object.entries(FAULTS)
      .map(([name, { on }]) => `${name}: ${on.join(", ")}`)
      .sort(),
  );
  for (const { name, text } of told) {
    const { ms } = FAULTS[name as keyof typeof FAULTS];
    if (ms > 0) expect(text, name).toContain(String(ms));
  }
});

test("the page names every switch, and no other", () => {
  const told = rows("Switches").flatMap((cell) => [...cell.matchAll(/`([a-z0-9_]+)`/g)].map((match) => match[1]!));
  expect(told.sort()).toEqual(Object.keys(SWITCHES).sort());
});

test("the page names every act of the control API", async () => {
  const { control } = await openBench();
  const { actions } = (await control("/midtrans/none/none")).body as { actions: string[] };
  for (const action of actions) expect(page).toMatch(new RegExp(`\\/${action}\``));
});
