import { load } from "./children.ts";
import type { LoadReport } from "./load.ts";
import { type HubServer, SERVER_KEY, type Server } from "./bench.ts";

export const CONNECTIONS = 128;

/** Sends one notification per reference, each signed, and checks that all of them were accepted. */
export async function notify(server: Server, references: readonly string[], rate?: number): Promise<LoadReport> {
  const report = await load({
    port: server.port,
    connections: CONNECTIONS,
    notify: { path: "/callbacks/midtrans", references, server_key: SERVER_KEY },
    ...(rate === undefined ? {} : { rate }),
  });
  if (report.statuses["200"] !== references.length) throw new Error(`not all notifications were accepted: ${JSON.stringify(report.statuses)}`);
  return report;
}

/** Loads the bare server as the hub is loaded. */
export function baseline(server: Server, count: number, rate?: number): Promise<LoadReport> {
  return notify(
    server,
    Array.from({ length: count }, (_, n) => `B-${String(n).padStart(7, "0")}`),
    rate,
  );
}

/** Counts what became of the notifications of `paid` payments: each of them paid, with one transition and one event. */
export async function judge(hub: HubServer, paid: number): Promise<void> {
  await hub.drained();
  const counts = await hub.counts();
  const all = [counts.stored, counts.paid, counts.transitions, counts.transitions_distinct, counts.events, counts.events_distinct];
  if (all.some((count) => count !== paid)) throw new Error(`not every payment was paid exactly once: ${JSON.stringify(counts)}, ${paid} expected`);
}
