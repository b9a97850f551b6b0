import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { sql } from "kysely";
import { describe, expect, test } from "vitest";
import { freshDatabase, startPostgres } from "../../../../tests/harness/postgres.ts";
import { storeConformance } from "./conformance.ts";
import { gate, notification, order, record, shop, unique } from "./conformance/fixtures.ts";
import type { RaceReport } from "./conformance/racer.ts";
import { openMigratedStore, openStore, type Store } from "./index.ts";
import { armJob, claimJobs, claimStatement, PRIORITY } from "./jobs.ts";

const HUBS = 4;
const url = freshDatabase();

storeConformance("PostgreSQL", { open: async () => openStore(await url) });

/** Several hubs on one new database. */
async function withHubs(count: number, use: (hubs: Store[], url: string) => Promise<void>, report?: (error: Error) => void): Promise<void> {
  const own = await freshDatabase();
  const hubs = await Promise.all(Array.from({ length: count }, () => openMigratedStore(own, report)));
  try {
    await use(hubs, own);
  } finally {
    await Promise.all(hubs.map((hub) => hub.close()));
  }
}

async function anOrder(hub: Store): Promise<string> {
  const owner = shop();
  const row = order(owner.id);
  await hub.write(async (tx) => {
    await tx.insertInto("shops").values(owner).execute();
    await tx.insertInto("orders").values(row).execute();
  });
  return row.id;
}

async function armMany(hub: Store, count: number): Promise<string[]> {
  const names = Array.from({ length: count }, (_, index) => `job ${index}`);
  const priorities = Object.values(PRIORITY);
  await hub.write(async (tx) => {
    for (const [index, subject_id] of names.entries()) {
      await armJob(tx, { kind: "ask", subject_id, due_at: index, priority: priorities[index % priorities.length]! });
    }
  });
  return names.map((name) => `ask:${name}`);
}

describe("several hubs on one PostgreSQL", () => {
  test("four worker processes that race for the same jobs and the same compare-and-set: each job is claimed once, one hub wins", async () => {
    await withHubs(1, async ([hub], own) => {
      const order_id = await anOrder(hub!);
      const keys = await armMany(hub!, 200);
      const racers = Array.from({ length: HUBS }, () =>
        fork(fileURLToPath(new URL("conformance/racer.ts", import.meta.url)), [own, order_id], { execArgv: ["--conditions=source"] }),
      );
      await Promise.all(racers.map((racer) => once(racer, "message")));
      const reports = racers.map(async (racer) => ((await once(racer, "message")) as [RaceReport])[0]);
      for (const racer of racers) racer.send("go");
      const done = await Promise.all(reports);
      await Promise.all(racers.filter((racer) => racer.exitCode === null).map((racer) => once(racer, "exit")));
      const claimed = done.flatMap((report) => report.claimed);
      expect(claimed.toSorted()).toEqual(keys.toSorted());
      expect(done.filter((report) => report.won)).toHaveLength(1);
      const kept = await hub!.read((db) =>
        db.selectFrom("orders").select(["version", "description"]).where("id", "=", order_id).executeTakeFirstOrThrow(),
      );
      expect(kept).toEqual({ version: 2, description: String(racers[done.findIndex(({ won }) => won)]!.pid) });
    });
  });

  test("four hubs with pools of their own: each job is claimed once per lease, again by one when the leases have run out", async () => {
    await withHubs(HUBS, async (hubs) => {
      const keys = await armMany(hubs[0]!, 120);
      for (const now of [1_000, 100_000]) {
        const takeAll = async (hub: Store): Promise<string[]> => {
          const jobs = await claimJobs(hub, now, 5_000, 4);
          return jobs.length === 0 ? [] : [...jobs.map(({ key }) => key), ...(await takeAll(hub))];
        };
        const taken = await Promise.all(hubs.flatMap((hub) => [takeAll(hub), takeAll(hub)]));
        expect(taken.flat().toSorted()).toEqual(keys.toSorted());
      }
    });
  });

  test("the same notifications through four hubs at once, in different orders, are kept once each and told to be new once each", async () => {
    await withHubs(HUBS, async (hubs) => {
      const texts = Array.from({ length: 60 }, () => unique("hubs"));
      const orders = [texts, texts.toReversed(), texts.toSorted(() => -1), [...texts.slice(30), ...texts.slice(0, 30)]];
      const told = await Promise.all(
        hubs.map((hub, index) =>
          record(
            hub,
            orders[index]!.map((text) => notification(text)),
          ),
        ),
      );
      expect(told.flat().filter(({ repeated }) => !repeated)).toHaveLength(texts.length);
      const [row] = (
        await hubs[0]!.read((db) =>
          sql<{ kept: number; repeats: number; bodies: number }>`
          SELECT count(*) AS kept, sum(repeats) AS repeats, count(DISTINCT (batch, place)) AS bodies FROM notifications`.execute(db),
        )
      ).rows;
      expect(row).toEqual({ kept: 60, repeats: 180, bodies: 60 });
    });
  });

  test("two units that lock the same rows in opposite order both commit: the one that PostgreSQL sacrifices is run again", async () => {
    await withHubs(2, async ([one, two]) => {
      const ids = [await anOrder(one!), await anOrder(one!)] as const;
      const first = [gate(), gate()] as const;
      const runs = [0, 0];
      const move = (hub: Store, me: 0 | 1) =>
        hub.write(async (tx) => {
          runs[me]! += 1;
          const raise = (id: string) =>
            tx
              .updateTable("orders")
              .set(({ eb }) => ({ version: eb("version", "+", 1) }))
              .where("id", "=", id)
              .execute();
          await raise(ids[me]);
          first[me].open();
          await first[1 - me]!.passed;
          await raise(ids[1 - me]!);
        });
      await Promise.all([move(one!, 0), move(two!, 1)]);
      // Run again at least once; more often where the sacrificed one takes its row before the other has woken up.
      expect(runs[0]! + runs[1]!).toBeGreaterThanOrEqual(3);
      const rows = await one!.read((db) => db.selectFrom("orders").select("version").where("id", "in", ids).execute());
      expect(rows).toEqual([{ version: 3 }, { version: 3 }]);
    });
  });
});

