import { SECOND_MS } from "@lunas/domain";
import type { Hub } from "./hub.ts";
import { readHold } from "./store/hold.ts";

/** Another hub may have put the database on hold, or lifted it. */
const LOOK_MS = 2 * SECOND_MS;

export interface HoldFollower {
  /** Reads the hold now. @throws StoreError when the database cannot be read. */
  look(): Promise<void>;
  stop(): Promise<void>;
}

/** Keeps what the hub believes of the hold equal to what stands in its database, whoever wrote it there. */
export function followHold(hub: Pick<Hub, "store" | "hold" | "signals" | "log">, every_ms = LOOK_MS): HoldFollower {
  let timer: NodeJS.Timeout | undefined;
  let looking: Promise<void> | undefined;
  const look = async (): Promise<void> => {
    const reason = await readHold(hub.store);
    const before = hub.hold.reason;
    if (reason === before) return;
    hub.hold.reason = reason;
    hub.log.warn({ hold: reason ?? null }, reason === undefined ? "the hold is lifted" : "on hold: nothing that moves money is sent");
    if (reason === undefined) hub.signals.emit({ kind: "jobs" });
  };
  let down = false;
  const again = (): void => {
    timer = setTimeout(() => {
      looking = look()
        .then(() => void (down = false))
        .catch((error: unknown) => {
          // What was known stays so. Told once for each time that the database is down.
          if (!down) hub.log.warn({ err: error }, "the hold could not be read");
          down = true;
        })
        .finally(again);
    }, every_ms);
  };
  again();
  return {
    look,
    stop: async () => {
      clearTimeout(timer);
      await looking;
      // The look that was under way has set another.
      clearTimeout(timer);
    },
  };
}
