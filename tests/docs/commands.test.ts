import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { Command } from "commander";
import { describe, expect, test } from "vitest";
import { COMMANDS } from "../../packages/hub/src/cli/commands.ts";
import { addDatabaseCommands } from "../../packages/hub/src/cli/database.ts";
import { addDevelopmentCommands } from "../../packages/hub/src/cli/development.ts";
import { addOperatorCommands } from "../../packages/hub/src/cli/operator.ts";
import { addServeCommands } from "../../packages/hub/src/cli/serve.ts";
import { readConfig, SETTINGS } from "../../packages/hub/src/config.ts";
import { makeHub } from "../../packages/hub/src/main.ts";
import { allPages, codeBlocks, readPage, ROOT, shellCommands, words } from "./pages.ts";

const LUNAS = join(ROOT, "packages/hub/src/cli/lunas.ts");

/** Every command with its options, `keys create` and the like by both words. */
function existing(): Map<string, string[]> {
  const program = new Command("lunas");
  addServeCommands(program);
  addDatabaseCommands(program);
  addOperatorCommands(program);
  addDevelopmentCommands(program);
  // Made by the entry itself; one of the tests runs it.
  const found = new Map([["config", ["--json"]]]);
  for (const command of program.commands) {
    const parts = command.commands.map((sub): [string, Command] => [`${command.name()} ${sub.name()}`, sub]);
    for (const [name, one] of parts.length > 0 ? parts : [[command.name(), command] as const])
      found.set(
        name,
        one.options.map((option) => option.long ?? ""),
      );
  }
  return found;
}

const commands = existing();

/** `lunas …` as the pages show it, in shell blocks and in the text: the command and its options. */
function shown(): [command: string, options: string[]][] {
  const lines = allPages().flatMap(({ text }) => [
    ...shellCommands(text),
    ...[...text.matchAll(/`((?:npx )?lunas [a-z][^`]*)`/g)].map((match) => match[1] ?? ""),
  ]);
  return lines.flatMap((line) => {
    const all = words(line.replaceAll("\\|", "|").replaceAll(/[[\]]/g, ""));
    const at = all.indexOf("lunas");
    if (at === -1) return [];
    const [name = "", sub = ""] = all.slice(at + 1).filter((word) => !word.startsWith("--"));
    const both = `${name} ${sub}`;
    return name === "" ? [] : [[commands.has(both) ? both : name, all.slice(at).filter((word) => word.startsWith("--"))]];
  });
}

describe("the pages", () => {
  const used = shown();

  test("show only commands and options that exist", () => {
    expect(used.length).toBeGreaterThan(20);
    const wrong = used.filter(([name, options]) => !commands.has(name) || options.some((option) => !commands.get(name)?.includes(option)));
    expect(wrong).toEqual([]);
  });

  test("show every command", () => {
    const page = allPages().find(({ path }) => path === "docs/operations.md")?.text ?? "";
    const missing = [...commands.keys()].filter((name) => !used.some(([one]) => one === name) && !mentions(page, name));
    expect(missing).toEqual([]);
  });

  test("show only npm scripts that exist", () => {
    const { scripts } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { scripts: Record<string, string> };
    const npm = ["ci", "pack", "install"];
    const names = new Set(allPages().flatMap(({ text }) => [...text.matchAll(/\bnpm (?:run )?([a-z]+)\b/g)].map((match) => match[1] ?? "")));
    expect(names.size).toBeGreaterThan(npm.length);
    expect([...names].filter((name) => !npm.includes(name) && !Object.hasOwn(scripts, name))).toEqual([]);
  });
});

test("nothing is told to be installed from where it is not: our packages come as a file that this repository packs", () => {
  const { name, version } = JSON.parse(readFileSync(join(ROOT, "packages/sdk/package.json"), "utf8")) as { name: string; version: string };
  const installs = allPages().flatMap(({ text }) => [...text.matchAll(/npm (?:install|i|add) (?!-)([^\s`]+)/g)].map((match) => match[1] ?? ""));
  expect(installs.length).toBeGreaterThan(1);
  for (const what of installs) expect(what).toBe(`../lunas/${name.replace("@", "").replace("/", "-")}-${version}.tgz`);
});

test("every program that is told to be run with node is there", () => {
  const programs = allPages().flatMap(({ path, text }) =>
    [...text.matchAll(/\bnode (?:--\S+ )*([\w./-]+\.ts)\b/g)].map((match) => [path, match[1] ?? ""] as const),
  );
  expect(programs.length).toBeGreaterThan(1);
  const missing = programs.filter(([path, file]) => ![ROOT, join(ROOT, dirname(path))].some((folder) => existsSync(join(folder, file))));
  expect(missing).toEqual([]);
});

/** "`lunas keys create`, `list`, `revoke`" in the table of commands. */
function mentions(page: string, name: string): boolean {
  const [group = "", sub = ""] = name.split(" ");
  return page.split("\n").some((line) => line.startsWith(`| \`lunas ${group} `) && line.includes(`\`${sub}\``));
}

test("lunas config tells every setting, as the pages say, and no secret", () => {
  const environment = { ...process.env, NODE_OPTIONS: "", LUNAS_DATABASE_URL: "postgres://lunas:hush@db.example/lunas" };
  const told = execFileSync(process.execPath, [LUNAS, "config", "--json"], { cwd: ROOT, encoding: "utf8", env: environment });
  expect((JSON.parse(told) as { name: string }[]).map(({ name }) => name)).toEqual(Object.keys(SETTINGS));
  expect(told).not.toContain("hush");
});

test("lunas doctor answers as the operations page shows it", async () => {
  const hub = await makeHub(readConfig({ LUNAS_DATABASE_URL: "sqlite::memory:", LUNAS_LOG_LEVEL: "silent" }));
  const told = await COMMANDS["doctor"]?.run(hub, {} as never);
  await hub.store.close();
  const shownThere = codeBlocks(readPage("docs/operations.md"), "json").find((block) => block.includes("payments_live"));
  expect(JSON.parse(shownThere ?? "null")).toEqual(told);
});
