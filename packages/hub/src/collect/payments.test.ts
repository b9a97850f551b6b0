import { afterEach, describe, expect, test } from "vitest";
import { type DrivenHub, driveHub, ENGINES, rupiah } from "../testing/drive.ts";
import { askGateway } from "./ask.ts";
import { closePayment } from "./payments.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

describe.each(ENGINES)("payments on %s", (engine) => {
  let hub: DrivenHub;
  afterEach(() => hub.close());

  test("the payment and its reference are on the disk before the gateway is called", async () => {
    hub = await driveHub(engine);
    const order = await hub.order();
    let let_go = (): void => {};
    hub.gateway.next("open", { wait: new Promise<void>((resolve) => (let_go = resolve)) });
    const opening = hub.open(order.id);
    while (hub.gateway.count("open") === 0) await new Promise((resolve) => setImmediate(resolve));
    const rows = await hub.store.read((db) => db.selectFrom("payments").selectAll().execute());
    expect(rows).toMatchObject([{ status: "submitted", reference: hub.gateway.calls[0]!.reference }]);
    let_go();
    expect((await opening).status).toBe("pending");
  });

  test("an opening that did nothing is continued under the same reference", async () => {
    hub = await driveHub(engine);
    const order = await hub.order();
    hub.gateway.next("open", { unclear: "did_nothing" });
    expect(await hub.openRefused(order.id)).toBe("gateway_unclear");
    await hub.advance(10_000);
    const [payment] = await hub.store.read((db) => db.selectFrom("payments").selectAll().execute());
    expect(payment).toMatchObject({ status: "pending", attempt: 1 });
    expect(new Set(hub.gateway.calls.map((call) => call.reference)).size).toBe(1);
  });

  test("an opening that did happen although nobody heard is found, not repeated (F15)", async () => {
    hub = await driveHub(engine);
    const order = await hub.order();
    hub.gateway.next("open", { unclear: "did_it" });
    expect(await hub.openRefused(order.id)).toBe("gateway_unclear");
    await hub.advance(10_000);
    expect(hub.gateway.transactions.size).toBe(1);
    const [payment] = await hub.store.read((db) => db.selectFrom("payments").selectAll().execute());
    expect(await hub.events(payment!.id)).toEqual(["payment.pending#1"]);
  });

  test("a refusal at creation fails the payment with the gateway's reason, and the order can be paid another way", async () => {
    hub = await driveHub(engine);
    const order = await hub.order();
    hub.gateway.next("open", { refuse: { code: "invalid", message: "this merchant may not use it" } });
    expect(await hub.openRefused(order.id)).toBe("gateway_refused");
    expect((await hub.orderRow(order.id)).payment_status).toBe("failed");
    const second = await hub.open(order.id, "bca_va");
    expect(second).toMatchObject({ status: "pending", attempt: 2 });
    expect(second.reference).not.toBe(hub.gateway.calls[0]!.reference);
  });

  test("choosing another method cancels the older payment at its gateway first", async () => {
    hub = await driveHub(engine);
    const order = await hub.order();
    const first = await hub.open(order.id);
    const second = await hub.open(order.id, "bca_va");
    expect((await hub.payment(first.id)).status).toBe("canceled");
    expect(hub.gateway.transactions.get(first.reference)!.status).toBe("canceled");
    expect(second.status).toBe("pending");
  });

  test("no second payment is opened when the first turns out to be paid", async () => {
    hub = await driveHub(engine);
    const order = await hub.order();
    const first = await hub.open(order.id);
    hub.gateway.pay(first.reference);
    expect(await hub.openRefused(order.id, "bca_va")).toBe("wrong_state");
    expect((await hub.orderRow(order.id)).payment_status).toBe("paid");
    expect(hub.gateway.transactions.size).toBe(1);
  });

  test("no second payment is opened while nobody knows about the first", async () => {
    hub = await driveHub(engine);
    const order = await hub.order();
    await hub.open(order.id);
    hub.gateway.next("cancel", { unclear: "did_nothing" });
    hub.gateway.next("get", { unclear: "did_nothing" });
    expect(await hub.openRefused(order.id, "bca_va")).toBe("gateway_unclear");
    expect(hub.gateway.transactions.size).toBe(1);
  });

  test("a buyer who pays twice: the second money is kept, flagged duplicate and late, and shown to a person (F14)", async () => {
    hub = await driveHub(engine);
    const order = await hub.order();
    const first = await hub.open(order.id);
    const second = await hub.open(order.id, "bca_va");
    hub.gateway.pay(second.reference);
    await hub.notify(second.reference, "paid");
    await hub.settle();
    hub.gateway.pay(first.reference);
    await hub.notify(first.reference, "paid");
    await hub.settle();
    const paid_twice = await hub.payment(first.id);
    expect(paid_twice).toMatchObject({ status: "paid", flags: ["late", "duplicate"] });
    expect(paid_twice.needs_attention).toContain("already paid");
    const after = await hub.orderRow(order.id);
    expect([after.payment_status, rupiah(after.amount_paid)]).toEqual(["paid", 88_000]);
    expect(await hub.events(order.id)).toEqual(["order.pending#1", "order.pending#2", "order.paid#3"]);
  });

  test("the clock alone expires nothing: the gateway is asked, and money that it has counts (F13)", async () => {
    hub = await driveHub(engine);
    const order = await hub.order();
    const payment = await hub.open(order.id);
    hub.gateway.pay(payment.reference);
    await hub.advance(16 * MINUTE);
    expect((await hub.payment(payment.id)).status).toBe("paid");
    expect((await hub.payment(payment.id)).flags).toEqual([]);
  });

  test("a payment that the gateway still calls pending after its time is expired there by command", async () => {
    hub = await driveHub(engine);
    const order = await hub.order();
    const payment = await hub.open(order.id);
    await hub.advance(16 * MINUTE);
    expect((await hub.payment(payment.id)).status).toBe("pending");
    await hub.advance(2 * MINUTE);
    expect((await hub.payment(payment.id)).status).toBe("expired");
    expect(hub.gateway.transactions.get(payment.reference)!.status).toBe("expired");
  });

  test("money after expiry is found without any notification, a day later at the latest", async () => {
    hub = await driveHub(engine);
    const order = await hub.order();
    const payment = await hub.open(order.id);
    await hub.advance(18 * MINUTE);
    hub.gateway.pay(payment.reference);
    await hub.advance(25 * HOUR);
    expect(await hub.payment(payment.id)).toMatchObject({ status: "paid", flags: ["late"] });
    expect((await hub.orderRow(order.id)).payment_status).toBe("paid");
  });

  test.each([
    ["less", 40_000, ["underpaid"], "underpaid"],
    ["more", 50_000, ["overpaid"], "paid"],
  ] as const)("%s money than asked for is kept and flagged", async (_word, amount, flags, status) => {
    hub = await driveHub(engine);
    const order = await hub.order();
    const payment = await hub.open(order.id);
    hub.gateway.pay(payment.reference, BigInt(amount) * 100n);
    await askGateway(hub.hub, payment.id, "get", "test", 0);
    expect(await hub.payment(payment.id)).toMatchObject({ status: "paid", flags, collected: BigInt(amount) * 100n });
    expect((await hub.orderRow(order.id)).payment_status).toBe(status);
  });

  test.each(["unauthorized", "not_found", "rate_limited", "state", "invalid"] as const)(
    "a gateway that answers a question with %s moves no money state (F15)",
    async (code) => {
      hub = await driveHub(engine);
      const order = await hub.order();
      const payment = await hub.open(order.id);
      hub.gateway.next("get", { refuse: { code, message: "no" } });
      await askGateway(hub.hub, payment.id, "get", "test", 0);
      expect(await hub.payment(payment.id)).toMatchObject({ status: "pending", collected: 0n });
      expect(await hub.events(payment.id)).toEqual(["payment.pending#1"]);
    },
  );

  test("money that is taken back reverses the payment and the order", async () => {
    hub = await driveHub(engine);
    const order = await hub.order();
    const payment = await hub.open(order.id, "bca_va");
    hub.gateway.pay(payment.reference);
    await hub.notify(payment.reference, "paid");
    await hub.settle();
    hub.gateway.set(payment.reference, "failed");
    await hub.advance(7 * MINUTE);
    expect((await hub.payment(payment.id)).status).toBe("paid");
    await hub.advance(MINUTE);
    expect(await hub.payment(payment.id)).toMatchObject({ status: "reversed", reversed: 4_400_000n });
    expect((await hub.orderRow(order.id)).payment_status).toBe("reversed");
  });

  test("one lagging answer after late money takes nothing away: it is asked again first (F12)", async () => {
    hub = await driveHub(engine);
    const order = await hub.order();
    const payment = await hub.open(order.id);
    await closePayment(hub.hub, payment.id, "cancel", "test", 0);
    hub.gateway.pay(payment.reference);
    await hub.notify(payment.reference, "paid");
    await hub.settle();
    expect((await hub.payment(payment.id)).status).toBe("paid");
    hub.gateway.set(payment.reference, "canceled");
    await askGateway(hub.hub, payment.id, "get", "lagging", 0);
    hub.gateway.pay(payment.reference);
    await hub.advance(30 * MINUTE);
    expect(await hub.payment(payment.id)).toMatchObject({ status: "paid", handles: {} });
    expect(await hub.events(order.id)).toEqual(["order.pending#1", "order.paid#2"]);
  });

  test("on hold nothing that moves money is sent, and questions still are", async () => {
    hub = await driveHub(engine);
    const order = await hub.order();
    const payment = await hub.open(order.id);
    hub.hub.hold.reason = "restored";
    expect(await hub.openRefused((await hub.order()).id)).toBe("on_hold");
    await expect(closePayment(hub.hub, payment.id, "cancel", "test", 0)).rejects.toMatchObject({ code: "on_hold" });
    hub.gateway.pay(payment.reference);
    await hub.notify(payment.reference, "paid");
    await hub.settle();
    expect((await hub.payment(payment.id)).status).toBe("paid");
    expect(hub.gateway.count("cancel")).toBe(0);
  });

  test("an answer whose question is older than the payment's state is kept but changes nothing", async () => {
    hub = await driveHub(engine);
    const order = await hub.order();
    const payment = await hub.open(order.id);
    let let_go = (): void => {};
    hub.gateway.next("get", { wait: new Promise<void>((resolve) => (let_go = resolve)) });
    const slow = askGateway(hub.hub, payment.id, "get", "slow", 0);
    while (hub.gateway.count("get") === 0) await new Promise((resolve) => setImmediate(resolve));
    hub.gateway.pay(payment.reference);
    await askGateway(hub.hub, payment.id, "get", "quick", 0);
    hub.gateway.set(payment.reference, "expired");
    let_go();
    expect(await slow).toMatchObject({ asked: true, verdict: "superseded" });
    expect((await hub.payment(payment.id)).status).toBe("paid");
    const kept = await hub.store.read((db) =>
      db.selectFrom("answers").select(["verdict", "cause"]).where("operation", "=", "get").orderBy("id").execute(),
    );
    expect(kept).toEqual([
      { verdict: "applied", cause: "quick" },
      { verdict: "superseded", cause: "slow" },
    ]);
  });

  test("twenty refreshes and notifications at once make one transition and one event each (F1)", async () => {
    hub = await driveHub(engine);
    const order = await hub.order();
    const payment = await hub.open(order.id);
    hub.gateway.pay(payment.reference);
    await Promise.all([
      ...Array.from({ length: 10 }, () => askGateway(hub.hub, payment.id, "get", "buyer", 2)),
      ...Array.from({ length: 10 }, () => hub.notify(payment.reference, "paid")),
    ]);
    await hub.settle();
    expect(await hub.events(payment.id)).toEqual(["payment.pending#1", "payment.paid#2"]);
    expect(await hub.events(order.id)).toEqual(["order.pending#1", "order.paid#2"]);
  });
});
