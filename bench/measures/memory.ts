import type { Bench } from "../lib/bench.ts";
import { judge, notify } from "../lib/ingest.ts";
import { type Result, result } from "../lib/result.ts";

interface Memory {
  readonly rss_mb: number;
  readonly peak_mb: number;
}

/** Resident memory of the hub's process: after its start, and the most it ever had while notifications came as fast as they went, and were applied. */
export async function memory(bench: Bench): Promise<Result[]> {
  const count = bench.size(20_000, 300);
  const hub = await bench.hub();
  const idle = await hub.ask<Memory>({ do: "memory" });
  await notify(hub, await hub.seedPayments(count, "m"));
  await judge(hub, count);
  const load = await hub.ask<Memory>({ do: "memory" });
  return [result("memory.idle", bench.engine, "MB", idle.rss_mb), result("memory.load", bench.engine, "MB", load.peak_mb)];
}
