import { LunasError } from "@lunas/domain";
import { afterEach, describe, expect, test } from "vitest";
import { type DrivenHub, driveHub, ENGINES } from "../testing/drive.ts";
import { closeManualRefund, createRefund } from "./refunds.ts";
import type { PaymentRow, RefundRow } from "./rows.ts";

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

async function paid(hub: DrivenHub, method = "gopay"): Promise<PaymentRow> {
  const payment = await hub.open((await hub.order()).id, method);
  hub.gateway.pay(payment.reference);
  await hub.notify(payment.reference, "paid");
  await hub.settle();
  return payment;
}

const refund = (hub: DrivenHub, payment_id: string, amount?: bigint): Promise<RefundRow> =>
  createRefund(hub.hub, hub.shop_id, payment_id, { amount }, "test", async () => {});
const rows = (hub: DrivenHub): Promise<RefundRow[]> => hub.store.read((db) => db.selectFrom("refunds").selectAll().orderBy("id").execute());

describe.each(ENGINES)("refunds that could go out twice or count twice on %s", (engine) => {
  let hub: DrivenHub;
  afterEach(() => hub.close());

  test("a refund that was refused is never sent again by itself", async () => {
    hub = await driveHub(engine);
    const payment = await paid(hub);
    hub.gateway.next("refund", { refuse: { code: "declined", message: "the bank said no" } });
    const row = await refund(hub, payment.id, 1_000_000n);
    expect(row.status).toBe("failed");
    await hub.advance(2 * DAY);
    expect(hub.gateway.count("refund")).toBe(1);
    expect(hub.gateway.transactions.get(payment.reference)).toMatchObject({ refunded: 0n });
    expect(await hub.events(row.id)).toEqual(["refund.failed#1"]);
  });

  test("a refund with a final answer costs no more calls", async () => {
    hub = await driveHub(engine);
    const payment = await paid(hub);
    const row = await refund(hub, payment.id, 1_000_000n);
    expect(row.status).toBe("succeeded");
    await hub.advance(2 * MINUTE);
    expect([hub.gateway.count("refund"), hub.gateway.count("getRefund")]).toEqual([1, 0]);
  });

  test("a refund that the gateway accepted and a person closed counts once", async () => {
    hub = await driveHub(engine);
    const payment = await paid(hub);
    hub.gateway.refundStatus = "accepted";
    const row = await refund(hub, payment.id, 1_000_000n);
    for (let day = 0; day < 14; day += 1) await hub.advance(DAY + MINUTE);
    expect(await rows(hub)).toMatchObject([{ id: row.id, status: "manual" }]);
    expect(await hub.payment(payment.id)).toMatchObject({ refunded: 1_000_000n });
    await closeManualRefund(hub.hub, hub.shop_id, row.id, "succeeded", "the gateway's report of today");
    expect(await hub.payment(payment.id)).toMatchObject({ status: "partially_refunded", refunded: 1_000_000n });
    await hub.notify(payment.reference, "partially_refunded");
    await hub.settle();
    expect(await hub.payment(payment.id)).toMatchObject({ status: "partially_refunded", refunded: 1_000_000n });
    expect(await hub.orderRow(payment.order_id)).toMatchObject({ amount_refunded: 1_000_000n });
  });

  test("a refund that a person closed and the gateway tells of afterwards counts once", async () => {
    hub = await driveHub(engine);
    const payment = await paid(hub);
    for (let i = 0; i < 20; i += 1) hub.gateway.next("refund", { unclear: "did_nothing" });
    const row = await refund(hub, payment.id, 1_000_000n);
    for (let day = 0; day < 12; day += 1) await hub.advance(DAY + MINUTE);
    await closeManualRefund(hub.hub, hub.shop_id, row.id, "succeeded", "seen at the gateway");
    const transaction = hub.gateway.transactions.get(payment.reference)!;
    transaction.refunds.push({ key: row.provider_key, provider_id: "late-1", amount: 1_000_000n, status: "confirmed" });
    transaction.refunded = 1_000_000n;
    await hub.notify(payment.reference, "partially_refunded");
    await hub.settle();
    await hub.notify(payment.reference, "refunded");
    await hub.settle();
    expect(await hub.payment(payment.id)).toMatchObject({ status: "partially_refunded", refunded: 1_000_000n });
  });

  test("a restored hub goes on with the refund that it had sent: the same again is the same one, another amount is another", async () => {
    hub = await driveHub(engine);
    const payment = await paid(hub);
    const lost = await refund(hub, payment.id, 1_000_000n);
    // What a restore from an older copy does: the gateway has the refund, the database does not.
    await hub.store.write(async (tx) => {
      await tx.deleteFrom("refunds").execute();
      await tx.deleteFrom("transitions").where("subject_id", "=", lost.id).execute();
      await tx.deleteFrom("events").where("subject_id", "=", lost.id).execute();
      await tx.deleteFrom("jobs").where("kind", "=", "refund").execute();
    });
    await hub.settle();
    await hub.notify(payment.reference, "partially_refunded");
    await hub.settle();
    expect(await rows(hub)).toMatchObject([{ origin: "provider", provider_key: lost.provider_key, status: "succeeded" }]);
    const again = await refund(hub, payment.id, 1_000_000n);
    expect(again).toMatchObject({ provider_key: lost.provider_key, status: "succeeded", origin: "api" });
    expect(hub.gateway.transactions.get(payment.reference)!.refunds).toHaveLength(1);
    const other = await refund(hub, payment.id, 500_000n);
    expect(other.status).toBe("succeeded");
    expect(other.provider_key).not.toBe(lost.provider_key);
    expect(hub.gateway.transactions.get(payment.reference)).toMatchObject({ refunded: 1_500_000n });
  });

  test("a restored hub whose refund differs from the one that stands under its key says so and counts what went out", async () => {
    hub = await driveHub(engine);
    const payment = await paid(hub);
    const lost = await refund(hub, payment.id, 1_000_000n);
    await hub.settle();
    await hub.store.write(async (tx) => {
      await tx.deleteFrom("refunds").execute();
      await tx.deleteFrom("jobs").where("kind", "=", "refund").execute();
      await tx.updateTable("payments").set({ status: "paid", refunded: 0n }).execute();
    });
    const row = await refund(hub, payment.id, 400_000n);
    expect(row).toMatchObject({ provider_key: lost.provider_key, status: "succeeded", amount: 1_000_000n });
    expect(row.needs_attention).toContain("another amount");
  });

  test("all that is left may be asked back once, also while an earlier part is on its way", async () => {
    hub = await driveHub(engine);
    const payment = await paid(hub);
    hub.gateway.next("refund", { unclear: "did_nothing" });
    await refund(hub, payment.id, 1_000_000n);
    expect(await refund(hub, payment.id)).toMatchObject({ amount: 3_400_000n });
    const refused = await refund(hub, payment.id, 1n).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(LunasError);
    expect((refused as LunasError).code).toMatch(/refund_too_large|wrong_state/);
  });
});
