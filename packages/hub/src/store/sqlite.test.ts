import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, statSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import BetterSqlite3 from "better-sqlite3";
import { sql } from "kysely";
import { afterAll, describe, expect, test } from "vitest";
import { storeConformance } from "./conformance.ts";
import { gate, shop } from "./conformance/fixtures.ts";
import { migrate, openMigratedStore, openStore, StoreError } from "./index.ts";
import { claimStatement } from "./jobs.ts";
import { openSqlite } from "./sqlite.ts";

const FOLDER = mkdtempSync(join(tmpdir(), "lunas-sqlite-"));
afterAll(() => rmSync(FOLDER, { recursive: true, force: true }));

describe("in memory", () => storeConformance("SQLite", { open: () => openStore("sqlite::memory:") }));
describe("in a file", () => storeConformance("SQLite", { open: () => openStore(`sqlite:${join(FOLDER, "conformance.db")}`) }));

describe("the lock of a SQLite file", () => {
  const LOCKED = /another hub has this database open .*stop it first/;

  test("a second hub is refused with a clear message, through a symbolic link too, and let in when the first has closed", async () => {
    const file = join(FOLDER, "locked.db");
    const link = join(FOLDER, "link.db");
    const first = openSqlite(file);
    symlinkSync(file, link);
    for (const path of [file, link]) expect(() => openSqlite(path)).toThrow(LOCKED);
    await first.close();
    const second = openSqlite(link);
    expect(() => openSqlite(file)).toThrow(LOCKED);
    await second.close();
  });

  test("the lock of a hub in another process is gone the moment it is killed, and what it had committed is there", async () => {
    const file = join(FOLDER, "killed.db");
    const index = new URL("index.ts", import.meta.url).href;
    const program = `
      const { openMigratedStore } = await import(${JSON.stringify(index)});
      const store = await openMigratedStore(${JSON.stringify(`sqlite:${file}`)});
      await store.write((tx) => tx.insertInto("shops").values({ id: "shp_1", name: "Toko", created_at: 1 }).execute());
      console.log("committed");
      // Its lock lives as long as the store does: not until the next garbage collection.
      setInterval(() => store, 1e6);`;
    const child = spawn(process.execPath, ["--conditions=source", "--input-type=module", "-e", program], {
      cwd: fileURLToPath(new URL(".", import.meta.url)),
      stdio: ["ignore", "pipe", "inherit"],
    });
    const gone = once(child, "exit");
    try {
      await once(child.stdout, "data");
      expect(() => openSqlite(file)).toThrow(LOCKED);
    } finally {
      // Also when that failed: a child that lives on holds the test run's own output open.
      child.kill("SIGKILL");
      await gone;
    }
    const store = await openMigratedStore(`sqlite:${file}`);
    expect(await store.read((db) => db.selectFrom("shops").select("id").execute())).toEqual([{ id: "shp_1" }]);
    await store.close();
  });

  test("a path that cannot be opened is no lock, and says so", () => {
    expect(() => openSqlite(join(FOLDER, "locked.db", "under-a-file.db"))).toThrow(/EEXIST|ENOTDIR/);
  });
});

