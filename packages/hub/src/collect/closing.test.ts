import { afterEach, describe, expect, test } from "vitest";
import { jobKey } from "../store/jobs.ts";
import { type DrivenHub, driveHub, ENGINES } from "../testing/drive.ts";
import { askGateway } from "./ask.ts";
import { cancelOrder } from "./close-order.ts";
import { closePayment } from "./payments.ts";
import type { PaymentRow } from "./rows.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

describe.each(ENGINES)("closing payments, on %s", (engine) => {
  let hub: DrivenHub;
  afterEach(() => hub.close());

  const settleAs = async (payment: PaymentRow, status: "failed" | "canceled" | "paid"): Promise<void> => {
    if (status === "paid") hub.gateway.pay(payment.reference);
    else hub.gateway.set(payment.reference, status);
    await hub.notify(payment.reference, status);
    await hub.settle();
  };
  const dueAt = async (payment: PaymentRow): Promise<number | undefined> => {
    const job = await hub.store.read((db) =>
      db.selectFrom("jobs").select("due_at").where("key", "=", jobKey("payment", payment.id)).executeTakeFirst(),
    );
    return job?.due_at;
  };

  test.each(["failed", "canceled"] as const)(
    "a hosted page on which an attempt was %s and whose closing is unclear stands in the way of another payment until it is known to be closed",
    async (end) => {
      hub = await driveHub(engine);
      const order = await hub.order();
      const page = await hub.open(order.id, "snap");
      await settleAs(page, end);
      hub.gateway.next("cancel", { unclear: "did_nothing" });
      expect(await hub.openRefused(order.id)).toBe("gateway_unclear");
      expect(hub.gateway.transactions.size).toBe(1);
      expect(await hub.payment(page.id)).toMatchObject({ status: end, wanted: "cancel", closed_at: null });

      await hub.advance(MINUTE);
      expect(hub.gateway.count("cancel")).toBe(2);
      expect(await hub.payment(page.id)).toMatchObject({ status: end, wanted: null, closed_at: hub.clock.now() });
      expect((await hub.open(order.id)).status).toBe("pending");
      expect(hub.gateway.count("cancel")).toBe(2);
    },
  );

  test("an order is not canceled while a page of it may still be paid", async () => {
    hub = await driveHub(engine);
    const order = await hub.order();
    const page = await hub.open(order.id, "snap");
    await settleAs(page, "failed");
    hub.gateway.next("cancel", { refuse: { code: "unauthorized", message: "the key was revoked" } });
    await expect(cancelOrder(hub.hub, hub.shop_id, order.id, "test")).rejects.toMatchObject({ code: "gateway_unclear" });
    expect(await hub.orderRow(order.id)).toMatchObject({ closed: null, payment_status: "failed" });
    await hub.advance(MINUTE);
    expect((await cancelOrder(hub.hub, hub.shop_id, order.id, "test")).order).toMatchObject({ closed: "canceled", payment_status: "canceled" });
  });

  test("a page that nobody could close is over with its time, and so is its order", async () => {
    hub = await driveHub(engine);
    const order = await hub.order();
    const page = await hub.open(order.id, "snap");
    await settleAs(page, "failed");
    for (let tries = 0; tries < 200; tries += 1) hub.gateway.next("cancel", { unclear: "did_nothing" });
    await closePayment(hub.hub, page.id, "cancel", "test", 0);
    for (let hour = 0; hour < 25; hour += 1) await hub.advance(HOUR);
    expect(await hub.payment(page.id)).toMatchObject({ status: "failed", wanted: null });
    expect(await hub.orderRow(order.id)).toMatchObject({ closed: "expired", payment_status: "expired" });
    // Later each time, not every five seconds for a day.
    expect(hub.gateway.count("cancel")).toBeLessThan(60);
  });

  test("when an order becomes paid its other open payment is canceled at its gateway", async () => {
    hub = await driveHub(engine);
    const order = await hub.order();
    const [first, second] = [await hub.open(order.id), await hub.open(order.id, "bca_va")];
    await settleAs(first, "paid");
    expect(hub.gateway.transactions.get(second.reference)!.status).toBe("canceled");
    expect(await hub.payment(second.id)).toMatchObject({ status: "canceled", wanted: null });
    expect(await hub.orderRow(order.id)).toMatchObject({ payment_status: "paid" });
    expect(await hub.events(order.id)).toEqual(["order.pending#1", "order.pending#2", "order.paid#3"]);
  });

  test("one that was paid before it could be canceled is shown as a duplicate", async () => {
    hub = await driveHub(engine);
    const order = await hub.order();
    const [first, second] = [await hub.open(order.id), await hub.open(order.id, "bca_va")];
    hub.gateway.pay(second.reference);
    await settleAs(first, "paid");
    const paid = [await hub.payment(first.id), await hub.payment(second.id)];
    expect(paid.map((payment) => payment.status)).toEqual(["paid", "paid"]);
    expect(paid[1]!.flags).toContain("duplicate");
    expect(paid[1]!.needs_attention).toContain("already paid");
  });

  test("whoever learns that a payment is paid, it is asked about six minutes and a day later", async () => {
    hub = await driveHub(engine);
    const payment = await hub.open((await hub.order()).id, "bca_va");
    hub.gateway.pay(payment.reference);
    await askGateway(hub.hub, payment.id, "get", "api", 2);
    const { paid_at } = await hub.payment(payment.id);
    expect(await dueAt(payment)).toBe(paid_at! + 6 * MINUTE);
    const asked = hub.gateway.count("get");
    await hub.advance(6 * MINUTE);
    expect(hub.gateway.count("get")).toBe(asked + 1);
    expect(await dueAt(payment)).toBe(paid_at! + 24 * HOUR);
  });

  test("a cancel that finds the payment paid leaves it to the questions of a paid one", async () => {
    hub = await driveHub(engine);
    const payment = await hub.open((await hub.order()).id, "bca_va");
    hub.gateway.pay(payment.reference);
    const closed = await closePayment(hub.hub, payment.id, "cancel", "api", 0);
    expect(closed.payment).toMatchObject({ status: "paid", wanted: null });
    expect(await dueAt(payment)).toBe(closed.payment.paid_at! + 6 * MINUTE);
  });

  test("late money found a month later is asked about again, too", async () => {
    hub = await driveHub(engine);
    const payment = await hub.open((await hub.order()).id, "bca_va");
    for (let day = 0; day < 8; day += 1) await hub.advance(24 * HOUR);
    expect(await dueAt(payment)).toBeUndefined();
    hub.gateway.pay(payment.reference);
    await askGateway(hub.hub, payment.id, "get", "reconcile", 1);
    expect(await dueAt(payment)).toBe(hub.clock.now() + 6 * MINUTE);
  });
});
