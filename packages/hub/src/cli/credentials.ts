import { readFileSync } from "node:fs";

const STDIN = 0;

/** `NAME=VALUE` on the command line, one after another. The value is never told back: it may be a secret. */
export function credentialPair(text: string, before: Readonly<Record<string, string>>): Record<string, string> {
  const at = text.indexOf("=");
  if (at < 1) throw new Error("a credential is written NAME=VALUE");
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}

/**
 * Credentials from a file, so that they stand neither in the shell's history nor in the list of processes.
 * @param file `-` for the standard input.
 * @throws Error that names the file, not what is in it.
 */
export function readCredentials(file: string): Record<string, string> {
  const what = file === "-" ? "the standard input" : file;
  const text = readFileSync(file === "-" ? STDIN : file, "utf8");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Error(`${what} is not JSON`);
  }
  const fine = typeof value === "object" && value !== null && !Array.isArray(value) && Object.values(value).every((one) => typeof one === "string");
  if (!fine) throw new Error(`${what} must hold one JSON object of strings, such as {"server_key": "…", "client_key": "…"}`);
  return value as Record<string, string>;
}
