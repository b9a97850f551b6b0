import { sql } from "kysely";
import { describe, expect, test } from "vitest";
import { freshDatabase } from "../../../../tests/harness/postgres.ts";
import { KEEPING, notification, record } from "./conformance/fixtures.ts";
import { migrate, openMigratedStore, openStore, pendingMigrations, SchemaTooNewError, type Store } from "./index.ts";
import { type Migration, MIGRATIONS } from "./migrate.ts";
import { dumpSchema } from "./schema-dump.ts";

const NAMES = MIGRATIONS.map(({ name }) => name);

function later(breaking: boolean): Migration {
  return { name: "9999_later", breaking, statements: () => ["ALTER TABLE shops ADD COLUMN later TEXT"] };
}

describe.each([
  ["sqlite", async (): Promise<string> => "sqlite::memory:"],
  ["postgres", freshDatabase],
] as const)("migrations on %s", (name, database) => {
  const withStore = async (use: (store: Store, url: string) => Promise<void>) => {
    const url = await database();
    const store = await openStore(url);
    try {
      await use(store, url);
    } finally {
      await store.close();
    }
  };

  test("the first run makes everything, the second one nothing", async () => {
    await withStore(async (store) => {
      expect(await pendingMigrations(store)).toEqual(NAMES);
      expect(await migrate(store)).toEqual(NAMES);
      expect(await migrate(store)).toEqual([]);
      expect(await pendingMigrations(store)).toEqual([]);
    });
  });

  test("the dump in the tree is what the migrations make", async () => {
    await withStore(async (store) => {
      await migrate(store);
      await expect(await dumpSchema(store)).toMatchFileSnapshot(`./schema.${name}.sql`);
    });
  });

  test("raw bodies that were kept one by one are kept, and new batches do not take their numbers", async () => {
    await withStore(async (store) => {
      await migrate(store, MIGRATIONS.slice(0, 1));
      const columns = sql.raw(
        "account_id, shop_id, verdict, route, dedupe, reference, event_key, remote_address, received_at, last_received_at, repeats",
      );
      await store.write(async (tx) => {
        for (const [n, verdict] of [0, 1].entries()) {
          const key = Buffer.alloc(16, n + 1);
          await sql`INSERT INTO notifications (${columns}) VALUES ('acc_1', 'shp_1', ${verdict}, 1, ${key}, 'REF', 'k', '127.0.0.1', 1000, 2000, 0)`.execute(
            tx,
          );
        }
        await sql`INSERT INTO notification_bodies (seq, sealed) SELECT seq, dedupe FROM notifications`.execute(tx);
      });
      await migrate(store);
      expect(await record(store, [notification("new")])).toEqual([{ repeated: false }]);
      const { rows } = await store.read((db) =>
        sql<{ keep_until: number; single_of: string | null; sealed: Uint8Array; dedupe: Uint8Array }>`
          SELECT b.keep_until, b.single_of, b.sealed, n.dedupe FROM notifications n JOIN notification_batches b ON b.id = n.batch WHERE n.place = 0 ORDER BY n.seq`.execute(
          db,
        ),
      );
      expect(rows.map(({ keep_until, single_of }) => [keep_until, single_of])).toEqual([
        [2_000 + 90 * 86_400_000, "acc_1"],
        [2_000 + 7 * 86_400_000, "acc_1"],
        [KEEPING.keep_until, null],
      ]);
      for (const { sealed, dedupe } of rows.slice(0, 2)) expect(Buffer.compare(sealed, dedupe)).toBe(0);
    });
  });

  test("a delivery that was under way when the hub was upgraded is due, and keeps its lease", async () => {
    await withStore(async (store) => {
      await migrate(store, MIGRATIONS.slice(0, 7));
      await store.write(async (tx) => {
        await sql`INSERT INTO shops (id, name, created_at) VALUES ('shp_1', 'Toko', 1)`.execute(tx);
        await sql`INSERT INTO events (id, shop_id, type, subject_type, subject_id, sequence, body, position, occurred_at)
          VALUES ('evt_1', 'shp_1', 'order.paid', 'order', 'ord_1', 1, '{}', 'evt_1', 1)`.execute(tx);
        await sql`INSERT INTO endpoints (id, shop_id, url, events, format, status, secrets, failures_in_row, version, created_at, updated_at)
          VALUES ('end_1', 'shp_1', 'https://shop.test/', 'null', 'standard', 'active', ${Buffer.alloc(1)}, 0, 1, 1, 1)`.execute(tx);
        await sql`INSERT INTO deliveries (id, shop_id, event_id, endpoint_id, status, attempts, step, trigger, due_at, lease_until, created_at)
          VALUES ('dlv_1', 'shp_1', 'evt_1', 'end_1', 'delivering', 0, 0, 'schedule', 1, 5000, 1)`.execute(tx);
      });
      await migrate(store);
      expect(await store.read((db) => db.selectFrom("deliveries").select(["status", "lease_until"]).execute())).toEqual([
        { status: "due", lease_until: 5_000 },
      ]);
    });
  });

  test("attempts of before the upgrade are all there, with their deliveries", async () => {
    await withStore(async (store) => {
      await migrate(store, MIGRATIONS.slice(0, 9));
      const row = (id: string, delivery_id: string, number: number) =>
        ({ id, delivery_id, number, trigger: "schedule", started_at: number, elapsed_ms: 7, status: 200, fault: null, response_body: "ok" }) as const;
      const rows = [row("att_1", "dlv_2", 1), row("att_2", "dlv_1", 1), row("att_3", "dlv_2", 2)];
      await store.write((tx) => tx.insertInto("attempts").values(rows).execute());
      await migrate(store);
      expect(await store.read((db) => db.selectFrom("attempts").selectAll().orderBy("id").execute())).toEqual(rows);
    });
  });

  test("a migration that fails leaves nothing of itself or of those before it", async () => {
    await withStore(async (store) => {
      const broken: Migration = { name: "0002_broken", breaking: false, statements: () => ["CREATE TABLE half (id TEXT)", "CREATE NONSENSE"] };
      await expect(migrate(store, [...MIGRATIONS, broken])).rejects.toThrow(/syntax/);
      expect(await pendingMigrations(store)).toEqual(NAMES);
      expect(await migrate(store)).toEqual(NAMES);
    });
  });

  test("a database with a newer schema that breaks this program is refused, with the migration's name", async () => {
    await withStore(async (store) => {
      await migrate(store, [...MIGRATIONS, later(true)]);
      const refused = migrate(store);
      await expect(refused).rejects.toThrow(SchemaTooNewError);
      await expect(refused).rejects.toThrow(/newer Lunas \(9999_later\)/);
    });
  });

  test("a database with a newer schema that breaks nothing is taken as it is", async () => {
    await withStore(async (store) => {
      await migrate(store, [...MIGRATIONS, later(false)]);
      expect(await migrate(store)).toEqual([]);
      expect(await pendingMigrations(store)).toEqual([]);
    });
  });

  test("programs that start at once agree: each migration is applied once", async () => {
    await withStore(async (store, url) => {
      // On SQLite a second hub does not get the file at all; the units of one hub still race for the schema.
      const stores = name === "sqlite" ? [store] : await Promise.all([1, 2, 3].map(() => openStore(url)));
      const runs = await Promise.all([store, ...stores].map((each) => migrate(each)));
      expect(runs.flat()).toEqual(NAMES);
      if (name === "postgres") await Promise.all(stores.map((each) => each.close()));
    });
  });
});

test("a database that cannot be reached is not taken for one without migrations", async () => {
  const store = await openMigratedStore("sqlite::memory:");
  await store.close();
  await expect(pendingMigrations(store)).rejects.toMatchObject({ fault: "unavailable" });
});

test("opening and migrating lets go of a database that it refuses", async () => {
  const url = await freshDatabase();
  const newer = await openStore(url);
  await migrate(newer, [...MIGRATIONS, later(true)]);
  await expect(openMigratedStore(url)).rejects.toThrow(SchemaTooNewError);
  // The server notices a little later that its client has gone.
  const others = () =>
    newer.read(async (db) => {
      const found = sql<{ pid: number }>`SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`;
      return (await found.execute(db)).rows;
    });
  await expect.poll(others, { timeout: 15_000 }).toEqual([]);
  await newer.close();
});
