import { parse, type Problem, type SourceFile, walk } from "./source.ts";

/** Put together from parts, so that this file does not hold what it looks for. */
const NOTES = new RegExp(`\\b(?:${["TO" + "DO", "FIX" + "ME", "X" + "XX", "HA" + "CK"].join("|")})\\b`);
const MACHINE_PATHS = new RegExp(`(?<![\\w.$}/-])/(?:${["wo" + "rk", "ro" + "ot", "ho" + "me", "Us" + "ers"].join("|")})/[\\w.-]|/tmp/lu` + "nas/");
const REGISTRIES = new RegExp(
  [
    "regis" + "try\\.(?:npm|yarn)",
    "npm\\.pkg\\." + "github",
    "arti" + "factory",
    "pypi\\." + "org",
    "proxy\\.gol" + "ang",
    "regis" + "try\\.npmmirror",
  ].join("|"),
  "i",
);

function linesWith(file: SourceFile, pattern: RegExp, what: string): Problem[] {
  return file.text.split("\n").flatMap((text, index) => {
    const match = pattern.exec(text);
    return match ? [{ path: file.path, line: index + 1, what: `${what}: ${match[0].trim()}` }] : [];
  });
}

/** Notes for later: what must wait is absent, and written down where work is planned. */
export function noteProblems(file: SourceFile): Problem[] {
  return linesWith(file, NOTES, "holds a note for later");
}

/** Absolute paths of the machine on which it was written, and hosts from which packages come. */
export function machineProblems(file: SourceFile): Problem[] {
  return [...linesWith(file, MACHINE_PATHS, "names a path of one machine"), ...linesWith(file, REGISTRIES, "names a package registry")];
}

const EXPLAINED = /\w+ \w+ \w+/;

/** Every `any` has its reason beside it: words on its line or on the line above, behind `--` where the linter is told. */
export function anyProblems(file: SourceFile): Problem[] {
  const parsed = parse(file);
  if (!parsed) return [];
  const found: Problem[] = [];
  walk(parsed.program, (node) => {
    if (node.type !== "TSAnyKeyword") return;
    const line = parsed.lineOf(node.start);
    const explained = parsed.comments.some((comment) => {
      const last = parsed.lineOf(comment.end);
      const words = /(?:oxlint|eslint)-disable/.test(comment.value) ? (comment.value.split("--")[1] ?? "") : comment.value;
      return (last === line || last === line - 1) && EXPLAINED.test(words);
    });
    if (!explained) found.push({ path: file.path, line, what: "uses `any` without saying why" });
  });
  return found;
}

/** A lock file that works with every registry names none. */
export function lockProblems(file: SourceFile): Problem[] {
  return linesWith(file, /"resolved": "(?:https?|git\+ssh):/, "pins where a package comes from");
}
