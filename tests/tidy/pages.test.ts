import { describe, expect, test } from "vitest";
import { anchorsOf, commandsOf, deadLinks, linksOf, tableCodesOf, translationProblems } from "./rules/pages.ts";
import { allFiles, told } from "./rules/source.ts";

const files = new Map(allFiles().map(({ path, text }) => [path, text]));

test("no page links to what does not exist", () => {
  const pages = [...files].filter(([path]) => path.endsWith(".md")).map(([path, text]) => ({ path, text }));
  expect(told(pages.flatMap((page) => deadLinks(page, files)))).toEqual([]);
});

test("the Indonesian README has the chapters, the commands, the tables and the links of the English one", () => {
  const [english = "", indonesian = ""] = [files.get("README.md"), files.get("README.id.md")];
  // A comparison of nothing with nothing would always hold.
  for (const read of [commandsOf, tableCodesOf, linksOf]) expect(read(english).length, read.name).toBeGreaterThan(5);
  expect(told(translationProblems({ path: "README.md", text: english }, { path: "README.id.md", text: indonesian }))).toEqual([]);
});

describe("the rules see", () => {
  const tree = new Map([
    ["docs/a.md", "# Money in\n\n## 2. What's `new`?\n"],
    ["docs/img/a.svg", "<svg/>"],
    ["README.md", ""],
  ]);
  const dead = (text: string, path = "docs/b.md"): string[] => deadLinks({ path, text }, tree).map(({ what }) => what);

  test.each([
    "[a](missing.md)",
    "[a](../docs/missing.md)",
    "![a](img/b.svg)",
    '<img src="img/b.svg">',
    "[a](a.md#nothing)",
    "[a](#nothing)",
    "[a]: missing.md",
    "[a](a.md) and [b](c.md)",
  ])("the dead link in %s", (text) => expect(dead(text)).toHaveLength(1));

  test.each([
    "[a](a.md)",
    "[a](../README.md)",
    "[a](a.md#money-in)",
    "[a](a.md#2-whats-new)",
    "![a](img/a.svg)",
    "[a](img/)",
    "[a](https://example.com/x)",
    "[a](/docs/errors)",
    "`[a](missing.md)`",
    "```\n[a](missing.md)\n```",
    "# Here\n[a](#here)",
  ])("no dead link in %j", (text) => expect(dead(text)).toEqual([]));

  test("a second heading of one name as an anchor of its own", () => {
    expect([...anchorsOf("# A\n\n# A\n")]).toEqual(["a", "a-1"]);
  });

  const readme = (text: string): { path: string; text: string } => ({ path: "README.md", text });
  test("a translation that lacks a chapter or a command, or has one of its own", () => {
    const original = readme("# A\n\n## B\n\n```sh\nnpm ci # installs\nnpm start\n```\n");
    expect(translationProblems(original, readme("# X\n\n## Y\n\n```sh\nnpm ci # memasang\nnpm start\n```\n"))).toEqual([]);
    expect(translationProblems(original, readme("# X\n\n```sh\nnpm ci\nnpm start\n```\n"))).toHaveLength(1);
    expect(translationProblems(original, readme("# X\n\n## Y\n\n```sh\nnpm ci\n```\n"))).toHaveLength(1);
    expect(translationProblems(original, readme("# X\n\n## Y\n\n```sh\nnpm ci\nnpm start\nnpm run demo\n```\n"))).toHaveLength(1);
  });

  test("the same in a block that names no language, in a table and in the links", () => {
    const original = readme("```\nnpm ci\n```\n\n| command | what |\n| --- | --- |\n| `npm test` | all |\n\n[a](a.md) [id](README.id.md)\n");
    const translation = (text: string) => ({ path: "README.id.md", text });
    const same = "```\nnpm ci\n```\n\n| perintah | apa |\n| --- | --- |\n| `npm test` | semua |\n\n[b](a.md) [en](README.md)\n";
    expect(translationProblems(original, translation(same))).toEqual([]);
    for (const [from, to] of [
      ["npm ci", "npm install"],
      ["`npm test`", "`npm tes`"],
      ["(a.md)", "(b.md)"],
    ] as const)
      // One is lacking here and another there.
      expect(translationProblems(original, translation(same.replace(from, to))), from).toHaveLength(2);
  });
});
