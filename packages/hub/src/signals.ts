import { EventEmitter } from "node:events";
import type { Signal, Signals } from "./hub.ts";

/** One emitter of the process. Listeners must not throw; what they do later is their own affair. */
export function makeSignals(): Signals {
  const emitter = new EventEmitter();
  emitter.setMaxListeners(0);
  return {
    emit: (signal: Signal) => void emitter.emit(signal.kind, signal),
    on: (kind, listener) => {
      emitter.on(kind, listener);
      return () => emitter.off(kind, listener);
    },
  };
}
