import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sql } from "kysely";
import { afterAll, expect, test } from "vitest";
import { order, shop } from "./conformance/fixtures.ts";
import { MIGRATIONS } from "./migrate.ts";
import { readKnownUntil, SEQUENCE_FLOOR } from "./hold.ts";
import { backup, clearHold, migrate, openMigratedStore, openStore, readHold, restore, setHold, type Store } from "./index.ts";

const FOLDER = mkdtempSync(join(tmpdir(), "lunas-backup-"));
afterAll(() => rmSync(FOLDER, { recursive: true, force: true }));

const at = (name: string) => join(FOLDER, name);
const open = (name: string) => openMigratedStore(`sqlite:${at(name)}`);
const shops = (store: Store) => store.read(async (db) => (await db.selectFrom("shops").select("id").execute()).map(({ id }) => id));

async function withShop(name: string): Promise<string> {
  const store = await open(name);
  const row = shop();
  await store.write((tx) => tx.insertInto("shops").values(row).execute());
  await store.close();
  return row.id;
}

test("a backup made while writes go on is whole as of one moment: no order without its shop, no half of a unit", async () => {
  const store = await open("busy.db");
  let writing = true;
  let written = 0;
  const write = async () => {
    const owner = shop();
    await store.write(async (tx) => {
      await tx.insertInto("shops").values(owner).execute();
      for (const reference of ["a", "b"])
        await tx
          .insertInto("orders")
          .values(order(owner.id, { reference, description: "x".repeat(2_000) }))
          .execute();
    });
    written += 1;
  };
  while (written < 100) await write();
  const writer = (async () => {
    while (writing) await write();
  })();
  await backup(store, at("busy.backup"));
  const by_then = written;
  writing = false;
  await writer;
  await store.close();
  expect(by_then).toBeGreaterThan(100);
  const copy = await openMigratedStore(`sqlite:${at("busy.backup")}`);
  const kept = await shops(copy);
  const orders = await copy.read((db) => db.selectFrom("orders").select("shop_id").execute());
  expect(kept.length).toBeGreaterThanOrEqual(100);
  expect(kept.length).toBeLessThanOrEqual(by_then + 1);
  expect(orders.map(({ shop_id }) => shop_id).toSorted()).toEqual([...kept, ...kept].toSorted());
  await copy.close();
});

test("a backup does not overwrite a file, is for its owner alone and leaves nothing beside itself", async () => {
  const store = await open("plain.db");
  await backup(store, at("plain.backup"));
  await expect(backup(store, at("plain.backup"))).rejects.toThrow(/exists/);
  expect(statSync(at("plain.backup")).mode & 0o077).toBe(0);
  expect(readdirSync(FOLDER).filter((name) => name.startsWith("plain.backup"))).toEqual(["plain.backup"]);
  await store.close();
});

test("a backup of a file that cannot be read says so and leaves nothing behind", async () => {
  const store = await open("gone.db");
  await store.close();
  await expect(backup({ ...store, engine: store.engine, file: at("not-there.db") } as Store, at("gone.backup"))).rejects.toMatchObject({
    fault: "unavailable",
  });
  expect(readdirSync(FOLDER).filter((name) => name.startsWith("gone.backup"))).toEqual([]);
});

test("a restored database starts on hold, with everything that the copy had", async () => {
  const id = await withShop("source.db");
  const source = await open("source.db");
  expect(await readHold(source)).toBeUndefined();
  await backup(source, at("source.backup"));
  await source.close();
  restore(at("source.backup"), at("restored/lunas.db"));
  const store = await open("restored/lunas.db");
  expect(await readHold(store)).toBe("restored");
  expect(await shops(store)).toEqual([id]);
  await store.close();
});

