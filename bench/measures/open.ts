import { API_KEY, type Bench, type Server } from "../lib/bench.ts";
import { quantile, type Result, result } from "../lib/result.ts";

/**
 * An order and its payment over HTTP, with a gateway that answers at once: what the hub adds to a gateway's own time, for one shop that waits
 * for each. The baseline is the same two requests to a bare Fastify route.
 */
export async function open(bench: Bench): Promise<Result[]> {
  const count = bench.size(200, 20);
  const [bare, hub, opener] = [await bench.server("baseline-server.ts"), await bench.hub(), await bench.server("opener.ts")];
  const run = async (server: Server, isHub: boolean): Promise<number[]> =>
    (await opener.ask<{ each_ms: number[] }>({ base: `http://127.0.0.1:${server.port}`, api_key: API_KEY, count, hub: isHub })).each_ms;
  await run(bare, false);
  await run(hub, true);
  const [theirs, ours]: [number[], number[]] = [[], []];
  for (let round = 0; round < bench.size(5, 1); round += 1) {
    theirs.push(...(await run(bare, false)));
    ours.push(...(await run(hub, true)));
  }
  return [0.5, 0.99].map((share) => result(`open.p${share * 100}`, bench.engine, "ms", quantile(ours, share), quantile(theirs, share)));
}
