import { afterEach, describe, expect, test } from "vitest";
import { type DrivenHub, driveHub, ENGINES } from "../testing/drive.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

describe.each(ENGINES)("money of unknown subjects on %s", (engine) => {
  let hub: DrivenHub;
  afterEach(() => hub.close());
  const routes = () => hub.store.read((db) => db.selectFrom("notifications").select("route").orderBy("seq").execute());
  const found = () => hub.store.read((db) => db.selectFrom("unmatched_money").selectAll().execute());

  /** What a restore from an older copy leaves: the gateway has collected for a payment that the database does not have. */
  async function strangersMoney(): Promise<string> {
    const payment = await hub.open((await hub.order()).id);
    hub.gateway.pay(payment.reference);
    await hub.store.write(async (tx) => {
      for (const table of ["transitions", "events", "answers", "jobs", "payments"] as const) await tx.deleteFrom(table).execute();
    });
    await hub.notify(payment.reference, "paid");
    await hub.settle();
    return payment.reference;
  }

  test.each(["unauthorized", "rate_limited", "unsupported", "invalid"] as const)(
    "a gateway that answers %s has not said that there is no money: it is asked again (F15)",
    async (code) => {
      hub = await driveHub(engine);
      const reference = await strangersMoney();
      hub.gateway.next("get", { refuse: { code, message: "no" } });
      await hub.advance(6_000);
      expect(await routes()).toEqual([{ route: 2 }]);
      expect(await found()).toEqual([]);
      await hub.advance(10 * MINUTE);
      expect(await found()).toMatchObject([{ reference, amount: 4_400_000n }]);
    },
  );

  test("a gateway that never gives a readable answer is asked ever more rarely, and what came stays parked", async () => {
    hub = await driveHub(engine);
    await strangersMoney();
    for (let i = 0; i < 200; i += 1) hub.gateway.next("get", { unclear: "did_nothing" });
    for (let hour = 0; hour < 72; hour += 1) await hub.advance(HOUR);
    expect(hub.gateway.count("get")).toBeGreaterThan(8);
    expect(hub.gateway.count("get")).toBeLessThan(20);
    expect(await routes()).toEqual([{ route: 2 }]);
  });

  test("unmatched money is followed as long as it can be paid back: its state stays true, a change is told once, and then nobody asks any more", async () => {
    hub = await driveHub(engine);
    const reference = await strangersMoney();
    await hub.advance(6_000);
    const [money] = await found();
    expect(money).toMatchObject({ status: "paid", refunded: 0n });
    const told = async () =>
      (await hub.store.read((db) => db.selectFrom("events").select("body").where("subject_id", "=", money!.id).orderBy("sequence").execute())).map(
        ({ body }) => (JSON.parse(body) as { data: { status: string; amount_refunded: number } }).data,
      );
    const transaction = hub.gateway.transactions.get(reference)!;
    await hub.advance(2 * HOUR);
    transaction.refunded = 1_000_000n;
    await hub.advance(24 * HOUR);
    expect(await found()).toMatchObject([{ status: "partially_refunded", refunded: 1_000_000n }]);
    transaction.refunded = transaction.collected;
    for (let day = 0; day < 60; day += 1) await hub.advance(24 * HOUR);
    expect(await found()).toMatchObject([{ id: money!.id, status: "refunded", refunded: 4_400_000n, payment_id: null }]);
    expect((await told()).map((data) => [data.status, data.amount_refunded])).toEqual([
      ["paid", 0],
      ["partially_refunded", 10_000],
      ["refunded", 44_000],
    ]);
    const asked = hub.gateway.count("get");
    expect(asked).toBeGreaterThan(8);
    expect(asked).toBeLessThan(20);
    expect(await hub.store.read((db) => db.selectFrom("jobs").select("key").where("kind", "=", "parked").execute())).toEqual([]);
  });

  test("the same money found again after a restore has the id that it had, and is told under the same event", async () => {
    hub = await driveHub(engine);
    const reference = await strangersMoney();
    await hub.advance(6_000);
    const [before] = await found();
    const events = () => hub.store.read((db) => db.selectFrom("events").select("id").where("subject_type", "=", "money").execute());
    const told = await events();
    await hub.store.write(async (tx) => {
      for (const table of ["events", "unmatched_money", "jobs", "notifications"] as const) await tx.deleteFrom(table).execute();
    });
    await hub.notify(reference, "paid");
    await hub.settle();
    await hub.advance(6_000);
    expect(await found()).toMatchObject([{ id: before!.id }]);
    expect(await events()).toEqual(told);
  });

  test("money is not called unmatched when its payment appears while the gateway is being asked", async () => {
    hub = await driveHub(engine);
    const reference = await strangersMoney();
    let let_go = (): void => {};
    hub.gateway.next("get", { wait: new Promise<void>((resolve) => (let_go = resolve)) });
    hub.clock.advance(6_000);
    const settled = hub.settle();
    while (hub.gateway.count("get") === 0) await new Promise((resolve) => setImmediate(resolve));
    const [order] = await hub.store.read((db) => db.selectFrom("orders").selectAll().execute());
    hub.gateway.next("open", { unclear: "did_nothing" });
    expect(await hub.openRefused(order!.id)).toBe("gateway_unclear");
    let_go();
    await settled;
    await hub.advance(10_000);
    expect(await found()).toEqual([]);
    const [payment] = await hub.store.read((db) => db.selectFrom("payments").selectAll().execute());
    expect(payment).toMatchObject({ reference, status: "paid" });
  });
});
