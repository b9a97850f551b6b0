const SIGNALS = ["SIGINT", "SIGTERM"] as const;
/** A stop that takes longer than this is ended: what was under way is found again at the next start. */
const STOP_PATIENCE_MS = 20_000;

/** Stops in order at the first signal, and ends the process with 0 when that has gone well. */
export function stopOnSignal(stop: () => Promise<void>): void {
  let stopping = false;
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      if (stopping) return;
      stopping = true;
      setTimeout(() => process.exit(1), STOP_PATIENCE_MS).unref();
      stop().then(
        () => process.exit(0),
        () => process.exit(1),
      );
    });
  }
}
