import { afterEach, describe, expect, test } from "vitest";
import { acknowledge } from "../collect/attention.ts";
import { askGateway } from "../collect/ask.ts";
import type { PaymentRow } from "../collect/rows.ts";
import { createRefund } from "../collect/refunds.ts";
import { type DrivenHub, driveHub, ENGINES } from "../testing/drive.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const ALL = 4_400_000n;

describe.each(ENGINES)("several transactions under one reference, on %s", (engine) => {
  let hub: DrivenHub;
  afterEach(() => hub.close());

  const unmatched = () => hub.store.read((db) => db.selectFrom("unmatched_money").selectAll().orderBy("provider_id").execute());
  const moneyEvents = () => hub.store.read((db) => db.selectFrom("events").select("type").where("type", "=", "money.unmatched").execute());
  const say = async (reference: string, provider_id: string, status: "pending" | "paid" | "failed"): Promise<void> => {
    await hub.notify(reference, status, undefined, { provider_id });
    await hub.settle();
  };

  /** A hosted page on which the first attempt was denied and a second one is open. */
  async function triedTwice(): Promise<{ payment: PaymentRow; first: string; second: string }> {
    hub = await driveHub(engine);
    const payment = await hub.open((await hub.order()).id, "snap");
    const { reference } = payment;
    const first = hub.gateway.transactions.get(reference)!.provider_id;
    hub.gateway.set(reference, "failed");
    await say(reference, first, "failed");
    const second = hub.gateway.again(reference).provider_id;
    await say(reference, second, "pending");
    expect(await hub.payment(payment.id)).toMatchObject({ status: "pending", provider_id: second });
    return { payment, first, second };
  }

  test("the denied attempt is paid after all while another one is open: it is the payment's money", async () => {
    const { payment, first } = await triedTwice();
    hub.gateway.pay(first);
    await say(payment.reference, first, "paid");
    expect(await hub.payment(payment.id)).toMatchObject({ status: "paid", provider_id: first, collected: ALL, needs_attention: null });
    expect(await unmatched()).toEqual([]);
  });

  test("the same is found by the planned questions when every notification of it was lost", async () => {
    const { payment, first } = await triedTwice();
    hub.gateway.pay(first);
    await hub.advance(2 * HOUR);
    expect(await hub.payment(payment.id)).toMatchObject({ status: "paid", provider_id: first });
  });

  test("the denied attempt is paid after the other one was: it becomes unmatched money, is told once, and a person is called", async () => {
    const { payment, first, second } = await triedTwice();
    hub.gateway.pay(second);
    await say(payment.reference, second, "paid");
    hub.gateway.pay(first);
    await say(payment.reference, first, "paid");
    for (let day = 0; day < 3; day += 1) await hub.advance(DAY);
    expect(await hub.payment(payment.id)).toMatchObject({ status: "paid", provider_id: second, collected: ALL, flags: [] });
    expect((await hub.payment(payment.id)).needs_attention).toContain(first);
    expect(await unmatched()).toMatchObject([{ reference: payment.reference, provider_id: first, amount: ALL, payment_id: null, status: "paid" }]);
    expect(await moneyEvents()).toHaveLength(1);
  });

  test("both are paid before anybody asks: one is the payment's money, the other one is told", async () => {
    const { payment, first, second } = await triedTwice();
    for (const id of [first, second]) hub.gateway.pay(id);
    for (const id of [first, second]) await hub.notify(payment.reference, "paid", undefined, { provider_id: id });
    await hub.settle();
    const { provider_id } = await hub.payment(payment.id);
    expect([first, second]).toContain(provider_id);
    expect(await unmatched()).toMatchObject([{ provider_id: provider_id === first ? second : first, amount: ALL }]);
  });

  test("what one transaction's notification claims is not forgotten when another one's is confirmed and the answer about the first lags", async () => {
    const { payment, first, second } = await triedTwice();
    hub.gateway.pay(second);
    for (const id of [first, second]) await hub.notify(payment.reference, "paid", undefined, { provider_id: id });
    await hub.settle();
    expect(await hub.payment(payment.id)).toMatchObject({ status: "paid", provider_id: second });
    hub.gateway.pay(first);
    await hub.advance(5 * SECOND);
    expect(await unmatched()).toMatchObject([{ provider_id: first }]);
  });

  test("a Core reference that was freed and used again is asked about by the id that its notification names", async () => {
    hub = await driveHub(engine);
    const payment = await hub.open((await hub.order()).id, "bca_va");
    hub.gateway.pay(payment.reference);
    await hub.notify(payment.reference, "paid");
    await hub.settle();
    const again = hub.gateway.again(payment.reference).provider_id;
    hub.gateway.pay(again);
    await say(payment.reference, again, "paid");
    expect(await unmatched()).toMatchObject([{ provider_id: again, amount: ALL }]);
    expect((await hub.payment(payment.id)).needs_attention).toContain(again);
  });

  test("an id that is another order's moves nothing, and a person hears of the claim once", async () => {
    hub = await driveHub(engine);
    const payment = await hub.open((await hub.order()).id, "bca_va");
    const other = await hub.open((await hub.order()).id, "bca_va");
    hub.gateway.pay(other.reference);
    await say(payment.reference, hub.gateway.transactions.get(other.reference)!.provider_id, "paid");
    for (const gap of [5 * SECOND, 30 * SECOND, 2 * MINUTE, 10 * MINUTE]) await hub.advance(gap);
    expect(await hub.payment(payment.id)).toMatchObject({ status: "pending", flags: ["unconfirmed"], collected: 0n });
    expect(await unmatched()).toEqual([]);
    await hub.advance(5 * HOUR);
    expect(await hub.payment(payment.id)).toMatchObject({ status: "pending", flags: [], needs_attention: null });
  });

  test("all of it was taken back and the buyer pays again on the same page: the order is paid again", async () => {
    hub = await driveHub(engine);
    const order = await hub.order();
    const payment = await hub.open(order.id, "snap");
    hub.gateway.pay(payment.reference);
    await hub.notify(payment.reference, "paid");
    await hub.settle();
    hub.gateway.set(payment.reference, "failed");
    await hub.notify(payment.reference, "failed");
    await hub.settle();
    await hub.advance(31 * SECOND);
    expect(await hub.payment(payment.id)).toMatchObject({ status: "reversed", reversed: ALL });
    const again = hub.gateway.again(payment.reference).provider_id;
    await say(payment.reference, again, "pending");
    hub.gateway.pay(again);
    await say(payment.reference, again, "paid");
    expect(await hub.payment(payment.id)).toMatchObject({ status: "paid", provider_id: again, collected: ALL, reversed: 0n });
    expect(await hub.orderRow(order.id)).toMatchObject({ payment_status: "paid", amount_paid: ALL, amount_reversed: 0n });
    expect(await hub.events(payment.id)).toEqual(["payment.pending#1", "payment.paid#2", "payment.reversed#3", "payment.paid#4"]);
    expect(await unmatched()).toEqual([]);
  });

  test("the same transaction is paid after it was taken back: believed when two answers say so, 30 seconds apart", async () => {
    hub = await driveHub(engine);
    const payment = await hub.open((await hub.order()).id, "bca_va");
    hub.gateway.pay(payment.reference);
    await askGateway(hub.hub, payment.id, "get", "test", 0);
    hub.gateway.set(payment.reference, "reversed");
    await askGateway(hub.hub, payment.id, "get", "test", 0);
    hub.gateway.pay(payment.reference);
    await hub.notify(payment.reference, "paid");
    await hub.settle();
    expect((await hub.payment(payment.id)).status).toBe("reversed");
    await hub.advance(31 * SECOND);
    expect(await hub.payment(payment.id)).toMatchObject({ status: "paid", collected: ALL, reversed: 0n });
  });

  test("an answer that lags behind a reversal does not bring the money back", async () => {
    hub = await driveHub(engine);
    const payment = await hub.open((await hub.order()).id, "bca_va");
    hub.gateway.pay(payment.reference);
    await askGateway(hub.hub, payment.id, "get", "test", 0);
    hub.gateway.set(payment.reference, "reversed");
    await askGateway(hub.hub, payment.id, "get", "test", 0);
    hub.gateway.pay(payment.reference);
    await askGateway(hub.hub, payment.id, "get", "test", 0);
    hub.gateway.set(payment.reference, "reversed");
    for (let minute = 0; minute < 30; minute += 1) await hub.advance(MINUTE);
    expect(await hub.events(payment.id)).toEqual(["payment.pending#1", "payment.paid#2", "payment.reversed#3"]);
    expect((await hub.payment(payment.id)).flags).toEqual([]);
  });

  test("after refunds of the first transaction another one never takes its place: its money is told beside it", async () => {
    hub = await driveHub(engine);
    const payment = await hub.open((await hub.order()).id, "snap");
    hub.gateway.pay(payment.reference);
    await askGateway(hub.hub, payment.id, "get", "test", 0);
    await createRefund(hub.hub, hub.shop_id, payment.id, { amount: 1_000_000n }, "test", async () => {});
    await hub.settle();
    hub.gateway.set(payment.reference, "reversed");
    await askGateway(hub.hub, payment.id, "get", "test", 0);
    const again = hub.gateway.again(payment.reference).provider_id;
    hub.gateway.pay(again);
    await say(payment.reference, again, "paid");
    expect(await hub.payment(payment.id)).toMatchObject({ status: "reversed", refunded: 1_000_000n, reversed: 3_400_000n });
    expect(await unmatched()).toMatchObject([{ provider_id: again, payment_id: null }]);
  });

  test("money that stood beside the payment becomes its own when its own is taken back, and is unmatched no more", async () => {
    const { payment, first, second } = await triedTwice();
    for (const id of [second, first]) {
      hub.gateway.pay(id);
      await say(payment.reference, id, "paid");
    }
    hub.gateway.set(second, "reversed");
    await askGateway(hub.hub, payment.id, "get", "test", 0);
    await hub.settle();
    expect(await hub.payment(payment.id)).toMatchObject({ status: "paid", provider_id: first, collected: ALL, reversed: 0n, needs_attention: null });
    expect(await unmatched()).toMatchObject([{ provider_id: first, payment_id: payment.id }]);
  });

  test("a person's acknowledgement ends the call for it, and the money stays on record", async () => {
    const { payment, first, second } = await triedTwice();
    for (const id of [second, first]) {
      hub.gateway.pay(id);
      await say(payment.reference, id, "paid");
    }
    await acknowledge(hub.hub, payment.id, "paid back in the dashboard");
    await hub.advance(DAY);
    expect((await hub.payment(payment.id)).needs_attention).toBeNull();
    expect(await unmatched()).toHaveLength(1);
  });

  /** Two paid transactions of a reference that the database has lost, each with its notification. */
  async function strangers(): Promise<{ reference: string; ids: string[] }> {
    hub = await driveHub(engine);
    const { reference } = await hub.open((await hub.order()).id, "snap");
    await hub.store.write(async (tx) => {
      for (const table of ["transitions", "events", "answers", "jobs", "payments"] as const) await tx.deleteFrom(table).execute();
    });
    const ids = [hub.gateway.transactions.get(reference)!.provider_id, hub.gateway.again(reference).provider_id];
    for (const provider_id of ids) {
      hub.gateway.pay(provider_id);
      await hub.notify(reference, "paid", undefined, { provider_id });
    }
    await hub.settle();
    return { reference, ids };
  }

  test("every transaction of an unknown reference is asked about by itself, and each that has money is told", async () => {
    const { ids } = await strangers();
    await hub.advance(6 * SECOND);
    expect(await unmatched()).toMatchObject(ids.map((provider_id) => ({ provider_id, amount: ALL })));
    expect(await moneyEvents()).toHaveLength(2);
  });

  test("a question of an older program, which stood for the whole reference, becomes one for each transaction", async () => {
    const { ids } = await strangers();
    await hub.store.write(async (tx) => {
      const jobs = await tx.selectFrom("jobs").selectAll().where("kind", "=", "parked").execute();
      for (const [index, { key, payload }] of jobs.entries()) {
        const { each: _each, ...old } = payload;
        if (index > 0) await tx.deleteFrom("jobs").where("key", "=", key).execute();
        else
          await tx
            .updateTable("jobs")
            .set({ key: "parked:of old", subject_id: "of old", payload: JSON.stringify(old) })
            .where("key", "=", key)
            .execute();
      }
    });
    await hub.advance(6 * SECOND);
    await hub.settle();
    expect(await unmatched()).toMatchObject(ids.map((provider_id) => ({ provider_id })));
  });

  test("when the payment of that reference appears, one of them becomes its money and the other one stays told", async () => {
    const { reference, ids } = await strangers();
    await hub.advance(6 * SECOND);
    const [order] = await hub.store.read((db) => db.selectFrom("orders").selectAll().execute());
    hub.gateway.next("open", { unclear: "did_nothing" });
    await hub.openRefused(order!.id, "snap");
    for (let minute = 0; minute < 10; minute += 1) await hub.advance(MINUTE);
    const [payment] = await hub.store.read((db) => db.selectFrom("payments").selectAll().execute());
    expect(payment).toMatchObject({ reference, status: "paid", collected: ALL });
    expect(ids).toContain(payment!.provider_id);
    expect(await unmatched()).toMatchObject(
      ids.map((provider_id) => ({ provider_id, payment_id: provider_id === payment!.provider_id ? payment!.id : null })),
    );
  });
});
