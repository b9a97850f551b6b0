import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { extname, join, resolve } from "node:path";
import { parseSync } from "vite";

const ROOT = resolve(import.meta.dirname, "../../..");

/** A file of the tree as the rules see it: path relative to the root with forward slashes, and its text. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** What a rule found, for people: where and what. */
export interface Problem {
  readonly path: string;
  readonly line: number;
  readonly what: string;
}

const BINARY = new Set([".png", ".jpg", ".jpeg", ".gif", ".webp", ".ico", ".woff", ".woff2", ".pdf", ".gz", ".tgz", ".db"]);

/** Every text file that is tracked, or would be by `git add`: a rule speaks before the commit does. */
export function allFiles(): SourceFile[] {
  const listed = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
    cwd: ROOT,
    encoding: "utf8",
    maxBuffer: 64 << 20,
  });
  const paths = [...new Set(listed.split("\0"))].filter((path) => path !== "" && !BINARY.has(extname(path)));
  // A file that was deleted but not yet committed is still listed.
  return paths.filter((path) => existsSync(join(ROOT, path))).map((path) => ({ path, text: readFileSync(join(ROOT, path), "utf8") }));
}

export function isCode(file: SourceFile): boolean {
  return /\.(ts|tsx|mts|js|mjs|jsx)$/.test(file.path);
}

export function isTest(path: string): boolean {
  return /\.test\.tsx?$/.test(path);
}

/** A node of the syntax tree (ESTree with TypeScript), as far as the rules look at it. */
export interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
}

export interface Parsed {
  readonly file: SourceFile;
  readonly program: Node;
  readonly comments: readonly { readonly start: number; readonly end: number; readonly value: string }[];
  lineOf(offset: number): number;
  lineText(line: number): string;
}

/** Parses a source file. A file that cannot be parsed is the compiler's business: undefined. */
export function parse(file: SourceFile): Parsed | undefined {
  const result = parseSync(file.path, file.text);
  if (result.errors.length > 0) return undefined;
  const lines = file.text.split("\n");
  const starts: number[] = [];
  let offset = 0;
  for (const line of lines) {
    starts.push(offset);
    offset += line.length + 1;
  }
  const lineOf = (at: number): number => {
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (starts[middle]! <= at) low = middle;
      else high = middle - 1;
    }
    return low + 1;
  };
  return { file, program: result.program as unknown as Node, comments: result.comments, lineOf, lineText: (line) => lines[line - 1] ?? "" };
}

function isNode(value: unknown): value is Node {
  return (
    typeof value === "object" &&
    value !== null &&
    typeof (value as { type?: unknown }).type === "string" &&
    typeof (value as { start?: unknown }).start === "number"
  );
}

/** Calls `visit` for every node, parents first, with the chain of parents (nearest last). */
export function walk(node: Node, visit: (node: Node, parents: readonly Node[]) => void, parents: readonly Node[] = []): void {
  visit(node, parents);
  const chain = [...parents, node];
  for (const value of Object.values(node)) {
    if (Array.isArray(value))
      for (const item of value) {
        if (isNode(item)) walk(item, visit, chain);
      }
    else if (isNode(value)) walk(value, visit, chain);
  }
}

/** The dotted name of a callee: `test.each`, `page.waitForTimeout`; a call in between counts as its own callee. */
export function calleeName(node: unknown): string {
  if (!isNode(node)) return "";
  if (node.type === "Identifier") return String(node["name"]);
  if (node.type === "CallExpression" || node.type === "TaggedTemplateExpression") return calleeName(node["callee"] ?? node["tag"]);
  if (node.type !== "MemberExpression") return "";
  const property = node["property"];
  return `${calleeName(node["object"])}.${isNode(property) && !node["computed"] ? String(property["name"]) : "?"}`;
}

/** A comment on this line or on the line above that carries the words. */
export function commentNear(parsed: Parsed, line: number, words: RegExp): boolean {
  return parsed.comments.some((comment) => {
    const last = parsed.lineOf(comment.end);
    return (last === line || last === line - 1) && words.test(comment.value);
  });
}

/** Problems as the lines that a failing test shows. */
export function told(problems: readonly Problem[]): string[] {
  return problems.map(({ path, line, what }) => `${path}:${line} ${what}`);
}
