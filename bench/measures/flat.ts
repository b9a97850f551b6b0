import { load } from "../lib/children.ts";
import { API_KEY, type Bench, type HubServer } from "../lib/bench.ts";
import { CONNECTIONS, notify } from "../lib/ingest.ts";
import { median, type Result, result } from "../lib/result.ts";

/** Ingest, and asking how a payment stands, with a million notifications in the database against an empty one. */
export async function flat(bench: Bench): Promise<Result[]> {
  const history = bench.size(1_000_000, 2_000);
  // On PostgreSQL the backlog takes longer to be worked off than to be made.
  const count = bench.size(bench.engine === "sqlite" ? 15_000 : 6_000, 300);
  const [empty, full] = [await bench.hub(), await bench.hub()];
  const began = performance.now();
  await full.ask({ do: "seed-history", count: history });
  bench.say(`${history} notifications seeded in ${((performance.now() - began) / 1000).toFixed(0)} s`);
  const figures = { empty: { ingest: [] as number[], status: [] as number[] }, full: { ingest: [] as number[], status: [] as number[] } };
  const hubs = { empty, full };
  for (let round = 0; round <= bench.size(5, 1); round += 1) {
    // Each goes first in turn.
    for (const name of round % 2 === 0 ? (["empty", "full"] as const) : (["full", "empty"] as const)) {
      const hub = hubs[name];
      const other = hubs[name === "full" ? "empty" : "full"];
      // It would go on asking about what was paid in the round before.
      other.process.kill("SIGSTOP");
      const sent = await notify(hub, await hub.seedPayments(count, `f${round}`));
      await hub.drained();
      const asked = await status(hub, bench.size(3_000, 60));
      other.process.kill("SIGCONT");
      // The first round warms up.
      if (round === 0) continue;
      figures[name].ingest.push(sent.per_second);
      figures[name].status.push(asked);
      bench.say(`${name}: ingest ${sent.per_second.toFixed(0)}/s, status ${asked.toFixed(0)}/s`);
    }
  }
  return [
    result("flat.ingest", bench.engine, "1/s", median(figures.full.ingest), median(figures.empty.ingest)),
    result("flat.status", bench.engine, "1/s", median(figures.full.status), median(figures.empty.status)),
  ];
}

/** GET /v1/payments/{id} of so many payments, per second. */
async function status(hub: HubServer, count: number): Promise<number> {
  const { ids } = await hub.ask<{ ids: string[] }>({ do: "payment-ids", count });
  const report = await load({ port: hub.port, connections: CONNECTIONS, get: ids.map((id) => `/v1/payments/${id}`), api_key: API_KEY });
  if (report.statuses["200"] !== ids.length) throw new Error(`not all payments were told: ${JSON.stringify(report.statuses)}`);
  return report.per_second;
}
