import { createHash } from "node:crypto";
import { existsSync, globSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { ROOT, TOOLS } from "./paths.ts";
import { runNode } from "./run.ts";

/** Something that is built before it can be served or packed. Paths are relative to the root. */
export interface Target {
  readonly name: string;
  readonly folder: string;
  /** The build's own configuration. Where it is missing, there is nothing to build. */
  readonly config: string;
  readonly tool: "vite" | "tsc";
  /** A file that a finished build surely has. */
  readonly proof: string;
  /** Folders and files whose change makes the build stale. */
  readonly inputs: readonly string[];
}

const SHARED_INPUTS = ["package-lock.json", "tsconfig.json", "tsconfig.web.json"];

/** In the order in which they are built: the shop is made of the sdk. */
export const TARGETS: readonly Target[] = [
  {
    name: "sdk",
    folder: "packages/sdk",
    config: "packages/sdk/tsconfig.build.json",
    tool: "tsc",
    proof: "packages/sdk/dist/index.js",
    inputs: ["packages/sdk", ...SHARED_INPUTS],
  },
  {
    name: "checkout",
    folder: "apps/checkout",
    config: "apps/checkout/vite.config.ts",
    tool: "vite",
    proof: "apps/checkout/dist/index.html",
    inputs: ["apps/checkout", ...SHARED_INPUTS],
  },
  {
    name: "shop",
    folder: "apps/shop",
    config: "apps/shop/vite.config.ts",
    tool: "vite",
    proof: "apps/shop/dist/index.html",
    inputs: ["apps/shop", "packages/sdk", ...SHARED_INPUTS],
  },
];

const NOT_INPUTS = ["node_modules", "dist", "data"];

function isInput(path: string): boolean {
  const parts = path.replaceAll("\\", "/").split("/");
  return !parts.some((part) => NOT_INPUTS.includes(part)) && !path.endsWith(".test.ts") && !path.endsWith(".md");
}

/** One digest over the names and bytes of everything that goes into a build. */
export function inputsDigest(target: Target, root: string = ROOT): string {
  const files = target.inputs.flatMap((input) => {
    const path = join(root, input);
    if (!existsSync(path)) return [];
    if (statSync(path).isFile()) return [input];
    return globSync("**/*", { cwd: path, exclude: (name) => NOT_INPUTS.includes(name) })
      .map((file) => join(input, file))
      .filter((file) => isInput(file) && statSync(join(root, file)).isFile());
  });
  const hash = createHash("sha256");
  for (const file of [...new Set(files)].sort()) {
    const bytes = readFileSync(join(root, file));
    hash.update(`${file.replaceAll("\\", "/")}\0${bytes.length}\0`).update(bytes);
  }
  return hash.digest("hex");
}

function stampFile(target: Target, root: string): string {
  return join(root, target.folder, "dist", ".stamp");
}

/** Whether a target has to be built: "absent" has no configuration yet, "fresh" was built from exactly these inputs. */
export function stateOf(target: Target, root: string = ROOT): "absent" | "fresh" | "stale" {
  if (!existsSync(join(root, target.config))) return "absent";
  const stamp = stampFile(target, root);
  if (!existsSync(join(root, target.proof)) || !existsSync(stamp)) return "stale";
  return readFileSync(stamp, "utf8") === inputsDigest(target, root) ? "fresh" : "stale";
}

async function build(target: Target): Promise<void> {
  // Taken before the build, so that an edit made while it runs makes it stale again.
  const digest = inputsDigest(target);
  const config = join(ROOT, target.config);
  const args = target.tool === "vite" ? [TOOLS.vite, "build", "--logLevel", "warn"] : [TOOLS.tsc, "-p", config];
  const { code, text } = await runNode(args, { cwd: join(ROOT, target.folder), output: "kept", env: { NODE_ENV: "production" } });
  if (code !== 0) throw new Error(`${target.name} does not build:\n${text.trim()}`);
  if (!existsSync(join(ROOT, target.proof))) throw new Error(`${target.name} was built, but ${target.proof} is missing:\n${text.trim()}`);
  const stamp = stampFile(target, ROOT);
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, digest);
}

/**
 * Builds what is missing or stale (or all, with `force`; or some, by their names), one after the other, and says so.
 * Throws with the tool's own words when a build fails.
 */
export async function buildStale(options: { force?: boolean; only?: readonly string[] } = {}): Promise<void> {
  for (const target of TARGETS) {
    if (options.only && !options.only.includes(target.name)) continue;
    const state = stateOf(target);
    if (state === "absent" || (state === "fresh" && !options.force)) continue;
    const started_ms = performance.now();
    process.stdout.write(`building ${target.name} … `);
    await build(target);
    process.stdout.write(`${((performance.now() - started_ms) / 1000).toFixed(1)} s\n`);
  }
}
