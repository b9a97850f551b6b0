import { expect, test } from "vitest";
import { GroupCommit, type NotificationRecord, ROUTE, type Store, VERDICT } from "../index.ts";
import { KEEPING, notification, record as recordIn, unique } from "./fixtures.ts";

export function notificationGuarantees(store: () => Store): void {
  const record = (records: readonly NotificationRecord[]) => recordIn(store(), records);
  /** Rows with the bodies that are kept for them. */
  const rowsOf = async (reference: string) => {
    const rows = await store().read((db) =>
      db
        .selectFrom("notifications as n")
        .leftJoin("notification_batches as b", "b.id", "n.batch")
        .selectAll("n")
        .select(["b.sealed", "b.keep_until"])
        .where("n.reference", "=", reference)
        .orderBy("n.seq")
        .execute(),
    );
    return rows.map(({ sealed, ...row }) => {
      const bodies = JSON.parse(Buffer.from(sealed!).toString()) as string[];
      return { ...row, body: Buffer.from(bodies[row.place!]!, "latin1"), bodies: bodies.length };
    });
  };

  test("a notification is kept with every field, and its bytes are intact", async () => {
    const text = unique("kept");
    const bytes = Uint8Array.from({ length: 1_024 }, (_, index) => (index * 7) % 256);
    const given = notification(text, { provider_id: "trx", claim: null, body: bytes });
    expect(await record([notification(unique("before")), given, notification(unique("after"))])).toEqual(Array(3).fill({ repeated: false }));
    const [row, ...more] = await rowsOf(text);
    expect(more).toEqual([]);
    const { body, dedupe, received_at, ...fields } = given;
    expect(row).toMatchObject({ ...fields, received_at, last_received_at: received_at, repeats: 0, payment_id: null });
    expect(row!.bodies).toBe(3);
    expect(row!.keep_until).toBe(KEEPING.keep_until);
    expect(Buffer.from(row!.dedupe).equals(dedupe)).toBe(true);
    expect(row!.body.equals(body)).toBe(true);
  });

  test("a repetition within one group is one row with its count, its last time and the first body", async () => {
    const text = unique("within");
    const repeat = (received_at: number, body: string) => notification(text, { received_at, body: Buffer.from(body) });
    const results = await record([repeat(10, "first"), notification(unique("other")), repeat(30, "second"), repeat(20, "third")]);
    expect(results.map(({ repeated }) => repeated)).toEqual([false, false, true, true]);
    const rows = await rowsOf(text);
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({ repeats: 2, received_at: 10, last_received_at: 30 });
    expect(rows[0]!.body.toString()).toBe("first");
  });

  test("a group of nothing but repetitions keeps no bodies", async () => {
    const text = unique("again");
    const batches = async () => (await store().read((db) => db.selectFrom("notification_batches").select("id").execute())).length;
    await record([notification(text), notification(`${text}_b`)]);
    const before = await batches();
    await record([notification(`${text}_b`), notification(text)]);
    expect(await batches()).toBe(before);
  });

  test("a repetition in a later group is counted, and the first body stays", async () => {
    const text = unique("across");
    await record([notification(text, { received_at: 10 })]);
    const again = [notification(text, { received_at: 20, body: Buffer.from("x") }), notification(text, { received_at: 25 })];
    expect(await record(again)).toEqual([{ repeated: true }, { repeated: true }]);
    const [row] = await rowsOf(text);
    expect(row).toMatchObject({ repeats: 2, received_at: 10, last_received_at: 25 });
    expect(row!.body.toString()).toBe(`body of ${text}`);
  });

  test("a forged notification does not stand in the way of the genuine one of the same words", async () => {
    const text = unique("forged");
    const forged = notification(text, { dedupe: notification(`forged ${text}`).dedupe, verdict: VERDICT.forged, route: ROUTE.quarantined });
    expect(await record([forged])).toEqual([{ repeated: false }]);
    expect(await record([notification(text), forged])).toEqual([{ repeated: false }, { repeated: true }]);
    const rows = await rowsOf(text);
    expect(rows.map(({ verdict, route, repeats }) => ({ verdict, route, repeats }))).toEqual([
      { verdict: VERDICT.forged, route: ROUTE.quarantined, repeats: 1 },
      { verdict: VERDICT.weak, route: ROUTE.new, repeats: 0 },
    ]);
  });

  test.each([
    ["routed", "new"],
    ["closed", "new"],
    ["parked", "parked"],
    ["quarantined", "quarantined"],
    ["new", "new"],
  ] as const)("a repetition of a notification that is %s makes it %s", async (before, after) => {
    const text = unique(`route_${before}`);
    await record([notification(text)]);
    await store().write((tx) =>
      tx.updateTable("notifications").set({ route: ROUTE[before], payment_id: "pay_1" }).where("reference", "=", text).execute(),
    );
    await record([notification(text)]);
    const [row] = await rowsOf(text);
    expect(row).toMatchObject({ route: ROUTE[after], payment_id: "pay_1", repeats: 1 });
  });

  test("50 deliveries of one notification at once are one row, one body, and one of them is told that it is new", async () => {
    const text = unique("storm");
    const results = await Promise.all(Array.from({ length: 50 }, () => record([notification(text), notification(unique("noise"))])));
    expect(results.filter(([first]) => !first!.repeated)).toHaveLength(1);
    const rows = await rowsOf(text);
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({ repeats: 49 });
  });

  test("no notification is lost for a poisoned one in its group", async () => {
    const inbox = new GroupCommit({
      flush: record,
      max_items: 100,
    });
    const texts = Array.from({ length: 40 }, () => unique("poison"));
    const poisoned = 23;
    // What no codec foresees: a field that is not there.
    const records = texts.map((text, index) => notification(text, index === poisoned ? { account_id: undefined } : {}));
    const results = await Promise.allSettled(records.map((record) => inbox.add(record)));
    expect(results.flatMap(({ status }, index) => (status === "rejected" ? [index] : []))).toEqual([poisoned]);
    const kept = await store().read((db) =>
      db.selectFrom("notifications").select(["reference", "repeats"]).where("reference", "in", texts).execute(),
    );
    expect(kept).toHaveLength(39);
    expect(kept.every(({ repeats }) => repeats === 0)).toBe(true);
  });

  test("no notification at all is nothing to do", async () => {
    expect(await record([])).toEqual([]);
  });
}
