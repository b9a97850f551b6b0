import type { Bench } from "../lib/bench.ts";
import { baseline, judge, notify } from "../lib/ingest.ts";
import { median, type Result, result } from "../lib/result.ts";

/** Notifications accepted per second (signature checked, durable, answered) against a bare Fastify route; p99 at half that load. */
export async function ingest(bench: Bench): Promise<Result[]> {
  // On PostgreSQL the backlog takes longer to be worked off than to be made.
  const count = bench.size(bench.engine === "sqlite" ? 20_000 : 10_000, 500);
  const rounds = bench.size(5, 1);
  const [bare, hub] = [await bench.server("baseline-server.ts"), await bench.hub()];
  const [theirs, ours]: [number[], number[]] = [[], []];
  let paid = 0;
  const settle = async (sent: number): Promise<void> => {
    const began = performance.now();
    await judge(hub, (paid += sent));
    bench.say(`backlog of ${sent} drained and counted in ${((performance.now() - began) / 1000).toFixed(1)} s: every payment paid once`);
  };
  // Neither is measured cold.
  await baseline(bare, count / 2);
  await notify(hub, await hub.seedPayments(count / 10, "warm"));
  await settle(count / 10);
  for (let round = 0; round < rounds; round += 1) {
    const references = await hub.seedPayments(count, `r${round}`);
    theirs.push((await baseline(bare, count)).per_second);
    const report = await notify(hub, references);
    ours.push(report.per_second);
    bench.say(
      `bare ${theirs.at(-1)!.toFixed(0)}/s, hub ${report.per_second.toFixed(0)}/s, p50 ${report.p50_ms.toFixed(1)} ms, p99 ${report.p99_ms.toFixed(1)} ms`,
    );
    await settle(count);
  }
  const rate = median(ours) / 2;
  const calm = Math.min(count, Math.ceil(rate * 5));
  const [barely, p99s]: [number[], number[]] = [[], []];
  for (let round = 0; round < Math.min(rounds, 3); round += 1) {
    const references = await hub.seedPayments(calm, `half${round}`);
    const bareReport = await baseline(bare, calm, rate);
    const report = await notify(hub, references, rate);
    barely.push(bareReport.p99_ms);
    p99s.push(report.p99_ms);
    bench.say(
      `at ${rate.toFixed(0)}/s: bare p99 ${bareReport.p99_ms.toFixed(1)} ms, hub p50 ${report.p50_ms.toFixed(1)} ms, p99 ${report.p99_ms.toFixed(1)} ms`,
    );
    await settle(calm);
  }
  return [
    result("ingest", bench.engine, "1/s", median(ours), median(theirs)),
    result("ingest.p99_half_load", bench.engine, "ms", median(p99s), median(barely)),
  ];
}
