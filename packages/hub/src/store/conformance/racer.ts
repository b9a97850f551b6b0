/**
 * One of the hubs that race on a PostgreSQL: a process of its own, started by postgres.test.ts, that speaks to it by messages.
 * It says `ready`, waits for `go`, takes all jobs there are and tries the compare-and-set, and tells what it got.
 */
import { openStore, type Store } from "../index.ts";
import { claimJobs, finishJob } from "../jobs.ts";

export interface RaceReport {
  readonly claimed: string[];
  readonly won: boolean;
}

const LEASE_MS = 60_000;
const NOW_MS = 1_000_000;

async function race(store: Store, order_id: string): Promise<RaceReport> {
  const claimed: string[] = [];
  for (;;) {
    const jobs = await claimJobs(store, NOW_MS, LEASE_MS, 3);
    if (jobs.length === 0) break;
    claimed.push(...jobs.map(({ key }) => key));
    // Some are finished, the others stay under their lease: neither kind may be claimed by anybody else.
    for (const [index, job] of jobs.entries()) if (index === 0) await store.write((tx) => finishJob(tx, job, undefined));
  }
  const { numUpdatedRows } = await store.write((tx) =>
    tx
      .updateTable("orders")
      .set({ version: 2, description: String(process.pid) })
      .where("id", "=", order_id)
      .where("version", "=", 1)
      .executeTakeFirst(),
  );
  return { claimed, won: numUpdatedRows === 1n };
}

const [url, order_id] = process.argv.slice(2) as [string, string];
const store = await openStore(url);
process.once("message", () => {
  void race(store, order_id)
    .then((report) => process.send?.(report))
    .then(() => store.close())
    .then(() => process.disconnect?.());
});
process.send!("ready");
