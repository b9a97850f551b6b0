/** The oldest Node that runs Lunas: type stripping, `using` and the stable parts of the test tools. */
const OLDEST = [24, 15] as const;

/** Why this Node cannot run Lunas, or undefined when it can. */
export function runtimeProblem(version: string = process.version): string | undefined {
  const [major = 0, minor = 0] = version.replace(/^v/, "").split(".").map(Number);
  if (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])) return undefined;
  return [
    `Lunas needs Node ${OLDEST.join(".")} or newer; this is ${version}.`,
    "`npm ci` brings a Node of its own for Linux (glibc), macOS and Windows and npm scripts use it: start with `npm start`, not with `node`.",
    "On other systems install Node 26.",
  ].join("\n");
}

/** Ends the process with a message when this Node is too old. */
export function requireRuntime(): void {
  const problem = runtimeProblem();
  if (problem === undefined) return;
  process.stderr.write(`${problem}\n`);
  process.exit(1);
}