describe("the PostgreSQL store", () => {
  test("a database whose commits may be lost is refused", async () => {
    const own = await freshDatabase();
    const server = await startPostgres();
    const name = new URL(own).pathname.slice(1);
    await server.query(`ALTER DATABASE ${name} SET synchronous_commit = off`);
    await expect(openStore(own)).rejects.toThrow(/synchronous_commit is off.*Set it to on/);
    await server.query(`ALTER DATABASE ${name} SET synchronous_commit = local`);
    const store = await openStore(own);
    await store.close();
  });

  test("a server that is not there is unavailable", async () => {
    await expect(openStore("postgres://lunas@127.0.0.1:1/lunas")).rejects.toMatchObject({ fault: "unavailable" });
  });

  test("a connection that breaks inside a transaction rejects that unit alone as unavailable, and does not end the process", async () => {
    await withHubs(1, async ([hub]) => {
      const row = shop();
      const writing = hub!.write(async (tx) => {
        const { rows } = await sql<{ id: number }>`SELECT pg_backend_pid() AS id`.execute(tx);
        await tx.insertInto("shops").values(row).execute();
        await (await startPostgres()).query(`SELECT pg_terminate_backend(${rows[0]!.id})`);
        await tx.insertInto("shops").values(shop()).execute();
      });
      await expect(writing).rejects.toMatchObject({ fault: "unavailable" });
      await hub!.write((tx) => tx.insertInto("shops").values(row).execute());
    });
  });

  test("an idle connection that breaks is reported, and the next query finds another one", async () => {
    const reported: Error[] = [];
    const broken = gate();
    const report = (error: Error) => {
      reported.push(error);
      broken.open();
    };
    await withHubs(
      1,
      async ([hub]) => {
        const { rows } = await hub!.read((db) => sql<{ id: number }>`SELECT pg_backend_pid() AS id`.execute(db));
        await (await startPostgres()).query(`SELECT pg_terminate_backend(${rows[0]!.id})`);
        await broken.passed;
        expect(String(reported[0])).toMatch(/terminat/);
        await hub!.write((tx) => tx.insertInto("shops").values(shop()).execute());
      },
      report,
    );
  });

  test("closing ends every connection, also of a store that was never used, and what comes after is unavailable", async () => {
    const own = await freshDatabase();
    const store = await openStore(own);
    await store.close();
    await store.close();
    for (const use of [store.read((db) => sql`SELECT 1`.execute(db)), store.write(async () => undefined), record(store, [notification("x")])]) {
      await expect(use).rejects.toMatchObject({ fault: "unavailable" });
    }
    const name = new URL(own).pathname.slice(1);
    const server = await startPostgres();
    // The server notices a little later that its client has gone.
    await expect.poll(() => server.query(`SELECT pid FROM pg_stat_activity WHERE datname = '${name}'`), { timeout: 15_000 }).toEqual([]);
  });

  test("a claim reads about as many jobs as it takes, however many are due", async () => {
    await withHubs(1, async ([hub]) => {
      await hub!.write((tx) =>
        sql`INSERT INTO jobs (key, kind, subject_id, due_at, generation, attempts, priority, payload)
          SELECT 'ask:' || n, 'ask', n, n, 1, 0, n % 5, '{}' FROM generate_series(1, 20000) AS n`.execute(tx),
      );
      await hub!.write((tx) => sql`ANALYZE jobs`.execute(tx));
      const explain = sql<{ "QUERY PLAN": string }>`EXPLAIN (ANALYZE) ${claimStatement(hub!.engine, 1e6, 1_000, 10, ["ask"])}`;
      const plan = (await hub!.write((tx) => explain.execute(tx))).rows.map((row) => row["QUERY PLAN"]).join("\n");
      expect(plan).toMatch(/Index Scan using jobs_due on jobs jobs_\d+ .*rows=10\.00 loops=1/);
      expect(plan).toMatch(/Update on jobs .*rows=10\.00 loops=1/);
      expect(plan).not.toMatch(/Seq Scan on jobs/);
      // The ranges of lesser priority were not even looked at.
      expect(plan.match(/never executed/g)!.length).toBeGreaterThanOrEqual(4);
    });
  });
});
