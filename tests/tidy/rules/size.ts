import { calleeName, isTest, type Node, parse, type Problem, type SourceFile, walk } from "./source.ts";

/** A file is long from here on and is reported; above the limit it needs a reason at its top. */
export const FILE_LINES_LONG = 300;
export const FILE_LINES_LIMIT = 500;
export const FUNCTION_LINES_LONG = 70;

const REASON = /\blong because\b.{10,}/i;
const REASON_WITHIN_LINES = 10;

function lineCount(text: string): number {
  return text.split("\n").length - (text.endsWith("\n") ? 1 : 0);
}

/** Files over the limit without the words "long because …" within their first ten lines. */
export function fileProblems(file: SourceFile): Problem[] {
  const lines = lineCount(file.text);
  if (lines <= FILE_LINES_LIMIT || REASON.test(file.text.split("\n").slice(0, REASON_WITHIN_LINES).join("\n"))) return [];
  return [{ path: file.path, line: 1, what: `has ${lines} lines: divide it, or say at its top "long because …"` }];
}

const FUNCTIONS = ["FunctionDeclaration", "FunctionExpression", "ArrowFunctionExpression"];

/** What is worth a look: long files and long functions. A `describe` is a chapter, not a function. */
export function longOnes(file: SourceFile): Problem[] {
  const found: Problem[] = [];
  const lines = lineCount(file.text);
  if (lines > FILE_LINES_LONG) found.push({ path: file.path, line: 1, what: `${lines} lines` });
  const parsed = parse(file);
  if (!parsed) return found;
  walk(parsed.program, (node, parents) => {
    if (!FUNCTIONS.includes(node.type) || isChapter(file.path, parents.at(-1))) return;
    const first = parsed.lineOf(node.start);
    const length = parsed.lineOf(node.end) - first + 1;
    if (length > FUNCTION_LINES_LONG) found.push({ path: file.path, line: first, what: `function of ${length} lines` });
  });
  return found;
}

function isChapter(path: string, parent: Node | undefined): boolean {
  return isTest(path) && parent?.type === "CallExpression" && calleeName(parent["callee"]).startsWith("describe");
}
