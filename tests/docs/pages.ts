import { globSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

export const ROOT = resolve(import.meta.dirname, "../..");

export function readPage(path: string): string {
  return readFileSync(join(ROOT, path), "utf8");
}

/** The pages whose statements are checked here: all that a person may read first, and `docs/*.md`. */
export function allPages(): { path: string; text: string }[] {
  const readmes = globSync(["packages/*/README.md", "apps/*/README.md", "examples/*/README.md"], { cwd: ROOT, exclude: ["**/node_modules/**"] });
  return ["README.md", "README.id.md", ...readmes.sort(), ...globSync("docs/*.md", { cwd: ROOT }).sort()].map((path) => ({
    path,
    text: readPage(path),
  }));
}

/** The code blocks of a page in one language, without the indentation of a list around them. */
export function codeBlocks(text: string, language: string): string[] {
  const blocks = [...text.matchAll(/^( *)```(\w*)\n([\s\S]*?)^ *```/gm)];
  return blocks
    .filter((block) => block[2] === language)
    .map((block) =>
      (block[3] ?? "")
        .split("\n")
        .map((line) => line.slice(block[1]?.length ?? 0))
        .join("\n"),
    );
}

/** The commands of a page's shell blocks. One goes on over a line's end that is escaped or quoted. */
export function shellCommands(text: string): string[] {
  const lines = [...codeBlocks(text, "sh"), ...codeBlocks(text, "")].flatMap((block) => block.replaceAll(/ *\\\n\s*/g, " ").split("\n"));
  const commands: string[] = [];
  let open = false;
  for (const line of lines) {
    if (open) commands.push(`${commands.pop()}\n${line}`);
    else if (line.trim() !== "" && !line.trim().startsWith("#")) commands.push(line.trim());
    else continue;
    open = (commands.at(-1)?.split("'").length ?? 1) % 2 === 0;
  }
  return commands;
}

/** A shell command as its words. Quotes of both kinds and comments are understood, nothing else. */
export function words(command: string): string[] {
  const found = [...command.matchAll(/(?:^|\s)(#.*$)|((?:'[^']*'|"[^"]*"|[^\s'"])+)/g)];
  return found.flatMap((match) => (match[2] === undefined ? [] : [match[2].replaceAll(/'([^']*)'|"([^"]*)"/g, "$1$2")]));
}

export interface CurlCall {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  /** From a comment `# answers 409`; otherwise any 2xx. */
  readonly answers: number | undefined;
}

/** Reads a `curl` of the documentation. @throws Error at an option that the pages do not use. */
export function readCurl(command: string): CurlCall {
  const headers: Record<string, string> = {};
  let [method, url, body]: [string | undefined, string | undefined, string | undefined] = [undefined, undefined, undefined];
  const rest = words(command).slice(1);
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === "-X") method = rest.shift();
    else if (word === "-d") body = rest.shift();
    else if (word === "-H") {
      const [name = "", value = ""] = (rest.shift() ?? "").split(/:\s*(.*)/s);
      headers[name] = value;
    } else if (word.startsWith("http")) url = word;
    else if (word !== "-s") throw new Error(`unknown word ${word} in: ${command}`);
  }
  if (url === undefined) throw new Error(`no address in: ${command}`);
  const answers = /# answers (\d{3})/.exec(command)?.[1];
  return {
    method: method ?? (body === undefined ? "GET" : "POST"),
    url,
    headers,
    body,
    answers: answers === undefined ? undefined : Number(answers),
  };
}
