import { spawn } from "node:child_process";
import { join } from "node:path";

const BUILD = join(import.meta.dirname, "../../scripts/build.ts");

/** Builds the front ends that are missing or stale, as `npm test` has already done: then it is quick. */
export async function buildFrontends(): Promise<void> {
  const child = spawn(process.execPath, [BUILD], { stdio: ["ignore", "ignore", "pipe"] });
  const errors: string[] = [];
  child.stderr.on("data", (data: Buffer) => errors.push(data.toString()));
  const code = await new Promise<number | null>((resolve) => child.once("exit", resolve));
  if (code !== 0) throw new Error(`the front ends do not build:\n${errors.join("")}`);
}
