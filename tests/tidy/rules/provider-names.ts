import { isTest, parse, type Problem, type SourceFile } from "./source.ts";

/**
 * A new provider touches its own folder and one line of the registry: so no other code of the product may know one by name.
 * Comments may, and so may tests, documents, and the shops and examples that choose a provider as any integrator does.
 */
const PRODUCT = /^(?:packages|scripts)\//;
const REGISTRY = "packages/providers/registry.ts";

/** Names of the providers that have a folder. */
export function providerNames(files: readonly SourceFile[]): string[] {
  return files.flatMap(({ path }) => /^packages\/providers\/([^/]+)\/index\.ts$/.exec(path)?.[1] ?? []);
}

function mayName(path: string, name: string): boolean {
  return path === REGISTRY || path.startsWith(`packages/providers/${name}/`) || isTest(path) || /\/testing\/|\.test-data\.ts$/.test(path);
}

/** The text with blanks in the place of its comments. */
function withoutComments(file: SourceFile): string {
  let { text } = file;
  for (const { start, end } of parse(file)?.comments ?? [])
    text = text.slice(0, start) + text.slice(start, end).replaceAll(/[^\n]/g, " ") + text.slice(end);
  return text;
}

/** Providers that a file of the product knows by name though it is neither theirs nor the registry. */
export function providerNameProblems(file: SourceFile, names: readonly string[]): Problem[] {
  if (!PRODUCT.test(file.path) || !/\.(?:ts|tsx|js|mjs)$|(?:^|\/)package\.json$/.test(file.path)) return [];
  const strange = names.filter((name) => !mayName(file.path, name));
  if (strange.length === 0) return [];
  return withoutComments(file)
    .split("\n")
    .flatMap((line, index) =>
      strange
        .filter((name) => line.toLowerCase().includes(name))
        .map((name) => ({ path: file.path, line: index + 1, what: `knows the provider ${name} by name: only its folder and the registry may` })),
    );
}
