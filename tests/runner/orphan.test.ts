import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

const PROGRAM = `const { whenNpmIsGone } = await import(process.env.LIBRARY);
whenNpmIsGone(() => process.exit(0));
(await import("node:http")).createServer().listen(0, () => console.log(process.pid));`;

// npm runs a script through a shell. A kill takes npm, or npm takes its shell with it, and the script hears nothing of either.
// Only Linux tells a process of its grandparent (in /proc).
const VICTIMS = process.platform === "linux" ? ["the shell", "npm"] : ["the shell"];
test.each(VICTIMS)("a script of npm notices that %s is gone", async (victim) => {
  const library = new URL("../../scripts/lib/orphan.ts", import.meta.url).href;
  const env = { ...process.env, LIBRARY: library, PROGRAM, NODE: process.execPath, npm_lifecycle_event: "start" };
  // The outer shell stands for npm, the inner one for the shell that npm starts.
  const npm = spawn("sh", ["-c", `sh -c 'echo $$; "$NODE" --input-type=module -e "$PROGRAM"; :'; :`], { env, stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  npm.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  await expect.poll(() => output.trim().split("\n").length, { timeout: 10_000 }).toBe(2);
  const [shell = 0, script = 0] = output.trim().split("\n").map(Number);
  expect(isAlive(script)).toBe(true);
  const ended = once(npm, "exit");
  process.kill(victim === "npm" ? npm.pid! : shell, "SIGKILL");
  await ended;
  await expect.poll(() => isAlive(script), { timeout: 10_000 }).toBe(false);
});
