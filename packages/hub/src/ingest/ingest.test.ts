import { fc, test as property } from "../testing/property.ts";
import { afterEach, describe, expect, test, vi } from "vitest";
import { type DrivenHub, driveHub, ENGINES } from "../testing/drive.ts";
import { StoreError } from "../store/index.ts";
import { BodyReader } from "./sealed-bodies.ts";

const MINUTE = 60_000;

describe.each(ENGINES)("notifications on %s", (engine) => {
  let hub: DrivenHub;
  afterEach(() => hub.close());
  const inbox = () => hub.store.read((db) => db.selectFrom("notifications").selectAll().orderBy("seq").execute());

  test("a genuine notification leads to a question, and the answer to the transition", async () => {
    hub = await driveHub(engine);
    const payment = await hub.open((await hub.order()).id);
    hub.gateway.pay(payment.reference);
    expect(await hub.notify(payment.reference, "paid")).toBe(200);
    await hub.settle();
    expect((await hub.payment(payment.id)).status).toBe("paid");
    const [transition] = await hub.store.read((db) =>
      db.selectFrom("transitions").selectAll().where("to_status", "=", "paid").where("subject_id", "=", payment.id).execute(),
    );
    expect(transition!.cause).toMatch(/^notification ntf_/);
    expect(transition!.answer_id).toMatch(/^ans_/);
  });

  test("a forged notification is answered 403, kept apart and changes nothing, not even a question", async () => {
    hub = await driveHub(engine);
    const payment = await hub.open((await hub.order()).id);
    expect(await hub.notify(payment.reference, "paid", "guessed")).toBe(403);
    await hub.settle();
    expect((await hub.payment(payment.id)).status).toBe("pending");
    expect(hub.gateway.count("get")).toBe(0);
    expect(await inbox()).toMatchObject([{ verdict: 1, route: 3 }]);
  });

  test("a good signature with another status is asked about four times, then flagged, and never applied", async () => {
    hub = await driveHub(engine);
    const payment = await hub.open((await hub.order()).id, "bca_va");
    await hub.notify(payment.reference, "paid");
    await hub.settle();
    for (const gap of [5_000, 30_000, 120_000, 600_000]) await hub.advance(gap);
    expect(hub.gateway.count("get")).toBe(5);
    expect(await hub.payment(payment.id)).toMatchObject({ status: "pending", flags: ["unconfirmed"], collected: 0n });
    expect(await hub.events(payment.id)).toEqual(["payment.pending#1", "payment.unconfirmed#2"]);
    hub.gateway.pay(payment.reference);
    await hub.advance(15 * MINUTE);
    expect(await hub.payment(payment.id)).toMatchObject({ status: "paid", flags: [] });
  });

  test("repetitions are counted under one row; those that come during a question cost one more, and change nothing", async () => {
    hub = await driveHub(engine);
    const payment = await hub.open((await hub.order()).id);
    hub.gateway.pay(payment.reference);
    let let_go = (): void => {};
    hub.gateway.next("get", { wait: new Promise<void>((resolve) => (let_go = resolve)) });
    await hub.notify(payment.reference, "paid");
    while (hub.gateway.count("get") === 0) await new Promise((resolve) => setImmediate(resolve));
    for (let i = 0; i < 4; i += 1) expect(await hub.notify(payment.reference, "paid")).toBe(200);
    let_go();
    await hub.settle();
    expect(await inbox()).toMatchObject([{ repeats: 4, route: 1, payment_id: payment.id }]);
    expect(hub.gateway.count("get")).toBe(2);
    expect(await hub.events(payment.id)).toEqual(["payment.pending#1", "payment.paid#2"]);
  });

  test("a repetition costs no question when an answer asked after its arrival is on record", async () => {
    hub = await driveHub(engine);
    const payment = await hub.open((await hub.order()).id);
    hub.gateway.pay(payment.reference);
    await hub.notify(payment.reference, "paid");
    await hub.settle();
    const asked = hub.gateway.count("get");
    // Recorded before, looked at only now: a hub that was killed between the two.
    await hub.store.write((tx) =>
      tx
        .updateTable("payments")
        .set({ last_asked_at: hub.clock.now() + 1 })
        .where("id", "=", payment.id)
        .execute(),
    );
    await hub.notify(payment.reference, "paid");
    await hub.settle();
    expect(hub.gateway.count("get")).toBe(asked);
  });

  test("an echo of our own command costs no question", async () => {
    hub = await driveHub(engine);
    const order = await hub.order();
    const first = await hub.open(order.id);
    await hub.open(order.id, "bca_va");
    await hub.settle();
    const asked = hub.gateway.count("get");
    await hub.notify(first.reference, "canceled");
    await hub.settle();
    expect(hub.gateway.count("get")).toBe(asked);
  });

  test("a notification about an unknown reference is parked, asked about once, and closed when there is no money (F11)", async () => {
    hub = await driveHub(engine);
    expect(await hub.notify("nobody-knows-me", "paid")).toBe(200);
    await hub.settle();
    expect(await inbox()).toMatchObject([{ route: 2 }]);
    await hub.advance(6_000);
    expect(await inbox()).toMatchObject([{ route: 4 }]);
    expect(hub.gateway.count("get")).toBe(1);
  });

  test("money for an unknown reference is never dropped: it is told, kept, and matched when its payment appears (F11)", async () => {
    hub = await driveHub(engine);
    const order = await hub.order();
    const payment = await hub.open(order.id);
    hub.gateway.pay(payment.reference);
    // What a restore from an older copy does: the world has the payment, the database does not.
    await hub.store.write(async (tx) => {
      for (const table of ["transitions", "events", "answers", "jobs", "payments"] as const) await tx.deleteFrom(table).execute();
    });
    await hub.notify(payment.reference, "paid");
    await hub.settle();
    await hub.advance(6_000);
    const [money] = await hub.store.read((db) => db.selectFrom("unmatched_money").selectAll().execute());
    expect(money).toMatchObject({ reference: payment.reference, amount: 4_400_000n, payment_id: null });
    expect(await hub.events(money!.id)).toEqual(["money.unmatched#1"]);
    hub.gateway.next("open", { unclear: "did_nothing" });
    await hub.openRefused(order.id);
    await hub.advance(10_000);
    const [again] = await hub.store.read((db) => db.selectFrom("payments").selectAll().execute());
    expect(again).toMatchObject({ reference: payment.reference, status: "paid" });
    expect((await hub.store.read((db) => db.selectFrom("unmatched_money").selectAll().execute()))[0]).toMatchObject({ payment_id: again!.id });
  });

  test("what cannot be stored is not accepted: 503, and nothing is answered 2xx (F11)", async () => {
    hub = await driveHub(engine);
    const payment = await hub.open((await hub.order()).id);
    const broken = vi.spyOn(hub.store, "recordNotifications").mockRejectedValue(new StoreError("full", "the disk is full", undefined));
    expect(await hub.notify(payment.reference, "paid")).toBe(503);
    broken.mockRestore();
    expect(await inbox()).toEqual([]);
    expect(await hub.notify(payment.reference, "paid")).toBe(200);
  });

  test("a body over 256 KiB and one for no account are refused and not kept", async () => {
    hub = await driveHub(engine);
    const send = (account: string, body: Buffer) => hub.inbox.receive(account, { method: "POST", headers: {}, query: "", body }, "203.0.113.9");
    expect((await send(hub.slug, Buffer.alloc(256 * 1024 + 1, 0x20))).status).toBe(413);
    expect((await send("no-such-account", Buffer.from("{}"))).status).toBe(404);
    expect(await inbox()).toEqual([]);
  });

  test("what cannot be read is refused and changes nothing, but its bytes are kept apart for a week: a provider may have changed its words", async () => {
    hub = await driveHub(engine);
    const body = Buffer.from('{"reference": 1');
    for (let i = 0; i < 2; i += 1)
      expect((await hub.inbox.receive(hub.slug, { method: "POST", headers: {}, query: "", body }, "203.0.113.9")).status).toBe(400);
    await hub.settle();
    const [row, ...more] = await inbox();
    expect(more).toEqual([]);
    expect(row).toMatchObject({ verdict: 2, route: 3, reference: "", repeats: 1 });
    const raw = await hub.store.read((db) => new BodyReader(hub.hub.vault).read(db, row!));
    expect(Buffer.from(raw!.body).equals(body)).toBe(true);
  });

  test("the quarantine is bounded in bytes too", async () => {
    hub = await driveHub(engine);
    const large = (n: number) => Buffer.from(`{${" ".repeat(200 * 1024)}${n}`);
    for (let n = 0; n < 100; n += 1) await hub.inbox.receive(hub.slug, { method: "POST", headers: {}, query: "", body: large(n) }, "203.0.113.9");
    expect((await inbox()).length).toBe(Math.floor((16 * 1024 * 1024) / large(10).length));
  });

  test("forged notifications are bounded: past the quota they are refused and not kept", async () => {
    hub = await driveHub(engine);
    const replies = await Promise.all(Array.from({ length: 1_020 }, (_, i) => hub.notify(`ref-${i}`, "paid", "guessed")));
    expect(new Set(replies)).toEqual(new Set([403]));
    expect(await inbox()).toHaveLength(1_000);
  });
});

