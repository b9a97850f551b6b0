import { afterEach, describe, expect, test } from "vitest";
import { type DrivenHub, driveHub, ENGINES } from "../testing/drive.ts";
import { acknowledge } from "./attention.ts";
import { askGateway } from "./ask.ts";
import { cancelOrder } from "./close-order.ts";
import { createRefund } from "./refunds.ts";
import type { OrderRow, PaymentRow } from "./rows.ts";

describe.each(ENGINES)("what waits for a person, on %s", (engine) => {
  let hub: DrivenHub;
  afterEach(() => hub.close());

  /** An order whose buyer paid twice: the first opened payment is the second money. */
  async function paidTwice(): Promise<{ order: OrderRow; duplicate: PaymentRow; other: PaymentRow }> {
    hub = await driveHub(engine);
    const order = await hub.order();
    const duplicate = await hub.open(order.id);
    const other = await hub.open(order.id, "snap");
    for (const { reference } of [other, duplicate]) {
      hub.gateway.pay(reference);
      await hub.notify(reference, "paid");
      await hub.settle();
    }
    expect((await hub.payment(duplicate.id)).needs_attention).toContain("already paid");
    return { order, duplicate, other };
  }
  const refund = async (payment: PaymentRow, amount?: number): Promise<void> => {
    await createRefund(hub.hub, hub.shop_id, payment.id, amount === undefined ? {} : { amount: BigInt(amount) * 100n }, "test", async () => {});
    await hub.settle();
  };
  const attention = async (payment: PaymentRow): Promise<string | null> => (await hub.payment(payment.id)).needs_attention;

  test("is over when the duplicate was paid back, and the event that tells of it says so", async () => {
    const { duplicate } = await paidTwice();
    await refund(duplicate);
    expect(await hub.payment(duplicate.id)).toMatchObject({ status: "refunded", needs_attention: null, flags: ["late", "duplicate"] });
    const last = await hub.store.read((db) =>
      db.selectFrom("events").select("body").where("subject_id", "=", duplicate.id).where("type", "=", "payment.refunded").executeTakeFirstOrThrow(),
    );
    expect(JSON.parse(last.body)).toMatchObject({ data: { payment: { status: "refunded", needs_attention: null } } });
  });

  test("is over, too, when the other one of the two payments was paid back", async () => {
    const { duplicate, other } = await paidTwice();
    await refund(other);
    expect(await hub.payment(duplicate.id)).toMatchObject({ status: "paid", needs_attention: null });
  });

  test("stays while too little of a duplicate went back", async () => {
    const { duplicate } = await paidTwice();
    await refund(duplicate, 43_999);
    expect(await attention(duplicate)).toContain("already paid");
    await refund(duplicate, 1);
    expect(await attention(duplicate)).toBeNull();
  });

  test.each([
    ["unauthorized", "the gateway refuses this account's credentials"],
    ["unsupported", "the gateway does not take this method for this account (not activated)"],
    ["invalid", null],
  ] as const)("a payment that was refused as %s says what a person has to mend: %s", async (code, what) => {
    hub = await driveHub(engine);
    const order = await hub.order();
    hub.gateway.next("open", { refuse: { code, message: "not activated" } });
    await hub.openRefused(order.id);
    const [refused] = await hub.store.read((db) => db.selectFrom("payments").selectAll().where("order_id", "=", order.id).execute());
    expect(refused).toMatchObject({ status: "failed", needs_attention: what });
  });

  test("is over when the difference of an overpaid payment went back", async () => {
    hub = await driveHub(engine);
    const payment = await hub.open((await hub.order()).id);
    hub.gateway.pay(payment.reference, 5_000_000n);
    await askGateway(hub.hub, payment.id, "get", "test", 0);
    expect(await attention(payment)).toContain("pay the difference back");
    await refund(payment, 5_999);
    expect(await attention(payment)).toContain("pay the difference back");
    await refund(payment, 1);
    expect(await hub.payment(payment.id)).toMatchObject({ status: "partially_refunded", needs_attention: null });
  });

  test("of another kind is not over because money went back", async () => {
    hub = await driveHub(engine);
    const payment = await hub.open((await hub.order()).id);
    hub.gateway.pay(payment.reference);
    await askGateway(hub.hub, payment.id, "get", "test", 0);
    await hub.store.write((tx) => tx.updateTable("payments").set({ needs_attention: "look at this" }).where("id", "=", payment.id).execute());
    await refund(payment);
    expect(await attention(payment)).toBe("look at this");
  });

  const paidEvents = async (order: OrderRow): Promise<unknown[]> => {
    const rows = await hub.store.read((db) =>
      db.selectFrom("events").select("body").where("order_id", "=", order.id).where("type", "in", ["order.paid", "payment.paid"]).execute(),
    );
    return rows.map((row) => JSON.parse(row.body));
  };
  const pay = async (payment: PaymentRow): Promise<void> => {
    hub.gateway.pay(payment.reference);
    await hub.notify(payment.reference, "paid");
    await hub.settle();
  };

  test("is money for an order that the shop had canceled: its events say so, so that nobody delivers blindly (F13)", async () => {
    hub = await driveHub(engine);
    const order = await hub.order();
    const payment = await hub.open(order.id);
    await cancelOrder(hub.hub, hub.shop_id, order.id, "test");
    await pay(payment);
    expect(await attention(payment)).toContain("the order was canceled before this money came");
    expect(await hub.orderRow(order.id)).toMatchObject({ payment_status: "paid", closed: "canceled" });
    const events = await paidEvents(order);
    expect(events).toHaveLength(2);
    for (const event of events) expect(event).toMatchObject({ data: { order: { payment_status: "paid", closed: "canceled" } } });
    expect(events).toContainEqual(
      expect.objectContaining({
        type: "payment.paid",
        data: expect.objectContaining({ payment: expect.objectContaining({ needs_attention: expect.stringContaining("was canceled before") }) }),
      }),
    );
    await refund(payment, 1_000);
    expect(await attention(payment)).toContain("the order was canceled");
    await refund(payment);
    expect(await attention(payment)).toBeNull();
  });

  test("is money for an order whose time was over", async () => {
    hub = await driveHub(engine);
    const order = await hub.order();
    const payment = await hub.open(order.id);
    await hub.advance(25 * 3_600_000);
    await hub.advance(3_600_000);
    expect(await hub.orderRow(order.id)).toMatchObject({ closed: "expired" });
    await pay(payment);
    expect(await attention(payment)).toContain("the order's time was over before this money came");
    for (const event of await paidEvents(order)) expect(event).toMatchObject({ data: { order: { closed: "expired" } } });
  });

  test("is not the late money of an order that is still open", async () => {
    hub = await driveHub(engine);
    const order = await hub.order();
    const payment = await hub.open(order.id);
    await hub.advance(18 * 60_000);
    await pay(payment);
    expect(await hub.payment(payment.id)).toMatchObject({ status: "paid", flags: ["late"], needs_attention: null });
    for (const event of await paidEvents(order)) expect(event).toMatchObject({ data: { order: { closed: null } } });
  });

  test("is still to be decided about for the money that is left of two payments of a canceled order", async () => {
    hub = await driveHub(engine);
    const order = await hub.order();
    const [first, second] = [await hub.open(order.id), await hub.open(order.id, "snap")];
    await cancelOrder(hub.hub, hub.shop_id, order.id, "test");
    await pay(first);
    await pay(second);
    expect(await attention(second)).toContain("already paid");
    await refund(first);
    expect(await attention(first)).toBeNull();
    expect(await attention(second)).toContain("the order was canceled");
  });

  test("is over when a person says so, whose note stands in the payment's history", async () => {
    const { duplicate } = await paidTwice();
    const before = await hub.payment(duplicate.id);
    expect(await acknowledge(hub.hub, duplicate.id, "paid back in cash")).toEqual({
      id: duplicate.id,
      status: "paid",
      acknowledged: before.needs_attention,
    });
    expect(await hub.payment(duplicate.id)).toMatchObject({ status: "paid", needs_attention: null, version: before.version });
    const [last] = await hub.store.read((db) =>
      db.selectFrom("transitions").selectAll().where("subject_id", "=", duplicate.id).orderBy("sequence", "desc").execute(),
    );
    expect(last).toMatchObject({
      from_status: "paid",
      to_status: "paid",
      cause: "acknowledged: paid back in cash",
      flags: ["late", "duplicate"],
      answer_id: null,
    });
  });

  test("cannot be acknowledged where nothing waits", async () => {
    hub = await driveHub(engine);
    const payment = await hub.open((await hub.order()).id);
    await expect(acknowledge(hub.hub, payment.id, "n")).rejects.toMatchObject({ code: "wrong_state" });
    await expect(acknowledge(hub.hub, "pay_none", "n")).rejects.toMatchObject({ code: "not_found" });
  });
});
