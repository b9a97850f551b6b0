import { DAY_MS, type Gateway, type GatewayContext, type HttpResult, type Outcome, type Provider } from "@lunas/domain";
import { afterEach, describe, expect, test } from "vitest";
import { PRIORITY } from "../store/jobs.ts";
import { type DrivenHub, driveHub, ENGINES } from "../testing/drive.ts";
import { accountById } from "./accounts.ts";
import { askGateway } from "./ask.ts";
import { MeteredHttp, takeCall } from "./budget.ts";
import { closePayment } from "./payments.ts";
import { createRefund, trySendRefund } from "./refunds.ts";
import type { PaymentRow } from "./rows.ts";

const OK: HttpResult = { ok: true, status: 200, headers: {}, body: new Uint8Array(), elapsed_ms: 1 };

/** Each operation of it takes this many calls; where one cannot be made, it is unclear what came of it. */
function chatty(provider: Provider, calls: number): Provider {
  const talk = async <T>(context: GatewayContext<unknown>, act: () => Promise<Outcome<T>>): Promise<Outcome<T>> => {
    for (let call = 0; call < calls; call += 1) {
      const result = await context.http({ method: "GET", url: "https://fake.invalid/", headers: {}, timeout_ms: 1_000 });
      if (!result.ok) return { certainty: "unknown", reason: result.message, exchanges: [] };
    }
    return act();
  };
  const wrap = (context: GatewayContext<unknown>): Gateway => {
    const inner = provider.gateway(context);
    return {
      open: (intent) => talk(context, () => inner.open(intent)),
      get: (subject) => talk(context, () => inner.get(subject)),
      cancel: (subject) => talk(context, () => inner.cancel(subject)),
      expire: (subject) => talk(context, () => inner.expire(subject)),
      refund: (intent) => talk(context, () => inner.refund(intent)),
      getRefund: (intent) => talk(context, () => inner.getRefund(intent)),
    };
  };
  return { ...provider, gateway: wrap };
}