/** What the gateway goes through, and which notification each step sends. */
const HISTORIES = [
  ["paid"],
  ["expired"],
  ["expired", "paid"],
  ["failed", "paid"],
  ["canceled"],
  ["paid", "reversed"],
  ["authorized", "paid"],
  ["failed"],
] as const;

property(
  "whatever the order, repetition or loss of notifications: after the last question our state is the gateway's, and each transition is told once (F12)",
  fc.record({
    history: fc.constantFrom(...HISTORIES),
    script: fc.array(fc.record({ pick: fc.nat(9), times: fc.integer({ min: 0, max: 2 }), wait_s: fc.nat(400) }), { maxLength: 8 }),
  }),
  async ({ history, script }) => {
    const hub = await driveHub("sqlite");
    try {
      const payment = await hub.open((await hub.order()).id, "bca_va");
      const sent: (typeof HISTORIES)[number][number][] = [];
      for (const [step, status] of history.entries()) {
        if (status === "paid") hub.gateway.pay(payment.reference);
        else hub.gateway.set(payment.reference, status);
        sent.push(status);
        const act = script[step];
        for (let i = 0; i < (act?.times ?? 0); i += 1) await hub.notify(payment.reference, sent[(act?.pick ?? 0) % sent.length]!);
        if (act) await hub.advance(act.wait_s * 1_000);
      }
      for (const act of script.slice(history.length)) await hub.notify(payment.reference, sent[act.pick % sent.length]!);
      await hub.settle();
      for (const hours of [1, 2, 4, 8, 12, 24, 25, 48, 72]) await hub.advance(hours * 60 * MINUTE);
      const last = history.at(-1)!;
      const { status } = await hub.payment(payment.id);
      expect(status).toBe(last);
      const events = (await hub.events(payment.id)).filter((event) => !event.startsWith("payment.unconfirmed"));
      const types = events.map((event) => event.split("#")[0]!);
      expect(types).toEqual([...new Set(types)]);
    } finally {
      await hub.close();
    }
  },
);
