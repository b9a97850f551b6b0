import { readFileSync } from "node:fs";

const LOOK_EVERY_MS = 500;
const SHELLS = ["sh", "dash", "ash", "bash", "zsh"];

/** Name and parent of a process, where the system tells them in /proc. */
function lookUp(pid: number): { readonly name: string; readonly parent: string } | undefined {
  try {
    // "123 (name) S 1 …": the name may hold spaces and brackets of its own.
    const [, name = "", parent = ""] = /^\d+ \((.*)\) \S (\d+) /s.exec(readFileSync(`/proc/${pid}/stat`, "utf8")) ?? [];
    return { name, parent };
  } catch {
    return undefined;
  }
}

/** Whom we hang on: our parent, and the shell's parent where npm put a shell in between. */
function ancestry(): string {
  const parent = lookUp(process.ppid);
  return parent && SHELLS.includes(parent.name) ? `${process.ppid} ${parent.parent}` : String(process.ppid);
}

/**
 * Calls back once when npm, which started this script, is gone. npm passes a signal on to its shell and not to us, and cannot
 * pass on a kill -9 at all: without this, ending npm would leave everything running. Does nothing when npm did not start us.
 */
export function whenNpmIsGone(gone: () => void): void {
  if (process.env["npm_lifecycle_event"] === undefined) return;
  const before = ancestry();
  const timer = setInterval(() => {
    if (ancestry() === before) return;
    clearInterval(timer);
    gone();
  }, LOOK_EVERY_MS);
  // Watching alone keeps no process alive.
  timer.unref();
}