describe.each(ENGINES)("the call budget of an account, on %s", (engine) => {
  let hub: DrivenHub;
  afterEach(() => hub.close());

  /** A payment at a gateway that takes three calls for everything, with so many left on a budget of one a second. */
  async function withCallsLeft(left: number, paid = false): Promise<PaymentRow> {
    hub = await driveHub(engine, { http: async () => OK });
    const payment = await hub.open((await hub.order()).id);
    if (paid) {
      hub.gateway.pay(payment.reference);
      await askGateway(hub.hub, payment.id, "get", "test", PRIORITY.money);
    }
    const provider = { ...chatty(hub.gateway.provider, 3), budget: { per_second: 1, burst: 10 } };
    (hub.hub.providers as Map<string, Provider>).set(provider.name, provider);
    await hub.store.write((tx) =>
      tx
        .updateTable("budgets")
        .set({ tokens_milli: left * 1_000, refilled_at: hub.clock.now() })
        .execute(),
    );
    return hub.payment(payment.id);
  }
  const left = async (): Promise<number> =>
    (await hub.store.read((db) => db.selectFrom("budgets").select("tokens_milli").executeTakeFirstOrThrow())).tokens_milli / 1_000;
  const used = async (): Promise<number> =>
    (await hub.store.read((db) => db.selectFrom("budgets").select("used_today").executeTakeFirstOrThrow())).used_today;

  test("counts calls, not operations: a question that takes three costs three", async () => {
    const payment = await withCallsLeft(10);
    expect(await askGateway(hub.hub, payment.id, "get", "test", PRIORITY.poll)).toMatchObject({ asked: true, outcome: { certainty: "did" } });
    expect(hub.requests).toHaveLength(3);
    expect(await left()).toBe(7);
  });

  test("is not gone beyond: what it does not allow is not sent, the payment shows until when it waits, and is asked about then", async () => {
    const payment = await withCallsLeft(2);
    hub.gateway.pay(payment.reference);
    const asked = await askGateway(hub.hub, payment.id, "get", "test", PRIORITY.money);
    expect(asked).toMatchObject({ asked: true, outcome: { certainty: "unknown" }, waiting_until: hub.clock.now() + 1_000 });
    expect(hub.requests).toHaveLength(2);
    expect(await left()).toBe(0);
    expect(await hub.payment(payment.id)).toMatchObject({ status: "pending", waiting_for_quota_until: hub.clock.now() + 1_000 });
    hub.clock.advance(9_000);
    await askGateway(hub.hub, payment.id, "get", "test", PRIORITY.money);
    expect(await hub.payment(payment.id)).toMatchObject({ status: "paid", waiting_for_quota_until: null });
  });

  test("leaves money its share, also from the further calls of a question that has begun", async () => {
    const payment = await withCallsLeft(5);
    await hub.store.write((tx) => tx.updateTable("budgets").set({ tokens_milli: 3_500, refilled_at: hub.clock.now() }).execute());
    // A buyer's question leaves two to the more urgent; once begun it leaves one, for money.
    expect(await askGateway(hub.hub, payment.id, "get", "test", PRIORITY.buyer)).toMatchObject({ waiting_until: expect.any(Number) });
    expect(hub.requests).toHaveLength(2);
    expect(await left()).toBe(1.5);
  });

  test("gives an opening that goes on both calls that it needs, or none: where many compete, none would come to an end otherwise (found by chaos: a budget spent on first calls only)", async () => {
    const payment = await withCallsLeft(10);
    const provider = { ...chatty(hub.gateway.provider, 2), budget: { per_second: 1, burst: 10 } };
    (hub.hub.providers as Map<string, Provider>).set(provider.name, provider);
    await hub.store.write((tx) => tx.updateTable("payments").set({ status: "submitted", wanted: "open", opening_until: null }).execute());
    await hub.store.write((tx) => tx.updateTable("budgets").set({ tokens_milli: 1_000, refilled_at: hub.clock.now() }).execute());
    expect(await askGateway(hub.hub, payment.id, "continue", "test", PRIORITY.money)).toMatchObject({ asked: false });
    expect(await left()).toBe(1);
    hub.clock.advance(1_000);
    expect(await askGateway(hub.hub, payment.id, "continue", "test", PRIORITY.money)).toMatchObject({ asked: true });
    expect(await left()).toBe(0);
    expect(hub.requests).toHaveLength(2);
  });

  test("allows also what is more than it can ever hold, and nothing else until that is made good", async () => {
    const payment = await withCallsLeft(10);
    const provider = { ...chatty(hub.gateway.provider, 2), budget: { per_second: 1, burst: 1 } };
    (hub.hub.providers as Map<string, Provider>).set(provider.name, provider);
    await hub.store.write((tx) => tx.updateTable("payments").set({ status: "submitted", wanted: "open", opening_until: null }).execute());
    expect(await askGateway(hub.hub, payment.id, "continue", "test", PRIORITY.unverified)).toMatchObject({ asked: true });
    expect(hub.requests).toHaveLength(2);
    expect(await askGateway(hub.hub, payment.id, "get", "test", PRIORITY.money)).toMatchObject({
      asked: false,
      waiting_until: hub.clock.now() + 2_000,
    });
  });

  test("gets back what was taken for an opening and not sent", async () => {
    const payment = await withCallsLeft(10);
    const provider = { ...chatty(hub.gateway.provider, 1), budget: { per_second: 1, burst: 10, per_day: 100 } };
    (hub.hub.providers as Map<string, Provider>).set(provider.name, provider);
    await hub.store.write((tx) => tx.updateTable("payments").set({ status: "submitted", wanted: "open", opening_until: null }).execute());
    const before = await used();
    expect(await askGateway(hub.hub, payment.id, "continue", "test", PRIORITY.money)).toMatchObject({ asked: true });
    expect(hub.requests).toHaveLength(1);
    expect(await left()).toBe(9);
    expect(await used()).toBe(before + 1);
  });

  test("gets back what many give back at once, each of them once; what was taken yesterday is not counted today", async () => {
    const payment = await withCallsLeft(10);
    const account = await accountById(hub.hub, payment.account_id);
    const before = await used();
    const take = async (): Promise<MeteredHttp> => {
      expect(await takeCall(hub.hub, account, PRIORITY.money, 2)).toEqual({ granted: true });
      return new MeteredHttp(hub.hub, account, PRIORITY.money, 2);
    };
    const networks = await Promise.all(Array.from({ length: 5 }, take));
    expect([await left(), await used()]).toEqual([0, before + 10]);
    await Promise.all([...networks, ...networks].map((one) => one.giveBack()));
    expect([await left(), await used()]).toEqual([10, before]);
    const late = await take();
    hub.clock.advance(DAY_MS);
    await late.giveBack();
    expect(await used()).toBe(0);
  });

  test("that ends half-way through a cancel leaves the wish, which the payment's job fulfils when there are calls again", async () => {
    const payment = await withCallsLeft(2);
    const closed = await closePayment(hub.hub, payment.id, "cancel", "test", PRIORITY.money);
    expect(closed.payment).toMatchObject({ status: "pending", wanted: "cancel" });
    expect((await hub.payment(payment.id)).waiting_for_quota_until).toBeGreaterThan(hub.clock.now());
    await hub.advance(60_000);
    expect(await hub.payment(payment.id)).toMatchObject({ status: "canceled", wanted: null });
  });

  test("that ends half-way through a refund shows it as waiting, and it is sent under the same key then", async () => {
    const payment = await withCallsLeft(2, true);
    const refund = await createRefund(hub.hub, hub.shop_id, payment.id, {}, "test", async () => {});
    expect(refund).toMatchObject({ status: "unknown", waiting_for_quota_until: hub.clock.now() + 1_000 });
    hub.clock.advance(9_000);
    expect((await trySendRefund(hub.hub, refund.id, "test")).refund).toMatchObject({ status: "succeeded", waiting_for_quota_until: null });
    expect(hub.gateway.transactions.get(payment.reference)!.refunds).toHaveLength(1);
  });
});
