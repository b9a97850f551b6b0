import { type Bench, CLOSE_LOOK_MS, type HubServer, type Server } from "../lib/bench.ts";
import type { ReceiverReport } from "../lib/receiver.ts";
import { median, quantile, type Result, result } from "../lib/result.ts";

const ENDPOINTS = 10;
/** Of a webhook: about what an event of a paid order weighs. */
const BODY_BYTES = 900;

/** Deliveries per second to a local receiver against a bare loop of POSTs, as many at once as the hub had at its most. */
export async function deliver(bench: Bench): Promise<Result[]> {
  const count = bench.size(20_000, 200);
  const rounds = bench.size(5, 1);
  const [receiver, poster, hub] = [await bench.server("receiver.ts"), await bench.server("poster.ts"), await bench.hub()];
  const urls = Array.from({ length: ENDPOINTS }, (_, n) => url(receiver, `/hook/${n}`));
  const bareRound = (concurrency: number) => poster.ask<{ per_second: number }>({ url: urls[0], count, concurrency, bytes: BODY_BYTES });
  // Neither is measured cold: all three get twice as fast within their first round.
  await bareRound((await round(hub, receiver, urls, count)).connections);
  const [theirs, ours]: [number[], number[]] = [[], []];
  for (let n = 0; n < rounds; n += 1) {
    const { per_second, connections } = await round(hub, receiver, urls, count);
    const bare = await bareRound(connections);
    ours.push(per_second);
    theirs.push(bare.per_second);
    bench.say(`bare ${bare.per_second.toFixed(0)}/s, hub ${per_second.toFixed(0)}/s, ${connections} at once`);
  }
  return [result("deliver", bench.engine, "1/s", median(ours), median(theirs)), await oneHangs(bench, hub, receiver)];
}

/** p99 of the time until a delivery arrives at 99 healthy endpoints, with one that never answers, against none. */
async function oneHangs(bench: Bench, hub: HubServer, receiver: Server): Promise<Result> {
  const count = bench.size(5_000, 200);
  const healthy = Array.from({ length: 99 }, (_, n) => url(receiver, `/hook/${n}`));
  const [none, one]: [number[], number[]] = [[], []];
  for (let n = 0; n < bench.size(5, 1); n += 1) {
    none.push((await round(hub, receiver, [...healthy, url(receiver, "/hook/99")], count, { strangers: true })).p99_ms);
    one.push((await round(hub, receiver, [url(receiver, "/hang"), ...healthy], count, { strangers: true, stuck: Math.ceil(count / 100) })).p99_ms);
    bench.say(`p99 of arrival: none hangs ${none.at(-1)!.toFixed(0)} ms, one of 100 hangs ${one.at(-1)!.toFixed(0)} ms`);
  }
  return result("deliver.p99_one_hangs", bench.engine, "ms", median(one), median(none));
}

function url(receiver: Server, path: string): string {
  return `http://127.0.0.1:${receiver.port}${path}`;
}

interface Odds {
  /** The hub has never sent anything to the endpoints. */
  readonly strangers?: boolean;
  /** So many go to an endpoint that hangs. */
  readonly stuck?: number;
}

/** All of them fall due at one moment; ends when all that can be delivered is, and is written down. */
async function round(
  hub: HubServer,
  receiver: Server,
  urls: readonly string[],
  count: number,
  { strangers = false, stuck = 0 }: Odds = {},
): Promise<{ per_second: number; connections: number; p99_ms: number }> {
  await hub.ask({ do: "seed-deliveries", urls, count, strangers });
  const arriving = count - stuck;
  await receiver.ask({ do: "forget" });
  const began = performance.timeOrigin + performance.now();
  await hub.ask({ do: "release-deliveries" });
  // The receiver is asked first: looking into the database again and again would be work that nobody but the bench makes.
  await hub.received(receiver, arriving);
  if (stuck === 0) await hub.until((progress) => progress.undelivered === 0, "all deliveries to be written down", CLOSE_LOOK_MS);
  const elapsed_ms = performance.timeOrigin + performance.now() - began;
  const report = await receiver.ask<ReceiverReport>({ do: "report" });
  if (report.received !== arriving) throw new Error(`${report.received} of ${arriving} deliveries arrived`);
  const waits = report.at.map((at) => at - began);
  return { per_second: (count / elapsed_ms) * 1000, connections: report.connections, p99_ms: quantile(waits, 0.99) };
}
