import { posix } from "node:path";
import type { Problem, SourceFile } from "./source.ts";

interface Link {
  readonly to: string;
  readonly line: number;
}

/** Lines of a page without its code blocks, so that nothing in them is taken for a heading or a link. */
function proseLines(text: string): string[] {
  let fence: string | undefined;
  return text.split("\n").map((line) => {
    const mark = /^\s*(```+|~~~+)/.exec(line)?.[1];
    if (mark !== undefined && (fence === undefined || mark.startsWith(fence))) {
      fence = fence === undefined ? mark : undefined;
      return "";
    }
    return fence === undefined ? line : "";
  });
}

export function linksOf(text: string): Link[] {
  return proseLines(text).flatMap((line, index) => {
    const prose = line.replaceAll(/`[^`]*`/g, "");
    const found = [
      ...prose.matchAll(/\]\(<?([^)\s>]+)>?(?:\s+"[^"]*")?\)/g),
      ...prose.matchAll(/<(?:img|a)\b[^>]*?\b(?:src|href)="([^"]+)"/g),
      ...prose.matchAll(/^\[[^\]]+\]:\s+(\S+)/g),
    ];
    return found.map((match) => ({ to: match[1] ?? "", line: index + 1 }));
  });
}

/** The anchors that a page's headings make, as the usual renderers do. */
export function anchorsOf(text: string): Set<string> {
  const anchors = new Set<string>();
  for (const line of proseLines(text)) {
    const heading = /^#{1,6}\s+(.*?)\s*#*$/.exec(line)?.[1];
    for (const match of line.matchAll(/\b(?:id|name)="([^"]+)"/g)) anchors.add(match[1] ?? "");
    if (heading === undefined) continue;
    const slug = heading
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1")
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
      .trim()
      .replaceAll(/\s/g, "-");
    let name = slug;
    for (let again = 1; anchors.has(name); again += 1) name = `${slug}-${again}`;
    anchors.add(name);
  }
  return anchors;
}

/** Relative links that lead nowhere: a missing file or folder, or a heading that the page does not have. */
export function deadLinks(file: SourceFile, files: ReadonlyMap<string, string>): Problem[] {
  const folders = new Set(
    [...files.keys()].flatMap((path) =>
      path
        .split("/")
        .slice(0, -1)
        .map((_, index, parts) => parts.slice(0, index + 1).join("/")),
    ),
  );
  return linksOf(file.text).flatMap(({ to, line }) => {
    if (/^(?:[a-z][a-z0-9+.-]*:|\/)/i.test(to)) return [];
    const [link = "", anchor] = to.split("#");
    const path =
      link === ""
        ? file.path
        : posix.normalize(posix.join(posix.dirname(file.path), decodeURIComponent(link.split("?")[0] ?? ""))).replace(/\/$/, "");
    const text = path === file.path ? file.text : files.get(path);
    if (text === undefined && !folders.has(path) && path !== ".") return [{ path: file.path, line, what: `links to ${to}, which does not exist` }];
    const dead_anchor = anchor !== undefined && path.endsWith(".md") && text !== undefined && !anchorsOf(text).has(anchor);
    return dead_anchor ? [{ path: file.path, line, what: `links to ${to}, but there is no such heading` }] : [];
  });
}

/** The levels of a page's headings, in order. */
export function outlineOf(text: string): number[] {
  return proseLines(text).flatMap((line) => /^(#{1,6})\s/.exec(line)?.[1]?.length ?? []);
}

/** The commands of a page's shell blocks, without comments. A block that names no language is one of a shell. */
export function commandsOf(text: string): string[] {
  const blocks = [...text.matchAll(/^```(\w*)\n([\s\S]*?)^```/gm)].filter((block) => ["", "sh", "bash", "shell", "console"].includes(block[1] ?? ""));
  return blocks
    .flatMap((block) => (block[2] ?? "").split("\n"))
    .map((line) => line.replace(/(?:^|\s)#.*$/, "").trim())
    .filter(Boolean);
}

/** What the tables of a page set in code: commands, their words, statuses. */
export function tableCodesOf(text: string): string[] {
  return proseLines(text)
    .filter((line) => line.startsWith("|"))
    .flatMap((line) => [...line.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? ""));
}

/** A translated page has the same chapters, commands, tables' code and links as its original. Links between the two are their own affair. */
export function translationProblems(original: SourceFile, translation: SourceFile): Problem[] {
  const problems: Problem[] = [];
  const [ours, theirs] = [outlineOf(original.text), outlineOf(translation.text)];
  if (ours.join() !== theirs.join())
    problems.push({ path: translation.path, line: 1, what: `has headings of levels ${theirs.join(" ")}, ${original.path} has ${ours.join(" ")}` });
  const linkTargets = (text: string): string[] =>
    linksOf(text)
      .map(({ to }) => to)
      .filter((to) => to !== original.path && to !== translation.path);
  const kinds: readonly (readonly [string, (text: string) => string[]])[] = [
    ["the command", commandsOf],
    ["the table's word", tableCodesOf],
    ["the link to", linkTargets],
  ];
  for (const [kind, read] of kinds) {
    const [a, b] = [read(original.text), read(translation.text)];
    for (const word of a.filter((one) => !b.includes(one))) problems.push({ path: translation.path, line: 1, what: `lacks ${kind} \`${word}\`` });
    for (const word of b.filter((one) => !a.includes(one))) problems.push({ path: original.path, line: 1, what: `lacks ${kind} \`${word}\`` });
  }
  return problems;
}
