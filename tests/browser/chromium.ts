import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { type Browser, chromium } from "playwright-core";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/** As root there is no sandbox; without the others the browser keeps asking hosts that a closed network refuses. */
const ARGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The system's Chromium: `CHROMIUM_PATH`, or the first of its names on the PATH; undefined where there is none. */
export function findChromium(env: NodeJS.ProcessEnv = process.env): string | undefined {
  if (env.CHROMIUM_PATH) return env.CHROMIUM_PATH;
  const folders = (env.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  return NAMES.flatMap((name) => folders.map((folder) => join(folder, name))).find(isExecutable);
}

const MISSING = "no Chromium found: install Debian's `chromium`, or name one in CHROMIUM_PATH";

/** For `describe.skipIf(withoutBrowser())`: true where browser tests have to be skipped, which it says. Never under CI, where a missing browser is a failure. */
export function withoutBrowser(): boolean {
  if (process.env.CI === "true" || findChromium() !== undefined) return false;
  process.stderr.write(`browser tests skipped: ${MISSING}\n`);
  return true;
}

/** Starts the system's Chromium, headless, with an empty profile of its own. Throws with advice where there is none. */
export async function launchChromium(): Promise<Browser> {
  const executablePath = findChromium();
  if (executablePath === undefined) throw new Error(MISSING);
  return chromium.launch({ executablePath, headless: true, args: ARGS });
}
