import type { Gateway, GatewayContext, Provider } from "@lunas/domain";
import { afterEach, describe, expect, test } from "vitest";
import { type DrivenHub, driveHub, ENGINES } from "../testing/drive.ts";
import { resumePayment } from "../api/resume.ts";
import { askGateway } from "./ask.ts";
import { cancelOrder } from "./close-order.ts";
import { closePayment, createPayment, openPayment } from "./payments.ts";
import type { PaymentRow } from "./rows.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function held(): { promise: Promise<void>; let_go: () => void } {
  let let_go = (): void => {};
  const promise = new Promise<void>((resolve) => (let_go = resolve));
  return { promise, let_go: () => let_go() };
}

describe.each(ENGINES)("openings that meet something else on %s", (engine) => {
  let hub: DrivenHub;
  afterEach(() => hub.close());
  const markUnusable = (payment: PaymentRow): Promise<unknown> =>
    hub.store.write(async (tx) => {
      await tx.updateTable("payments").set({ handles: '{"unusable":"true"}' }).where("id", "=", payment.id).execute();
    });
  /** From here on the hub's gateway is the fake one behind this. */
  const wrapGateway = (wrap: (gateway: Gateway) => Gateway): void => {
    const { provider } = hub.gateway;
    const wrapped = { ...provider, gateway: (context: GatewayContext<never>): Gateway => wrap(provider.gateway(context)) };
    (hub.hub.providers as Map<string, Provider>).set(provider.name, wrapped);
  };
  const payments = (): Promise<PaymentRow[]> => hub.store.read((db) => db.selectFrom("payments").selectAll().orderBy("attempt").execute());

  test("a buyer whose first payment never reached the gateway can choose another method", async () => {
    hub = await driveHub(engine);
    const order = await hub.order();
    hub.gateway.next("open", { unclear: "did_nothing" });
    expect(await hub.openRefused(order.id)).toBe("gateway_unclear");
    // The lost call may still be on its way: nobody may say yet that it came to nothing.
    expect(await hub.openRefused(order.id, "bca_va")).toBe("gateway_unclear");
    await hub.advance(2 * MINUTE);
    const [first] = await payments();
    expect(first).toMatchObject({ status: "canceled", wanted: null });
    expect(await hub.events(first!.id)).toEqual(["payment.canceled#1"]);
    expect((await hub.open(order.id, "bca_va")).status).toBe("pending");
    expect(hub.gateway.transactions.size).toBe(1);
  });

  test("a lost opening that did happen is canceled at the gateway when the buyer has chosen another method", async () => {
    hub = await driveHub(engine);
    const order = await hub.order();
    hub.gateway.next("open", { unclear: "did_it" });
    expect(await hub.openRefused(order.id)).toBe("gateway_unclear");
    expect((await hub.open(order.id, "bca_va")).status).toBe("pending");
    const [first] = await payments();
    expect(first!.status).toBe("canceled");
    expect(hub.gateway.transactions.get(first!.reference)!.status).toBe("canceled");
  });

  test("an order whose only payment never reached the gateway can be canceled, and runs out", async () => {
    hub = await driveHub(engine);
    const [canceled, forgotten] = [await hub.order(), await hub.order()];
    for (const order of [canceled, forgotten]) {
      hub.gateway.next("open", { unclear: "did_nothing" });
      expect(await hub.openRefused(order.id)).toBe("gateway_unclear");
    }
    await expect(cancelOrder(hub.hub, hub.shop_id, canceled.id, "test")).rejects.toMatchObject({ code: "gateway_unclear" });
    await hub.advance(2 * MINUTE);
    expect((await cancelOrder(hub.hub, hub.shop_id, canceled.id, "test")).order.payment_status).toBe("canceled");
    await hub.advance(25 * HOUR);
    await hub.advance(HOUR);
    expect((await hub.orderRow(forgotten.id)).payment_status).toBe("expired");
  });

  test("an order that is canceled while a payment is being prepared gets none", async () => {
    hub = await driveHub(engine);
    const order = await hub.order();
    const cancelling = hub.hub.store.read.bind(hub.hub.store);
    let canceled = false;
    // The order is canceled after it was looked at and before the payment is written down.
    const store = Object.create(hub.hub.store, {
      write: {
        value: async (work: never) => {
          if (!canceled) {
            canceled = true;
            await cancelOrder(hub.hub, hub.shop_id, order.id, "shop");
          }
          return hub.hub.store.write(work);
        },
      },
      read: { value: cancelling },
    });
    const opening = createPayment({ ...hub.hub, store }, hub.shop_id, order.id, { method: "gopay" }, "buyer", async () => {});
    await expect(opening).rejects.toMatchObject({ code: "wrong_state" });
    expect(await payments()).toEqual([]);
    expect(hub.gateway.transactions.size).toBe(0);
  });

  test("while an opening is under way a second one waits for it: what the gateway gave is not made void by another call", async () => {
    hub = await driveHub(engine);
    const order = await hub.order();
    const { promise, let_go } = held();
    hub.gateway.next("open", { wait: promise });
    const opening = hub.open(order.id, "snap");
    while (hub.gateway.count("open") === 0) await turn();
    const [payment] = await payments();
    await askGateway(hub.hub, payment!.id, "continue", "buyer", 2);
    await expect(openPayment(hub.hub, payment!.id, "continue", "buyer")).rejects.toMatchObject({ code: "gateway_unclear" });
    expect(hub.gateway.count("open")).toBe(1);
    let_go();
    expect((await opening).status).toBe("pending");
  });

  test("an opening whose caller has died is taken up by the job", async () => {
    hub = await driveHub(engine);
    const order = await hub.order();
    hub.gateway.next("open", { wait: new Promise(() => {}) });
    void hub.open(order.id, "snap");
    while (hub.gateway.count("open") === 0) await turn();
    await hub.advance(2 * MINUTE);
    expect(await payments()).toMatchObject([{ status: "pending" }]);
  });

  test("nobody goes on with the opening of a payment that is open or over: he asks how it stands", async () => {
    hub = await driveHub(engine);
    const payment = await hub.open((await hub.order()).id, "snap");
    const opened = hub.gateway.count("open");
    await askGateway(hub.hub, payment.id, "continue", "late", 0);
    await closePayment(hub.hub, payment.id, "cancel", "test", 0);
    await askGateway(hub.hub, payment.id, "continue", "later", 0);
    expect(hub.gateway.count("open")).toBe(opened);
  });

  test("a wish to cancel is not lost to an answer that is being applied at the same moment", async () => {
    hub = await driveHub(engine);
    const payment = await hub.open((await hub.order()).id);
    for (let i = 0; i < 20; i += 1) {
      hub.gateway.next("cancel", { unclear: "did_nothing" });
      const asking = [askGateway(hub.hub, payment.id, "get", "buyer", 2), askGateway(hub.hub, payment.id, "get", "api", 2)];
      await Promise.all([closePayment(hub.hub, payment.id, "cancel", "test", 0), ...asking]);
      expect((await hub.payment(payment.id)).wanted).toBe("cancel");
      await hub.store.write((tx) => tx.updateTable("payments").set({ wanted: null }).where("id", "=", payment.id).execute());
    }
  });

  test("a hosted page on which an attempt was denied is closed before another payment is opened, and when the order is canceled", async () => {
    hub = await driveHub(engine);
    for (const then of ["another payment", "cancel"] as const) {
      const order = await hub.order();
      const page = await hub.open(order.id, "snap");
      hub.gateway.set(page.reference, "failed");
      await hub.notify(page.reference, "failed");
      await hub.settle();
      expect((await hub.payment(page.id)).status).toBe("failed");
      if (then === "cancel") await cancelOrder(hub.hub, hub.shop_id, order.id, "test");
      else await hub.open(order.id, "bca_va");
      expect(hub.gateway.calls.filter((call) => call.operation === "cancel").map((call) => call.reference)).toContain(page.reference);
    }
  });

  test("a hosted page on which the denied buyer has paid after all is found before another payment is opened", async () => {
    hub = await driveHub(engine);
    const order = await hub.order();
    const page = await hub.open(order.id, "snap");
    hub.gateway.set(page.reference, "failed");
    await hub.notify(page.reference, "failed");
    await hub.settle();
    hub.gateway.pay(page.reference);
    expect(await hub.openRefused(order.id, "bca_va")).toBe("wrong_state");
    expect(hub.gateway.transactions.size).toBe(1);
  });

  test("a gateway that can never show how to pay is tried three times and no more", async () => {
    hub = await driveHub(engine);
    wrapGateway(unusable);
    const order = await hub.order();
    expect(await hub.openRefused(order.id)).toBe("gateway_unclear");
    for (let minute = 0; minute < 30; minute += 1) await hub.advance(MINUTE);
    const all = await payments();
    expect(all.map((payment) => payment.status)).toEqual(["canceled", "canceled", "canceled"]);
    expect(all.at(-1)!.needs_attention).toContain("cannot show");
    expect(await hub.orderRow(order.id)).toMatchObject({ payment_status: "unpaid" });
  });

  test("what cannot be shown is taken back at once, however long its job would wait after unclear answers: its buyer is waiting (found by chaos)", async () => {
    hub = await driveHub(engine);
    wrapGateway(unusable);
    const order = await hub.order();
    for (let tries = 0; tries < 4; tries += 1) hub.gateway.next("open", { unclear: "did_it" });
    expect(await hub.openRefused(order.id)).toBe("gateway_unclear");
    for (const wait_ms of [MINUTE, 5_000, 15_000]) await hub.advance(wait_ms);
    expect(hub.gateway.count("open")).toBe(4);
    const [first] = await payments();
    await expect(openPayment(hub.hub, first!.id, "continue", "api")).rejects.toMatchObject({ code: "gateway_unclear" });
    await hub.settle();
    expect(await hub.payment(first!.id)).toMatchObject({ status: "canceled" });
    expect((await payments())[1]).toMatchObject({ replaces: first!.id });
  });

  test("what cannot be taken back at once is tried again every five seconds while somebody asks for it, not after minutes (found by chaos)", async () => {
    hub = await driveHub(engine);
    const first = await hub.open((await hub.order()).id);
    await markUnusable(first);
    for (let tries = 0; tries < 5; tries += 1) {
      hub.gateway.next("cancel", { unclear: "did_nothing" });
      hub.gateway.next("get", { unclear: "did_nothing" });
    }
    await hub.advance(MINUTE);
    for (const wait_ms of [5_000, 15_000, 30_000]) await hub.advance(wait_ms);
    expect(hub.gateway.count("cancel")).toBe(4);
    const ask = (): Promise<unknown> => expect(resumePayment(hub.hub, hub.shop_id, first.id)).rejects.toMatchObject({ code: "gateway_unclear" });
    for (const [passed_ms, cancels] of [
      [1_000, 4],
      [4_000, 5],
      [4_000, 5],
    ] as const) {
      await hub.advance(passed_ms);
      expect(hub.gateway.count("cancel")).toBe(cancels);
      await ask();
      await hub.settle();
      expect(hub.gateway.count("cancel")).toBe(cancels);
    }
    await hub.advance(1_000);
    expect(await payments()).toMatchObject([{ status: "canceled" }, { status: "pending", replaces: first.id }]);
  });

  test("a payment that could not be shown and that the shop has canceled is not replaced, now or by a later poll", async () => {
    hub = await driveHub(engine);
    const first = await hub.open((await hub.order()).id);
    await markUnusable(first);
    await closePayment(hub.hub, first.id, "cancel", "api", 0);
    for (let minute = 0; minute < 20; minute += 1) await hub.advance(MINUTE);
    await hub.advance(25 * HOUR);
    expect(await payments()).toMatchObject([{ status: "canceled", attempt: 1 }]);
    expect(hub.gateway.count("open")).toBe(1);
  });

  test("a payment that could not be shown is not replaced when its buyer has chosen another method, whatever became of that one", async () => {
    hub = await driveHub(engine);
    const order = await hub.order();
    const first = await hub.open(order.id);
    await markUnusable(first);
    const second = await hub.open(order.id, "bca_va");
    await closePayment(hub.hub, second.id, "cancel", "api", 0);
    for (let minute = 0; minute < 20; minute += 1) await hub.advance(MINUTE);
    await hub.advance(25 * HOUR);
    expect((await payments()).map((payment) => payment.status)).toEqual(["canceled", "canceled"]);
    expect(hub.gateway.count("open")).toBe(2);
  });

  test("one that the hub itself has canceled is not replaced after the buyer was quicker", async () => {
    hub = await driveHub(engine);
    const order = await hub.order();
    const first = await hub.open(order.id);
    await markUnusable(first);
    const { promise, let_go } = held();
    hub.gateway.next("cancel", { wait: promise });
    const cancelling = hub.advance(MINUTE);
    while (hub.gateway.count("cancel") === 0) await turn();
    await closePayment(hub.hub, first.id, "cancel", "buyer", 0);
    let_go();
    await cancelling;
    await hub.advance(MINUTE);
    expect(await payments()).toMatchObject([{ status: "canceled", attempt: 1 }]);
  });

  test("two that go on with an unclear opening at the same moment make one call, so that neither makes void what the other got", async () => {
    hub = await driveHub(engine);
    const order = await hub.order();
    hub.gateway.next("open", { unclear: "did_nothing" });
    expect(await hub.openRefused(order.id, "snap")).toBe("gateway_unclear");
    const [payment] = await payments();
    const { promise, let_go } = held();
    hub.gateway.next("open", { wait: promise });
    const both = [1, 2].map((priority) => askGateway(hub.hub, payment!.id, "continue", "buyer", priority));
    while (hub.gateway.count("open") === 1) await turn();
    const second = await Promise.race(both);
    expect(second).toMatchObject({ asked: false, under_way: true });
    await expect(openPayment(hub.hub, payment!.id, "continue", "api")).rejects.toMatchObject({ code: "gateway_unclear" });
    let_go();
    await Promise.all(both);
    expect(hub.gateway.count("open")).toBe(2);
    expect(await payments()).toMatchObject([{ status: "pending", opening_until: null }]);
  });

  test("an opening whose second call was never answered is gone on with when that call cannot be on its way any more", async () => {
    hub = await driveHub(engine);
    const order = await hub.order();
    hub.gateway.next("open", { unclear: "did_nothing" });
    expect(await hub.openRefused(order.id, "snap")).toBe("gateway_unclear");
    const [payment] = await payments();
    hub.gateway.next("open", { wait: new Promise(() => {}) });
    void askGateway(hub.hub, payment!.id, "continue", "a process that dies", 2);
    while (hub.gateway.count("open") === 1) await turn();
    await hub.advance(MINUTE);
    expect(hub.gateway.count("open")).toBe(2);
    await hub.advance(MINUTE);
    expect(await payments()).toMatchObject([{ status: "pending" }]);
  });

  test("of an opening that stays unclear a person is told, and no more once the gateway has answered", async () => {
    hub = await driveHub(engine);
    const order = await hub.order();
    for (let tries = 0; tries < 12; tries += 1) hub.gateway.next("open", { unclear: "did_nothing" });
    expect(await hub.openRefused(order.id)).toBe("gateway_unclear");
    for (let hour = 0; hour < 3; hour += 1) await hub.advance(HOUR);
    expect((await payments())[0]).toMatchObject({ status: "submitted", needs_attention: null });
    for (let hour = 0; hour < 6; hour += 1) await hub.advance(HOUR);
    expect((await payments())[0]!.needs_attention).toBe("the gateway gives no clear answer: timeout");
    for (let hour = 0; hour < 6; hour += 1) await hub.advance(HOUR);
    expect((await payments())[0]).toMatchObject({ needs_attention: null });
    expect((await payments())[0]!.status).not.toBe("submitted");
  });

  test("a transaction that is found without a way to show it is replaced by one that can be shown", async () => {
    hub = await driveHub(engine);
    wrapGateway(withoutActions);
    const order = await hub.order();
    hub.gateway.next("open", { unclear: "did_it" });
    expect(await hub.openRefused(order.id)).toBe("gateway_unclear");
    const [first] = await payments();
    await askGateway(hub.hub, first!.id, "get", "on hold", 3);
    await hub.advance(MINUTE);
    await hub.advance(MINUTE);
    expect(await payments()).toMatchObject([{ status: "canceled" }, { status: "pending", replaces: first!.id, attempt: 2 }]);
    expect((await payments())[1]!.actions).not.toEqual([]);
  });
});

/** Whatever it opens cannot be shown to the buyer. */
function unusable(gateway: Gateway): Gateway {
  return {
    ...gateway,
    open: async (intent) => {
      const outcome = await gateway.open(intent);
      return outcome.certainty === "did" ? { ...outcome, value: { evidence: outcome.value.evidence, unusable: true } } : outcome;
    },
  };
}

/** As Midtrans: an answer to a question does not say how to pay. */
function withoutActions(gateway: Gateway): Gateway {
  return {
    ...gateway,
    get: async (subject) => {
      const outcome = await gateway.get(subject);
      return outcome.certainty === "did" ? { ...outcome, value: { evidence: outcome.value.evidence } } : outcome;
    },
  };
}
