import { type OffsetClock, SECOND_MS } from "@lunas/domain";
import type { Logger } from "pino";
import type { Signals } from "./hub.ts";

const LONG_POLL_S = 25;
const RETRY_MS = 500;

/**
 * Development only: the hub's business clock follows the sandbox's, so that a person who advances one advances both.
 * @returns how to stop.
 */
export function followSandboxClock(sandbox_url: string, clock: OffsetClock, signals: Signals, log: Logger): () => Promise<void> {
  const abort = new AbortController();
  let version = -1;
  const once = async (): Promise<void> => {
    const answer = await fetch(`${sandbox_url}/_control/clock?after=${version}&wait_s=${LONG_POLL_S}`, {
      signal: AbortSignal.any([abort.signal, AbortSignal.timeout((LONG_POLL_S + 10) * SECOND_MS)]),
    });
    if (!answer.ok) throw new Error(`the sandbox answered ${answer.status}`);
    const told = (await answer.json()) as { version: number; offset_ms: number };
    version = told.version;
    if (told.offset_ms === clock.offset_ms) return;
    clock.setOffset(told.offset_ms);
    log.info({ offset_ms: told.offset_ms }, "business clock moved with the sandbox");
    signals.emit({ kind: "jobs" });
    signals.emit({ kind: "deliveries" });
  };
  const loop = async (): Promise<void> => {
    let silent = false;
    while (!abort.signal.aborted) {
      try {
        await once();
        silent = false;
      } catch (error) {
        if (abort.signal.aborted) return;
        if (!silent) log.debug({ err: error }, "the sandbox's clock cannot be read; trying on");
        silent = true;
        version = -1;
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  };
  const running = loop();
  return async () => {
    abort.abort();
    await running;
  };
}
