import { afterEach, describe, expect, test } from "vitest";
import { acknowledge } from "../collect/attention.ts";
import { askGateway } from "../collect/ask.ts";
import { closePayment } from "../collect/payments.ts";
import { type DrivenHub, driveHub, ENGINES } from "../testing/drive.ts";

const SECOND = 1_000;
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const GAPS = [5 * SECOND, 30 * SECOND, 2 * MINUTE, 10 * MINUTE];

describe.each(ENGINES)("what a verified notification says, until an answer says it too, on %s", (engine) => {
  let hub: DrivenHub;
  afterEach(() => hub.close());

  test("a later notification that says less does not make it forgotten", async () => {
    hub = await driveHub(engine);
    const payment = await hub.open((await hub.order()).id);
    await closePayment(hub.hub, payment.id, "cancel", "test", 0);
    await hub.notify(payment.reference, "paid");
    await hub.settle();
    await hub.notify(payment.reference, "pending");
    await hub.settle();
    for (const gap of GAPS) await hub.advance(gap);
    expect(await hub.payment(payment.id)).toMatchObject({ status: "canceled", flags: ["unconfirmed"] });
  });

  test("a command in between does not make it forgotten", async () => {
    hub = await driveHub(engine);
    const payment = await hub.open((await hub.order()).id, "bca_va");
    await hub.notify(payment.reference, "paid");
    await hub.settle();
    hub.gateway.next("cancel", { unclear: "did_nothing" });
    await closePayment(hub.hub, payment.id, "cancel", "test", 0);
    for (const gap of GAPS) await hub.advance(gap);
    hub.gateway.pay(payment.reference);
    await hub.advance(MINUTE);
    expect((await hub.events(payment.id)).filter((event) => event.startsWith("payment.unconfirmed"))).toHaveLength(1);
  });

  test("repetitions do not put off the day on which a person is told", async () => {
    hub = await driveHub(engine);
    const payment = await hub.open((await hub.order()).id, "bca_va");
    for (let minute = 0; minute < 20; minute += 1) {
      await hub.notify(payment.reference, "paid");
      await hub.advance(MINUTE);
    }
    expect((await hub.payment(payment.id)).flags).toEqual(["unconfirmed"]);
    expect(await hub.events(payment.id)).toEqual(["payment.pending#1", "payment.unconfirmed#2"]);
  });

  test("a doubt that anyone's question raised is cleared up by another, also when nothing more was planned", async () => {
    hub = await driveHub(engine);
    const payment = await hub.open((await hub.order()).id, "bca_va");
    hub.gateway.pay(payment.reference);
    await hub.notify(payment.reference, "paid");
    await hub.settle();
    for (let day = 0; day < 4; day += 1) await hub.advance(DAY);
    hub.gateway.set(payment.reference, "failed");
    await askGateway(hub.hub, payment.id, "get", "api", 2);
    expect((await hub.payment(payment.id)).status).toBe("paid");
    await hub.advance(MINUTE);
    expect(await hub.payment(payment.id)).toMatchObject({ status: "reversed", reversed: 4_400_000n });
  });

  test("where the gateway surely has no such payment the claim is told to a person, not followed for ever", async () => {
    hub = await driveHub(engine);
    hub.gateway.next("open", { refuse: { code: "invalid", message: "no" } });
    const order = await hub.order();
    expect(await hub.openRefused(order.id)).toBe("gateway_refused");
    const [payment] = await hub.store.read((db) => db.selectFrom("payments").selectAll().execute());
    await hub.notify(payment!.reference, "paid");
    await hub.settle();
    for (const gap of GAPS) await hub.advance(gap);
    expect(await hub.payment(payment!.id)).toMatchObject({ status: "failed", flags: ["unconfirmed"] });
    const asked = hub.gateway.count("get");
    for (let day = 0; day < 10; day += 1) await hub.advance(DAY);
    expect(hub.gateway.count("get") - asked).toBeLessThan(10);
  });

  test("a payment that is over is not asked about for ever when its gateway is gone", async () => {
    hub = await driveHub(engine);
    const payment = await hub.open((await hub.order()).id);
    await closePayment(hub.hub, payment.id, "cancel", "test", 0);
    for (let i = 0; i < 1_000; i += 1) hub.gateway.next("get", { unclear: "did_nothing" });
    for (let half = 0; half < 150; half += 1) await hub.advance(30 * MINUTE);
    const asked = hub.gateway.count("get");
    for (let half = 0; half < 50; half += 1) await hub.advance(30 * MINUTE);
    expect(hub.gateway.count("get")).toBe(asked);
  });

  test("a single forged word does not hold a paid payment back for ever: the gateway's later answers outlast it", async () => {
    hub = await driveHub(engine);
    const payment = await hub.open((await hub.order()).id, "bca_va");
    hub.gateway.pay(payment.reference);
    await hub.notify(payment.reference, "paid");
    await hub.settle();
    await hub.notify(payment.reference, "refunded");
    await hub.settle();
    for (const gap of GAPS) await hub.advance(gap);
    expect(await hub.payment(payment.id)).toMatchObject({ status: "paid", flags: ["unconfirmed"] });
    // The notification comes once more, and somebody asks: neither is the gateway's last word.
    await hub.notify(payment.reference, "refunded");
    await hub.settle();
    expect((await hub.payment(payment.id)).flags).toEqual(["unconfirmed"]);
    await hub.advance(60 * MINUTE);
    expect(await hub.payment(payment.id)).toMatchObject({ status: "paid", flags: [], needs_attention: null });
    const [last] = await hub.store.read((db) =>
      db.selectFrom("transitions").selectAll().where("subject_id", "=", payment.id).orderBy("sequence", "desc").execute(),
    );
    expect(last).toMatchObject({ from_status: "paid", to_status: "paid", flags: [] });
    expect(await hub.events(payment.id)).toEqual(["payment.pending#1", "payment.paid#2", "payment.unconfirmed#3"]);
  });

  test("a person who has looked ends it at once", async () => {
    hub = await driveHub(engine);
    const payment = await hub.open((await hub.order()).id, "bca_va");
    await hub.notify(payment.reference, "paid");
    await hub.settle();
    for (const gap of GAPS) await hub.advance(gap);
    await acknowledge(hub.hub, payment.id, "the dashboard says it is open");
    expect(await hub.payment(payment.id)).toMatchObject({ status: "pending", flags: [], needs_attention: null });
    await expect(acknowledge(hub.hub, payment.id, "again")).rejects.toMatchObject({ code: "wrong_state" });
  });
});
