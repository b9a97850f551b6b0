import { readFile } from "node:fs/promises";

/** The names of encodings and of the files that the build wrote in them, the smallest first. */
const ENCODINGS = [
  ["br", ".br"],
  ["gzip", ".gz"],
] as const;

export interface Page {
  readonly body: Uint8Array;
  /** Absent: as it is. */
  readonly encoding?: "br" | "gzip";
}

/** Reads a page in the smallest form that the client takes and the build has. @returns undefined where it was not built. */
export async function readPage(file: string, accept: string | undefined): Promise<Page | undefined> {
  for (const [encoding, ending] of ENCODINGS) {
    if (!takes(accept ?? "", encoding)) continue;
    const body = await readFile(`${file}${ending}`).catch(() => undefined);
    if (body) return { body, encoding };
  }
  const body = await readFile(file).catch(() => undefined);
  return body && { body };
}

function takes(accept: string, encoding: string): boolean {
  return accept.split(",").some((part) => {
    const [name, ...parameters] = part.split(";").map((text) => text.trim().toLowerCase());
    return name === encoding && !parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter));
  });
}