test("a copy of any older version is marked like one of today's, and knows until when it knows the world", async () => {
  for (let version = 1; version < MIGRATIONS.length; version += 1) {
    const old = await openStore(`sqlite:${at(`v${version}.db`)}`);
    await migrate(old, MIGRATIONS.slice(0, version));
    await old.write(async (tx) => {
      await sql`INSERT INTO shops (id, name, created_at) VALUES ('shp_1', 'Toko', 1)`.execute(tx);
      await sql`INSERT INTO transitions (id, shop_id, subject_type, subject_id, from_status, to_status, flags, sequence, cause, at)
        VALUES ('trn_1', 'shp_1', 'payment', 'pay_1', 'pending', 'paid', '[]', 1, 'test', ${version})`.execute(tx);
    });
    await old.close();
    restore(at(`v${version}.db`), at(`v${version}/lunas.db`));
    const store = await open(`v${version}/lunas.db`);
    expect([await readHold(store), await readKnownUntil(store)]).toEqual(["restored", version]);
    await store.close();
  }
});

test("a restored database knows until when it knows the world, and numbers its events above all that were told since", async () => {
  const shop_id = await withShop("known.db");
  const source = await open("known.db");
  const change = { shop_id, subject_type: "payment" as const, subject_id: "pay_x", from_status: "pending", to_status: "paid", flags: "[]" };
  const times = [5_000, 9_000];
  for (const [index, at_ms] of times.entries())
    await source.write((tx) =>
      tx
        .insertInto("transitions")
        .values({ ...change, id: `trn_${index}`, sequence: index, cause: "test", answer_id: null, at: at_ms })
        .execute(),
    );
  await source.close();
  restore(at("known.db"), at("known/lunas.db"));
  const store = await open("known/lunas.db");
  expect(await readKnownUntil(store)).toBe(9_000);
  const floor = await store.read((db) => db.selectFrom("meta").select("value").where("name", "=", SEQUENCE_FLOOR).executeTakeFirstOrThrow());
  expect(Number(floor.value)).toBeGreaterThan(1_000);
  // Given again by hand, as after pg_restore: what the copy knew stands.
  await store.write((tx) => tx.updateTable("transitions").set({ at: 99_000 }).execute());
  await setHold(store, "again");
  expect(await readKnownUntil(store)).toBe(9_000);
  await clearHold(store);
  expect(await readKnownUntil(store)).toBeUndefined();
  await store.close();
});

test("a restore does not overwrite a database unless told to, and then keeps the old one, its journal included", async () => {
  const [older, newer] = [await withShop("older.db"), await withShop("newer.db")];
  expect(() => restore(at("older.db"), at("newer.db"))).toThrow(/exists.*--overwrite/);
  writeFileSync(at("newer.db-wal"), "");
  restore(at("older.db"), at("newer.db"), { overwrite: true });
  expect(existsSync(at("newer.db-wal"))).toBe(false);
  const [store, replaced] = [await open("newer.db"), await open("newer.db.replaced")];
  expect([await shops(store), await shops(replaced)]).toEqual([[older], [newer]]);
  await Promise.all([store.close(), replaced.close()]);
});

test("a database that a hub has open is not replaced", async () => {
  const id = await withShop("open.db");
  const store = await open("open.db");
  expect(() => restore(at("older.db"), at("open.db"), { overwrite: true })).toThrow(/another hub has this database open/);
  expect(await shops(store)).toEqual([id]);
  await store.close();
});

test.each([
  ["garbage", () => writeFileSync(at("bad"), "no database at all, but long enough to be read as one ".repeat(40)), /cannot be read as a database/],
  ["cut off", () => writeFileSync(at("bad"), readFileSync(at("older.db")).subarray(0, 40_000)), /cannot be read|damaged|malformed/],
  ["empty", () => writeFileSync(at("bad"), ""), /no database of Lunas/],
  ["not there", () => rmSync(at("bad")), /does not exist/],
])("a copy that is %s is refused, and what is there stays", async (_, make, message) => {
  const id = await withShop("stays.db");
  make();
  expect(() => restore(at("bad"), at("stays.db"), { overwrite: true })).toThrow(message);
  const store = await open("stays.db");
  expect(await shops(store)).toContain(id);
  expect(await readHold(store)).toBeUndefined();
  await store.close();
  expect(readdirSync(FOLDER).filter((name) => name.includes("partial"))).toEqual([]);
});