describe("the SQLite store", () => {
  test("the journal moves into the file beside the writer, which is not held up by it", async () => {
    const file = join(FOLDER, "checkpoints.db");
    const store = openSqlite(file);
    await migrate(store);
    const before = statSync(file).size;
    // Far less than the writer itself would wait for, and sooner than the thread looks a second time: the last commit is looked at all the same.
    for (let mib = 0; mib < 8; mib += 1)
      await store.write((tx) =>
        tx
          .insertInto("meta")
          .values({ name: `big${mib}`, value: "x".repeat(2 ** 20) })
          .execute(),
      );
    await expect.poll(() => statSync(file).size - before, { timeout: 15_000 }).toBeGreaterThan(4 * 2 ** 20);
    await store.close();
    const again = await openStore(`sqlite:${file}`);
    expect(await again.read((db) => db.selectFrom("meta").select("name").where("name", "like", "big%").execute())).toHaveLength(8);
    await again.close();
  });

  test("a closed store leaves one file that holds everything: no journal that a copy of the file would miss", async () => {
    const file = join(FOLDER, "whole.db");
    const store = openSqlite(file);
    await migrate(store);
    await store.read((db) => db.selectFrom("shops").select("id").execute());
    await store.close();
    expect(["-wal", "-shm"].filter((suffix) => existsSync(file + suffix))).toEqual([]);
  });

  test("commits are on the disk before they are answered, and the file is for its owner alone", async () => {
    const file = join(FOLDER, "settings.db");
    const store = openSqlite(file);
    await migrate(store);
    const [synchronous, journal] = await store.write(async (tx) => {
      const pragma = async (name: string) =>
        Object.values((await sql<Record<string, unknown>>`${sql.raw(`PRAGMA ${name}`)}`.execute(tx)).rows[0]!)[0];
      return [await pragma("synchronous"), await pragma("journal_mode")];
    });
    expect([synchronous, journal]).toEqual([2, "wal"]);
    for (const suffix of ["", "-wal", "-shm"]) expect(statSync(file + suffix).mode & 0o077).toBe(0);
    await store.close();
  });

  test("units that wait share one commit: it is durable for all of them or told to all of them", async () => {
    const file = join(FOLDER, "group.db");
    const store = openSqlite(file);
    await migrate(store);
    const watcher = new BetterSqlite3(file, { readonly: true });
    const version = () => watcher.pragma("data_version", { simple: true }) as number;
    const before = version();
    await Promise.all(Array.from({ length: 50 }, () => store.write((tx) => tx.insertInto("shops").values(shop()).execute())));
    expect(version()).toBe(before + 1);
    watcher.close();
    await store.close();
  });

  test("when the group cannot commit every unit of it is told, and the store goes on", async () => {
    const store = openSqlite(join(FOLDER, "full.db"));
    await migrate(store);
    // A database that may not grow: the first page it needs ends the transaction, as a full disk does.
    const [pages] = await store.write(async (tx) => (await sql<{ page_count: number }>`PRAGMA page_count`.execute(tx)).rows);
    await store.write((tx) => sql`PRAGMA max_page_count = ${sql.raw(String(pages!.page_count))}`.execute(tx));
    const big = "x".repeat(100_000);
    const small = shop();
    const results = await Promise.allSettled([
      store.write((tx) => tx.insertInto("shops").values(small).execute()),
      store.write(async () => Promise.reject(new Error("my own"))),
      store.write((tx) =>
        tx
          .insertInto("shops")
          .values({ ...shop(), name: big })
          .execute(),
      ),
    ]);
    const reasons = results.map((result) => (result.status === "rejected" ? (result.reason as Error) : undefined));
    expect(reasons[2]).toMatchObject({ fault: "full" });
    expect(reasons[1]?.message).toBe("my own");
    // Whether the engine undid only the statement or everything, what is answered is what is kept.
    const kept = await store.read((db) => db.selectFrom("shops").select("id").where("id", "=", small.id).execute());
    expect(kept).toHaveLength(results[0].status === "fulfilled" ? 1 : 0);
    await store.write((tx) => sql`PRAGMA max_page_count = 1000000`.execute(tx));
    await store.write((tx) =>
      tx
        .insertInto("shops")
        .values({ ...shop(), name: big })
        .execute(),
    );
    await store.close();
  });

  test("another program that holds the file makes writes unavailable, not lost, and they work again when it lets go", async () => {
    const file = join(FOLDER, "busy.db");
    const store = openSqlite(file, { busy_wait_ms: 1 });
    await migrate(store);
    const other = new BetterSqlite3(file);
    other.exec("BEGIN IMMEDIATE");
    const rows = [shop(), shop()];
    const refused = await Promise.allSettled(rows.map((row) => store.write((tx) => tx.insertInto("shops").values(row).execute())));
    for (const result of refused) expect(result).toMatchObject({ status: "rejected", reason: { fault: "unavailable" } });
    other.exec("ROLLBACK");
    other.close();
    await store.write((tx) => tx.insertInto("shops").values(rows[0]!).execute());
    expect(await store.read((db) => db.selectFrom("shops").select("id").execute())).toEqual([{ id: rows[0]!.id }]);
    await store.close();
  });

  test("a caller that writes again and again does not keep the event loop from turning", async () => {
    const store = await openMigratedStore("sqlite::memory:");
    let turns = 0;
    const count = () => {
      turns += 1;
      if (turns < 1_000) setImmediate(count);
    };
    setImmediate(count);
    for (let round = 0; round < 20; round += 1) await store.write(async () => undefined);
    expect(turns).toBeGreaterThanOrEqual(20);
    turns = 1_000;
    await store.close();
  });

  test("closing waits for what was taken on, and refuses what comes after it", async () => {
    const file = join(FOLDER, "closing.db");
    const store = openSqlite(file);
    await migrate(store);
    const go = gate();
    const row = shop();
    const writing = store.write(async (tx) => {
      await go.passed;
      await tx.insertInto("shops").values(row).execute();
    });
    const closing = store.close();
    await expect(store.write(async () => undefined)).rejects.toThrow(StoreError);
    await expect(store.read(async () => undefined)).rejects.toMatchObject({ fault: "unavailable" });
    go.open();
    await Promise.all([writing, closing]);
    const again = openSqlite(file);
    expect(await again.read((db) => db.selectFrom("shops").select("id").execute())).toEqual([{ id: row.id }]);
    await again.close();
  });

  test("a claim searches an index for each range and never scans or sorts the table, however many jobs there are", async () => {
    const store = await openMigratedStore("sqlite::memory:");
    const explain = sql<{ detail: string }>`EXPLAIN QUERY PLAN ${claimStatement(store.engine, 1, 1, 1, ["ask"])}`;
    const plan = (await store.write((tx) => explain.execute(tx))).rows.map(({ detail }) => detail).join("\n");
    await store.close();
    expect(plan).toMatch(/USING INDEX jobs_due \(priority=\? AND due_at<\?\)/);
    expect(plan).toMatch(/USING INDEX jobs_leased/);
    expect(plan).not.toMatch(/SCAN jobs/);
  });
});
