import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Worker } from "node:worker_threads";
import BetterSqlite3 from "better-sqlite3";
import { expect, onTestFinished, test } from "vitest";
import { gate, notification, record, shop } from "./conformance/fixtures.ts";
import { migrate } from "./index.ts";
import { openSqlite, type SqliteStore } from "./sqlite.ts";
import { startRecorderThread } from "./sqlite-recorder.ts";

interface Opened {
  readonly store: SqliteStore;
  readonly file: string;
  /** Every thread that the store has made. */
  readonly threads: Worker[];
}

async function open(busy_wait_ms?: number): Promise<Opened> {
  const folder = mkdtempSync(join(tmpdir(), "lunas-recorder-"));
  const file = join(folder, "lunas.db");
  const threads: Worker[] = [];
  const store = openSqlite(file, {
    ...(busy_wait_ms === undefined ? {} : { busy_wait_ms }),
    makeThread: (data) => {
      const thread = startRecorderThread(data);
      threads.push(thread);
      return thread;
    },
  });
  onTestFinished(async () => {
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  });
  await migrate(store);
  return { store, file, threads };
}

const count = async (store: SqliteStore): Promise<number> =>
  (await store.read((db) => db.selectFrom("notifications").select("seq").execute())).length;

test("notifications and units of work that come at once all get their turn, and both are kept", async () => {
  const { store, threads } = await open();
  const writing = Array.from({ length: 40 }, () => store.write((tx) => tx.insertInto("shops").values(shop()).execute()));
  const recording = Array.from({ length: 40 }, (_, n) => record(store, [notification(`n${n}`), notification(`m${n}`)]));
  await Promise.all([...writing, ...recording]);
  expect(await count(store)).toBe(80);
  expect(await store.read((db) => db.selectFrom("shops").select("id").execute())).toHaveLength(40);
  expect(threads).toHaveLength(1);
});

test("the loop turns while a notification waits for a file that another program holds", async () => {
  const { store, file } = await open(60_000);
  await record(store, [notification("first")]);
  const other = new BetterSqlite3(file);
  other.exec("BEGIN IMMEDIATE");
  const recorded = record(store, [notification("second")]);
  // Were it to wait on this thread, nothing of this would run before the minute was over.
  for (let turns = 0; turns < 100; turns += 1) await new Promise((resolve) => setImmediate(resolve));
  expect(await count(store)).toBe(1);
  other.exec("ROLLBACK");
  other.close();
  expect(await recorded).toEqual([{ repeated: false }]);
});

test("a file that another program holds too long makes a notification unavailable, and the next one is taken", async () => {
  const { store, file } = await open(1);
  await record(store, [notification("first")]);
  const other = new BetterSqlite3(file);
  other.exec("BEGIN IMMEDIATE");
  await expect(record(store, [notification("second")])).rejects.toMatchObject({ name: "StoreError", fault: "unavailable" });
  other.exec("ROLLBACK");
  other.close();
  expect(await record(store, [notification("second")])).toEqual([{ repeated: false }]);
});

test("when the thread dies, what it was at is answered as unavailable, and the next one has a thread that knows all that was kept", async () => {
  const { store, file, threads } = await open(60_000);
  await record(store, [notification("kept")]);
  const other = new BetterSqlite3(file);
  other.exec("BEGIN IMMEDIATE");
  const lost = expect(record(store, [notification("lost")])).rejects.toMatchObject({ name: "StoreError", fault: "unavailable" });
  // While it waits for the file: that is the moment at which it holds an order.
  const died = threads[0]!.terminate();
  other.exec("ROLLBACK");
  other.close();
  await Promise.all([lost, died]);
  const again = await record(store, [notification("kept"), notification("new")]);
  expect(again).toEqual([{ repeated: true }, { repeated: false }]);
  expect(threads).toHaveLength(2);
  await store.write((tx) => tx.insertInto("shops").values(shop()).execute());
});

test("a thread that cannot start is an unavailable database, never a hub that waits for ever", async () => {
  const { store, file } = await open();
  await store.close();
  const broken = openSqlite(file, { makeThread: (data) => startRecorderThread({ ...data, file: join(file, "no such folder") }) });
  await expect(record(broken, [notification("first")])).rejects.toMatchObject({ name: "StoreError", fault: "unavailable" });
  await broken.write((tx) => tx.insertInto("shops").values(shop()).execute());
  await broken.close();
});

test("closing waits for a notification that was taken on, and refuses one that comes after it", async () => {
  const { store, file } = await open();
  const go = gate();
  const writing = store.write(async (tx) => {
    await go.passed;
    await tx.insertInto("shops").values(shop()).execute();
  });
  const recording = record(store, [notification("taken on")]);
  const closing = store.close();
  await expect(record(store, [notification("too late")])).rejects.toMatchObject({ fault: "unavailable" });
  go.open();
  await Promise.all([writing, recording, closing]);
  const again = openSqlite(file);
  expect(await count(again)).toBe(1);
  await again.close();
});

test("the thread is sent the bodies alone: not the pool of memory that they were cut from", async () => {
  const { store, threads } = await open();
  await record(store, [notification("makes the thread")]);
  const thread = threads[0]!;
  const post = thread.postMessage.bind(thread);
  const sent: { bytes: number; memory: number }[] = [];
  thread.postMessage = (message: { sealed: Uint8Array } | "close", transfer) => {
    if (message !== "close") sent.push({ bytes: message.sealed.byteLength, memory: message.sealed.buffer.byteLength });
    post(message, transfer);
  };
  const cut = new Uint8Array(new ArrayBuffer(65_536), 1_000, 300).fill(7);
  await store.recordNotifications([notification("cut from a pool")], { seal: () => cut, keep_until: 1 });
  expect(sent).toEqual([{ bytes: 300, memory: 300 }]);
  // The caller's own memory stays as it was.
  expect(cut).toEqual(new Uint8Array(300).fill(7));
  const kept = await store.read((db) => db.selectFrom("notification_batches").select("sealed").orderBy("id", "desc").executeTakeFirstOrThrow());
  expect(Buffer.from(kept.sealed)).toEqual(Buffer.from(cut));
});
