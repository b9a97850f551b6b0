import { posix } from "node:path";
import { isTest, parse, type Problem, type SourceFile, walk, type Node } from "./source.ts";

/** Rooms of the house, the longest prefix first where one holds another. */
const ROOMS = [
  "packages/domain",
  "packages/providers",
  "packages/sandbox",
  "packages/sdk",
  "packages/hub/src/store",
  "packages/hub/src/net",
  "packages/hub/src/vault",
  "packages/hub/src/collect",
  "packages/hub/src/ingest",
  "packages/hub/src/deliver",
  "packages/hub/src/reconcile",
  "packages/hub/src/api",
  "packages/hub/src/cli",
  "packages/hub",
  "apps/checkout",
  "apps/shop",
  "examples",
  "bench",
  "tests",
  "scripts",
] as const;
type Room = (typeof ROOMS)[number];

const STORE = ["packages/domain", "packages/hub/src/store", "packages/hub/src/net", "packages/hub/src/vault", "packages/hub"] as const;

/**
 * What a room may import besides itself. Arrows point down the list of the design. `packages/hub` stands for the files beside
 * the hub's rooms, such as the context they share: those may be used by every room, and use the lowest rooms only.
 */
const MAY_IMPORT: Record<Room, readonly Room[]> = {
  "packages/domain": [],
  "packages/providers": ["packages/domain"],
  "packages/sandbox": ["packages/domain", "packages/providers"],
  "packages/sdk": [],
  "packages/hub/src/store": ["packages/domain"],
  // The network refuses to be used while a transaction is open: the store's scope tells it.
  "packages/hub/src/net": ["packages/domain", "packages/hub/src/store"],
  "packages/hub/src/vault": ["packages/domain"],
  "packages/hub/src/collect": STORE,
  "packages/hub/src/deliver": [...STORE, "packages/hub/src/collect"],
  "packages/hub/src/ingest": [...STORE, "packages/hub/src/collect"],
  "packages/hub/src/reconcile": [...STORE, "packages/hub/src/collect", "packages/hub/src/ingest", "packages/hub/src/deliver"],
  "packages/hub/src/api": [...STORE, "packages/hub/src/collect", "packages/hub/src/ingest", "packages/hub/src/deliver", "packages/hub/src/reconcile"],
  "packages/hub/src/cli": ROOMS.filter((room) => room.startsWith("packages/") && room !== "packages/sdk"),
  "packages/hub": ["packages/domain", "packages/hub/src/store", "packages/hub/src/net", "packages/hub/src/vault"],
  "apps/checkout": [],
  "apps/shop": ["packages/sdk"],
  examples: ["packages/sdk", "packages/sandbox"],
  bench: [...ROOMS],
  tests: [...ROOMS],
  // The demo drives the same stack as the tests do.
  scripts: ["tests"],
};

/** The composition root, with what it sets up in development, and the registry: the only files that know everyone. */
const KNOWS_EVERYONE = ["packages/hub/src/main.ts", "packages/hub/src/provision.ts"];
const REGISTRY = "packages/providers/registry.ts";

const PACKAGES: Readonly<Record<string, string>> = {
  "@lunas/domain": "packages/domain",
  "@lunas/providers": "packages/providers",
  "@lunas/sandbox": "packages/sandbox",
  "@lunas/sdk": "packages/sdk",
  "@lunas/hub": "packages/hub",
  "@lunas/checkout": "apps/checkout",
  "@lunas/shop": "apps/shop",
};

export function roomOf(path: string): Room | undefined {
  return ROOMS.find((room) => path === room || path.startsWith(`${room}/`));
}

/** The path of ours that an import leads to, or undefined for Node's own and foreign packages. */
export function targetOf(from: string, specifier: string): string | undefined {
  if (specifier.startsWith(".")) return posix.normalize(posix.join(posix.dirname(from), specifier));
  const [scope, name, ...rest] = specifier.split("/");
  const folder = PACKAGES[`${scope}/${name}`];
  // The hub's own name is its composition root, and what stands behind it a path in its sources.
  if (folder === "packages/hub") return `${folder}/src/${rest.length > 0 ? rest.join("/") : "main"}.ts`;
  return folder && posix.join(folder, ...rest);
}

interface Import {
  readonly specifier: string;
  readonly line: number;
}

/** Every import of a file: static, re-exported, dynamic, and in types. */
export function importsOf(file: SourceFile): Import[] {
  const parsed = parse(file);
  if (!parsed) return [];
  const found: Import[] = [];
  walk(parsed.program, (node) => {
    if (!["ImportDeclaration", "ExportNamedDeclaration", "ExportAllDeclaration", "ImportExpression", "TSImportType"].includes(node.type)) return;
    const source = node["source"] as Node | null | undefined;
    if (source?.type === "Literal" && typeof source["value"] === "string")
      found.push({ specifier: source["value"], line: parsed.lineOf(node.start) });
  });
  return found;
}

/** The provider's folder that a path lies in. */
function providerOf(path: string): string | undefined {
  const [, , folder, rest] = path.split("/");
  return path.startsWith("packages/providers/") && rest !== undefined ? folder : undefined;
}

function isForbidden(from: string, target: string): string | undefined {
  const room = roomOf(from);
  const other = roomOf(target);
  if (!room || !other || KNOWS_EVERYONE.includes(from)) return undefined;
  if (KNOWS_EVERYONE.includes(target) && !["packages/hub/src/cli", "bench", "tests"].includes(room))
    return "only the command line may import the composition root";
  if (isForTests(target)) return "what is made for tests is not part of the product";
  const [mine, theirs] = [providerOf(from), providerOf(target)];
  if (room === other) {
    const crosses = theirs !== undefined && mine !== theirs && from !== REGISTRY;
    return crosses ? `a provider's folder (${theirs}) is imported only through the registry` : undefined;
  }
  return MAY_IMPORT[room].includes(other) ? undefined : `${room} may not import ${other}`;
}

/** Tests and what is made for them only. */
function isForTests(path: string): boolean {
  return isTest(path) || /\/(?:testing|conformance)(?:\/|\.ts$)/.test(path);
}

/** Imports against the direction of the house. A test outside of the domain may build whatever it tests with. */
export function importProblems(file: SourceFile): Problem[] {
  const exempt = isForTests(file.path) && !file.path.startsWith("packages/domain/");
  return importsOf(file).flatMap(({ specifier, line }) => {
    const problems: Problem[] = [];
    const target = targetOf(file.path, specifier);
    const why = target !== undefined && !exempt ? isForbidden(file.path, target) : undefined;
    if (why) problems.push({ path: file.path, line, what: `imports ${specifier}: ${why}` });
    if (specifier.startsWith(".") && !/\.(ts|tsx|js|mjs|css|json|svg)$/.test(specifier))
      problems.push({ path: file.path, line, what: `imports ${specifier}: Node wants the file's full name` });
    return problems;
  });
}
