import type { Bench } from "../lib/bench.ts";
import { baseline, judge, notify } from "../lib/ingest.ts";
import { median, type Result, result } from "../lib/result.ts";

/** From the first notification to the last committed transition and event, with a gateway that answers at once: payments per second. */
export async function apply(bench: Bench): Promise<Result[]> {
  const count = bench.size(bench.engine === "sqlite" ? 6_000 : 3_000, 200);
  const rounds = bench.size(3, 1);
  const [bare, hub] = [await bench.server("baseline-server.ts"), await bench.hub()];
  const [theirs, ours]: [number[], number[]] = [[], []];
  let paid = 0;
  for (let round = 0; round <= rounds; round += 1) {
    const references = await hub.seedPayments(count, `a${round}`);
    const bareReport = await baseline(bare, count * 5);
    const began = performance.now();
    await notify(hub, references);
    await hub.drained();
    const per_second = (count / (performance.now() - began)) * 1000;
    await judge(hub, (paid += count));
    // The first round warms up.
    if (round === 0) continue;
    theirs.push(bareReport.per_second);
    ours.push(per_second);
    bench.say(`bare ${bareReport.per_second.toFixed(0)}/s, applied ${per_second.toFixed(0)}/s`);
  }
  return [result("apply", bench.engine, "1/s", median(ours), median(theirs))];
}
