import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sql } from "kysely";
import { expect, onTestFinished, test } from "vitest";
import { notification, record } from "./conformance/fixtures.ts";
import { migrate, notificationByKey, type NotificationRecord, ROUTE, type Store, VERDICT } from "./index.ts";
import { openSqlite, type SqliteStore } from "./sqlite.ts";

async function open(file?: string, keys_in_memory = 8): Promise<{ store: SqliteStore; file: string }> {
  const folder = file ? undefined : mkdtempSync(join(tmpdir(), "lunas-keys-"));
  const path = file ?? join(folder!, "lunas.db");
  const store = openSqlite(path, { keys_in_memory });
  onTestFinished(async () => {
    await store.close();
    if (folder) rmSync(folder, { recursive: true, force: true });
  });
  await migrate(store);
  return { store, file: path };
}

const some = (count: number, from = 0): NotificationRecord[] => Array.from({ length: count }, (_, n) => notification(`n${from + n}`));

async function numbers(store: Store): Promise<{ rows: number; keyed: number; upto: number }> {
  const { rows } = await store.read((db) =>
    sql<{
      rows: number;
      keyed: number;
      upto: number;
    }>`SELECT (SELECT COUNT(*) FROM notifications) AS rows, (SELECT COUNT(*) FROM notification_keys) AS keyed,
      COALESCE((SELECT CAST(value AS INTEGER) FROM meta WHERE name = 'notification_keys_upto'), 0) AS upto`.execute(db),
  );
  return rows[0]!;
}

/** Each one comes again. @returns how many were taken for new. */
async function newAmong(store: Store, records: readonly NotificationRecord[]): Promise<number> {
  return (await record(store, records)).filter(({ repeated }) => !repeated).length;
}

/** Takes notifications in, four at a time. The one that finds the memory full writes the first slice of keys into the index, with its own commit. */
async function indexed(store: SqliteStore, count: number): Promise<void> {
  for (let from = 0; from < count; from += 4) await record(store, some(4, from));
  expect((await numbers(store)).upto).toBeGreaterThan(0);
}

test("keys reach the index many at a time, and a repetition is told before and after", async () => {
  const { store } = await open();
  await record(store, some(7));
  expect(await numbers(store)).toEqual({ rows: 7, keyed: 0, upto: 0 });
  expect(await newAmong(store, some(7))).toBe(0);
  await indexed(store, 40);
  const { keyed, upto } = await numbers(store);
  expect(keyed).toBeGreaterThanOrEqual(8);
  expect(upto).toBeGreaterThanOrEqual(8);
  expect(await newAmong(store, some(40))).toBe(0);
  expect((await numbers(store)).rows).toBe(40);
});

test("a full slice and what is left over reach the index alike, a slice with each commit", async () => {
  const { store } = await open(undefined, 300);
  for (let from = 0; from < 300; from += 50) await record(store, some(50, from));
  const written: number[] = [];
  for (let from = 300; from < 304; from += 1) {
    await record(store, some(1, from));
    written.push((await numbers(store)).keyed);
  }
  expect(written).toEqual([128, 256, 300, 300]);
  expect((await numbers(store)).upto).toBe(300);
  expect(await newAmong(store, some(304))).toBe(0);
});

test("keys that were being written when their commit failed are still told, and are written by the next one", async () => {
  const { store } = await open();
  await record(store, some(8));
  const poisoned = notification("poisoned", { account_id: undefined as unknown as string });
  await expect(record(store, [poisoned])).rejects.toThrow();
  expect(await numbers(store)).toEqual({ rows: 8, keyed: 0, upto: 0 });
  expect(await newAmong(store, some(8))).toBe(0);
  expect(await numbers(store)).toEqual({ rows: 8, keyed: 8, upto: 8 });
  expect(await newAmong(store, some(8))).toBe(0);
});

test("after a restart at any moment a repetition is still told: what is not in the index is read from the rows", async () => {
  const { store, file } = await open();
  await indexed(store, 40);
  await record(store, some(3, 40));
  await store.close();
  const { store: again } = await open(file);
  expect(await newAmong(again, some(43))).toBe(0);
  expect((await numbers(again)).rows).toBe(43);
});

test("a group that was undone is not remembered: its notifications are new when they come again", async () => {
  const { store } = await open();
  const poisoned = [...some(5), notification("poisoned", { account_id: undefined as unknown as string })];
  await expect(record(store, poisoned)).rejects.toThrow();
  expect((await numbers(store)).rows).toBe(0);
  expect(await newAmong(store, some(5))).toBe(5);
  expect(await newAmong(store, some(5))).toBe(0);
});

test("what was undone beside what was kept in one commit: each is remembered as it is", async () => {
  const { store } = await open();
  const undone = record(store, [...some(2), notification("poisoned", { account_id: undefined as unknown as string })]);
  const kept = record(store, some(2, 10));
  await expect(undone).rejects.toThrow();
  await kept;
  expect(await newAmong(store, [...some(2), ...some(2, 10)])).toBe(2);
});

test.each(["memory", "index"])("a notification that was deleted is new when it comes again, though its key was in the %s", async (where) => {
  const { store } = await open();
  if (where === "index") await indexed(store, 40);
  else await record(store, some(1));
  await store.write(async (tx) => {
    const { seq } = await tx.selectFrom("notifications").select("seq").where("reference", "=", some(1)[0]!.reference).executeTakeFirstOrThrow();
    await tx.deleteFrom("notifications").where("seq", "=", seq).execute();
  });
  expect(await newAmong(store, some(1))).toBe(1);
  expect(await newAmong(store, some(1))).toBe(0);
});

test.each(["memory", "index"])("a row whose key was changed is found by the new one, not by the old one in the %s", async (where) => {
  const { store } = await open();
  const [one] = some(1);
  if (where === "index") await indexed(store, 40);
  else await record(store, [one!]);
  const other = notification("other").dedupe;
  const values = { dedupe: other, verdict: VERDICT.weak, route: ROUTE.new };
  await store.write((tx) => tx.updateTable("notifications").set(values).where("reference", "=", one!.reference).execute());
  expect(await newAmong(store, [{ ...one!, dedupe: other }])).toBe(0);
  expect(await newAmong(store, [one!])).toBe(1);
});

test.each([7, 40])("inside a transaction a row is found by its key, with %d rows", async (count) => {
  const { store } = await open();
  if (count === 40) await indexed(store, count);
  else await record(store, some(count));
  for (const record of some(count)) {
    const seq = await store.write((tx) => notificationByKey(store, tx, record.dedupe));
    const row = await store.read((db) => db.selectFrom("notifications").select("reference").where("seq", "=", seq!).executeTakeFirst());
    expect(row?.reference).toBe(record.reference);
  }
  expect(await store.write((tx) => notificationByKey(store, tx, notification("unknown").dedupe))).toBeUndefined();
});
