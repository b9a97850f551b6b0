import { afterEach, describe, expect, test } from "vitest";
import type { PaymentRow } from "../collect/rows.ts";
import { type DrivenHub, driveHub, ENGINES } from "../testing/drive.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const PART = 1_000_000n;

describe.each(ENGINES)("what a notification says of refunds, on %s", (engine) => {
  let hub: DrivenHub;
  afterEach(() => hub.close());

  async function paid(): Promise<PaymentRow> {
    hub = await driveHub(engine);
    const payment = await hub.open((await hub.order()).id);
    hub.gateway.pay(payment.reference);
    await hub.notify(payment.reference, "paid");
    await hub.settle();
    return payment;
  }
  const say = async (payment: PaymentRow, refunded: bigint, confirmed = 0n): Promise<void> => {
    const more = { refunded: Number(refunded), confirmed: Number(confirmed) };
    await hub.notify(payment.reference, "partially_refunded", undefined, more);
    await hub.settle();
  };
  const refunds = () => hub.store.read((db) => db.selectFrom("refunds").select(["amount", "status"]).orderBy("created_at").execute());

  test("a second refund in part, which the answer does not know yet, is asked for until it does", async () => {
    const payment = await paid();
    hub.gateway.refundThere(payment.reference, PART);
    await say(payment, PART, PART);
    expect(await hub.payment(payment.id)).toMatchObject({ status: "partially_refunded", refunded: PART });
    await say(payment, 2n * PART, 2n * PART);
    expect((await hub.payment(payment.id)).refunded).toBe(PART);
    hub.gateway.refundThere(payment.reference, PART);
    await hub.advance(5 * SECOND);
    expect(await hub.payment(payment.id)).toMatchObject({ status: "partially_refunded", refunded: 2n * PART, flags: [] });
    const asked = hub.gateway.count("get");
    await hub.advance(MINUTE);
    expect(hub.gateway.count("get")).toBe(asked);
  });

  test("that the bank has confirmed a refund, which has no status of its own, is asked for until the answer says it", async () => {
    const payment = await paid();
    hub.gateway.refundThere(payment.reference, PART, "accepted");
    await say(payment, PART);
    expect(await refunds()).toEqual([{ amount: PART, status: "submitted" }]);
    await say(payment, PART, PART);
    expect(await refunds()).toEqual([{ amount: PART, status: "submitted" }]);
    hub.gateway.confirmRefunds(payment.reference);
    await hub.advance(5 * SECOND);
    expect(await refunds()).toEqual([{ amount: PART, status: "succeeded" }]);
  });

  test("an earlier one that comes late does not make a later one forgotten", async () => {
    const payment = await paid();
    await say(payment, 2n * PART);
    await say(payment, PART);
    hub.gateway.refundThere(payment.reference, PART);
    await hub.advance(5 * SECOND);
    hub.gateway.refundThere(payment.reference, PART);
    await hub.advance(30 * SECOND);
    expect((await hub.payment(payment.id)).refunded).toBe(2n * PART);
  });

  test("what no answer ever confirms is told to a person, and ends when one says it after all", async () => {
    const payment = await paid();
    await say(payment, PART);
    for (const gap of [5 * SECOND, 30 * SECOND, 2 * MINUTE, 10 * MINUTE]) await hub.advance(gap);
    expect(await hub.payment(payment.id)).toMatchObject({ status: "paid", flags: ["unconfirmed"] });
    expect((await hub.payment(payment.id)).needs_attention).toContain("partially_refunded");
    hub.gateway.refundThere(payment.reference, PART);
    await hub.advance(60 * MINUTE);
    expect(await hub.payment(payment.id)).toMatchObject({ status: "partially_refunded", flags: [], needs_attention: null });
  });

  test.each(["rate_limited", "unauthorized"] as const)(
    "a question that ends in %s is asked again soon, and no sooner than the gateway wants",
    async (code) => {
      const payment = await paid();
      for (let day = 0; day < 3; day += 1) await hub.advance(24 * 60 * MINUTE);
      hub.gateway.refundThere(payment.reference, PART);
      const refuse = { code, message: "not now", retry_after_s: 40 };
      hub.gateway.next("get", { refuse });
      await hub.notify(payment.reference, "paid");
      await hub.settle();
      await hub.advance(39 * SECOND);
      expect((await hub.payment(payment.id)).refunded).toBe(0n);
      await hub.advance(2 * SECOND);
      expect((await hub.payment(payment.id)).refunded).toBe(PART);
    },
  );
});
