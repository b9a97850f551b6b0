import { LunasError } from "@lunas/domain";
import { afterEach, describe, expect, test } from "vitest";
import { type DrivenHub, driveHub, ENGINES } from "../testing/drive.ts";
import { closeManualRefund, createRefund } from "./refunds.ts";
import type { PaymentRow, RefundRow } from "./rows.ts";

const HOUR = 3_600_000;

async function paid(hub: DrivenHub, method = "gopay"): Promise<PaymentRow> {
  const order = await hub.order();
  const payment = await hub.open(order.id, method);
  hub.gateway.pay(payment.reference);
  await hub.notify(payment.reference, "paid");
  await hub.settle();
  return payment;
}

const refund = (hub: DrivenHub, payment_id: string, amount?: bigint): Promise<RefundRow> =>
  createRefund(hub.hub, hub.shop_id, payment_id, { amount }, "test", async () => {});
const rows = (hub: DrivenHub): Promise<RefundRow[]> => hub.store.read((db) => db.selectFrom("refunds").selectAll().orderBy("id").execute());
const outcome = (done: Promise<RefundRow>): Promise<string> =>
  done.then(
    (row) => row.status,
    (error: unknown) => (error instanceof LunasError ? error.code : Promise.reject(error)),
  );

describe.each(ENGINES)("refunds on %s", (engine) => {
  let hub: DrivenHub;
  afterEach(() => hub.close());

  test("ten full refunds at once: one goes out, the others are refused (F16)", async () => {
    hub = await driveHub(engine);
    const payment = await paid(hub);
    const outcomes = await Promise.all(Array.from({ length: 10 }, () => outcome(refund(hub, payment.id))));
    expect(outcomes.filter((one) => one === "succeeded")).toHaveLength(1);
    // Which of the two it is depends on whether the hub has already heard that all of it went back.
    for (const refused of outcomes.filter((one) => one !== "succeeded")) expect(["refund_too_large", "wrong_state"]).toContain(refused);
    expect(hub.gateway.transactions.get(payment.reference)!.refunds).toHaveLength(1);
  });

  test("a refund without a clear answer is sent again under the same key and goes out once (F16)", async () => {
    hub = await driveHub(engine);
    const payment = await paid(hub);
    hub.gateway.next("refund", { unclear: "did_it" });
    expect(await outcome(refund(hub, payment.id, 1_000_000n))).toBe("unknown");
    await hub.advance(2 * HOUR);
    expect(await rows(hub)).toMatchObject([{ status: "succeeded", amount: 1_000_000n }]);
    expect(hub.gateway.transactions.get(payment.reference)!.refunds).toHaveLength(1);
    expect(await hub.payment(payment.id)).toMatchObject({ status: "partially_refunded", refunded: 1_000_000n });
  });

  test("the sum of refunds never exceeds what was collected", async () => {
    hub = await driveHub(engine);
    const payment = await paid(hub);
    expect(await outcome(refund(hub, payment.id, 4_000_000n))).toBe("succeeded");
    expect(await outcome(refund(hub, payment.id, 500_000n))).toBe("refund_too_large");
    expect(await outcome(refund(hub, payment.id))).toBe("succeeded");
    await hub.settle();
    expect(await hub.payment(payment.id)).toMatchObject({ status: "refunded", refunded: 4_400_000n });
    expect((await hub.orderRow(payment.order_id)).payment_status).toBe("refunded");
  });

  test("a refund that the bank refuses fails, and the payment stays paid", async () => {
    hub = await driveHub(engine);
    const payment = await paid(hub);
    hub.gateway.refundStatus = "refused";
    expect(await outcome(refund(hub, payment.id, 1_000_000n))).toBe("failed");
    await hub.settle();
    expect(await hub.payment(payment.id)).toMatchObject({ status: "paid", refunded: 0n });
    hub.gateway.refundStatus = "confirmed";
    expect(await outcome(refund(hub, payment.id))).toBe("succeeded");
  });

  test("an accepted refund is submitted, then succeeded when the bank confirms, with one event each", async () => {
    hub = await driveHub(engine);
    const payment = await paid(hub);
    hub.gateway.refundStatus = "accepted";
    const row = await refund(hub, payment.id, 1_000_000n);
    expect(row.status).toBe("submitted");
    const transaction = hub.gateway.transactions.get(payment.reference)!;
    transaction.refunds[0] = { ...transaction.refunds[0]!, status: "confirmed" };
    await hub.notify(payment.reference, "partially_refunded");
    await hub.notify(payment.reference, "partially_refunded");
    await hub.settle();
    expect(await hub.events(row.id)).toEqual(["refund.submitted#1", "refund.succeeded#2"]);
  });

  test("a refund made in the gateway's own dashboard is adopted and counts", async () => {
    hub = await driveHub(engine);
    const payment = await paid(hub);
    const transaction = hub.gateway.transactions.get(payment.reference)!;
    transaction.refunds.push({ key: "from-the-dashboard", provider_id: "d-1", amount: 4_000_000n, status: "confirmed" });
    transaction.refunded = 4_000_000n;
    await hub.notify(payment.reference, "partially_refunded");
    await hub.settle();
    expect(await rows(hub)).toMatchObject([{ origin: "provider", status: "succeeded", amount: 4_000_000n }]);
    expect(await outcome(refund(hub, payment.id, 1_000_000n))).toBe("refund_too_large");
  });

  test("a method without a refund call gets a manual one, which a person closes with proof and which then counts", async () => {
    hub = await driveHub(engine);
    const payment = await paid(hub, "bca_va");
    const row = await refund(hub, payment.id);
    expect(row.status).toBe("manual");
    expect(hub.gateway.count("refund")).toBe(0);
    await closeManualRefund(hub.hub, hub.shop_id, row.id, "succeeded", "transfer 4711 of 21 Nov");
    expect(await hub.payment(payment.id)).toMatchObject({ status: "refunded", refunded: 4_400_000n });
    expect((await hub.orderRow(payment.order_id)).payment_status).toBe("refunded");
    await hub.advance(25 * HOUR);
    expect((await hub.payment(payment.id)).status).toBe("refunded");
  });

  test("a refund nobody gives an answer to is handed to a person after all its questions", async () => {
    hub = await driveHub(engine);
    const payment = await paid(hub);
    for (let i = 0; i < 20; i += 1) hub.gateway.next("refund", { unclear: "did_nothing" });
    const row = await refund(hub, payment.id);
    for (let day = 0; day < 12; day += 1) await hub.advance(25 * HOUR);
    const [left] = await rows(hub);
    expect(left).toMatchObject({ id: row.id, status: "manual" });
    expect(left!.needs_attention).toContain("close it with proof");
  });
});
