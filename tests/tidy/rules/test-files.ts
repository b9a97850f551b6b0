import { calleeName, commentNear, isTest, type Node, parse, type Parsed, type Problem, type SourceFile, walk } from "./source.ts";

/** A test that must use a timer says why beside it: `// timer: …`. */
const TIMER_REASON = /\btimer: .{10,}/;
const SLEEPERS = ["setTimeout", "sleep", "delay", "Atomics.wait"];

function isSleeping(node: Node): string | undefined {
  if (node.type === "ImportDeclaration" && /^(node:)?timers\/promises$/.test(String((node["source"] as Node)["value"]))) return "timers/promises";
  if (node.type !== "CallExpression") return undefined;
  const name = calleeName(node["callee"]);
  const last = name.split(".").at(-1) ?? "";
  if (last === "waitForTimeout") return name;
  return SLEEPERS.find((sleeper) => name === sleeper || name === `globalThis.${sleeper}`);
}

/** Tests and their helpers wait for stated events, never for time to pass. */
export function sleepProblems(file: SourceFile): Problem[] {
  if (!isTest(file.path) && !file.path.startsWith("tests/")) return [];
  return inspect(file, (node, parsed) => {
    const name = isSleeping(node);
    if (name === undefined || commentNear(parsed, parsed.lineOf(node.start), TIMER_REASON)) return undefined;
    return `uses ${name}: wait for a stated event, or say why beside it ("timer: …")`;
  });
}

const LEFT_OUT = /^(?:test|it|describe|suite)\b.*\.(?:only|skip|todo|fails)$/;

/** Tests that are left out, or that leave all others out. A test that lacks its tool skips itself with a message. */
export function skipProblems(file: SourceFile): Problem[] {
  if (!isTest(file.path)) return [];
  return inspect(file, (node) => {
    if (node.type !== "MemberExpression") return undefined;
    const name = calleeName(node);
    return LEFT_OUT.test(name) ? `uses ${name}` : undefined;
  });
}

const NAMERS = /^(?:test|it|describe|suite)(?:\.(?:each|concurrent|sequential|skipIf|runIf|for))*$/;

/** Two tests of one file with one name: a failure would not say which. */
export function duplicateNames(file: SourceFile): Problem[] {
  if (!isTest(file.path)) return [];
  const seen = new Set<string>();
  const chapterOf = (parents: readonly Node[]): string => parents.flatMap((parent) => titleOf(parent) ?? []).join(" > ");
  return inspect(file, (node, _parsed, parents) => {
    const title = titleOf(node);
    if (title === undefined || calleeName(node["callee"]).startsWith("describe")) return undefined;
    const name = [chapterOf(parents), title].filter(Boolean).join(" > ");
    if (seen.has(name)) return `has a second test named "${name}"`;
    seen.add(name);
    return undefined;
  });
}

/** The literal title of a call of test or describe; undefined where it is computed. */
function titleOf(node: Node): string | undefined {
  if (node.type !== "CallExpression" || !NAMERS.test(calleeName(node["callee"]))) return undefined;
  const [title, body] = node["arguments"] as readonly Node[];
  return title?.type === "Literal" && typeof title["value"] === "string" && body !== undefined ? title["value"] : undefined;
}

function inspect(file: SourceFile, look: (node: Node, parsed: Parsed, parents: readonly Node[]) => string | undefined): Problem[] {
  const parsed = parse(file);
  if (!parsed) return [];
  const found: Problem[] = [];
  walk(parsed.program, (node, parents) => {
    const what = look(node, parsed, parents);
    if (what !== undefined) found.push({ path: file.path, line: parsed.lineOf(node.start), what });
  });
  return found;
}
