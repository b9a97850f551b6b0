import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FAULTS, type FaultName } from "../packages/sandbox/src/index.ts";
import { type Stack, startStack } from "./harness/stack.ts";

/*
 * Every fault of the sandbox, met by a whole hub: whatever the wire does, the buyer is charged once, money goes back once,
 * and both sides end with the same state, told once. The sandbox's own ledger is the judge.
 */

const AMOUNT = 44_000;
const MINUTE_S = 60;
/** Past all that is asked again soon, and past the five minutes of a gateway's idempotency key. */
const SOON_S = [6, 31, 2 * MINUTE_S, 6 * MINUTE_S];

let stack: Stack;
beforeEach(async () => {
  // No bank confirms a refund before the test says so.
  stack = await startStack({ sandbox: { switches: { midtrans: { refund_confirm_delay_s: -1 } } } });
});
afterEach(() => stack.stop());

const faultsOf = (place: "api" | "notification"): FaultName[] =>
  (Object.keys(FAULTS) as FaultName[]).filter((fault) => (FAULTS[fault].on as readonly string[]).includes(place));

function arm(fault: FaultName, on: "api" | "notification", match: string, more: object = {}): void {
  stack.sandbox.setFaults([{ provider: "midtrans", fault, on, times: 1, match, ...more }]);
}

/** What was struck: a test whose fault never struck would show nothing. */
const struck = (): string[] => stack.sandbox.log().flatMap(({ faults }) => faults);

/** The work to its end. Whatever a fault holds meanwhile for real time is let go at once. */
async function through<T>(work: Promise<T>): Promise<T> {
  let over = false;
  const end = (): void => {
    over = true;
  };
  work.then(end, end);
  while (!over) {
    await Promise.race([work, stack.sandbox.held()]);
    stack.sandbox.release();
  }
  return work;
}

async function later(seconds: readonly number[] = SOON_S): Promise<void> {
  await through(stack.settle());
  for (const gap of seconds) await through(stack.advance(gap));
}

async function newOrder(): Promise<string> {
  const { body } = await stack.api("POST", "/v1/orders", { reference: crypto.randomUUID(), amount: AMOUNT });
  return body.id;
}

const orderOf = async (id: string) => (await stack.api("GET", `/v1/orders/${id}`)).body;
const choose = (order_id: string, method = "gopay") => stack.api("POST", `/v1/orders/${order_id}/payments`, { method });
const pay = (reference: string) => stack.control("POST", `/midtrans/${reference}/pay`);

/** Events of one type that the order's payments have had. */
async function timesTold(order_id: string, type: string): Promise<number> {
  const { payments } = await orderOf(order_id);
  const rows = await stack.hub.hub.store.read((db) =>
    db
      .selectFrom("events")
      .select("type")
      .where("subject_id", "in", [order_id, ...payments.map(({ id }: { id: string }) => id)])
      .execute(),
  );
  return rows.filter((row) => row.type === type).length;
}

/** The one transaction that a payer could still pay, or has paid. */
function liveOne(): ReturnType<Stack["sandbox"]["ledger"]>[number] {
  const live = stack.sandbox.ledger().filter(({ status }) => !["cancel", "expire", "deny"].includes(status));
  expect(live, JSON.stringify(stack.sandbox.ledger())).toHaveLength(1);
  return live[0]!;
}

async function expectPaidOnce(order_id: string): Promise<void> {
  expect(await orderOf(order_id)).toMatchObject({ payment_status: "paid", amount_paid: AMOUNT });
  expect(await timesTold(order_id, "payment.paid")).toBe(1);
  expect(await timesTold(order_id, "order.paid")).toBe(1);
  expect(stack.sandbox.ledger().reduce((sum, { collected }) => sum + collected, 0)).toBe(AMOUNT);
}

async function paidOrder(method = "gopay"): Promise<{ order_id: string; payment_id: string; reference: string }> {
  const order_id = await newOrder();
  const { body } = await choose(order_id, method);
  await pay(body.provider_reference);
  await stack.settle();
  expect((await orderOf(order_id)).payment_status).toBe("paid");
  return { order_id, payment_id: body.id, reference: body.provider_reference };
}

describe("a charge", () => {
  test.each(faultsOf("api").filter((fault) => fault !== "lagging-status"))("that meets %s is one charge, payable and paid once", async (fault) => {
    arm(fault, "api", "/v2/charge");
    const order_id = await newOrder();
    const chosen = await through(choose(order_id));
    // What is not known is told as that, and the payment goes on.
    expect([chosen.status, chosen.body.code]).toEqual(fault === "slow" ? [201, undefined] : [502, "gateway_unclear"]);
    expect((await orderOf(order_id)).payments).toMatchObject([{ status: fault === "slow" ? "pending" : "submitted" }]);
    expect(struck()).toEqual([fault]);
    // Within the life of the key: the same charge again, so that its actions are there for the buyer.
    await later([6]);
    const { payments } = await orderOf(order_id);
    expect(payments).toMatchObject([{ status: "pending" }]);
    expect(payments[0].actions.map(({ type }: { type: string }) => type)).toContain("qr");
    expect(stack.sandbox.ledger()).toHaveLength(1);
    await pay(liveOne().order_id);
    await later();
    await expectPaidOnce(order_id);
  });

  test("that was done but never answered, found only after the key's five minutes: it is closed, and the one that takes its place is paid", async () => {
    // Its first notification would have the hub continue at once, while the key still lives.
    stack.sandbox.setNotifyUrl("midtrans", null);
    arm("timeout-after-success", "api", "/v2/charge");
    const order_id = await newOrder();
    expect((await through(choose(order_id))).body.code).toBe("gateway_unclear");
    expect(stack.sandbox.ledger()).toHaveLength(1);
    // One leap of both clocks: nobody asks before the key is forgotten.
    await later([6 * MINUTE_S, MINUTE_S, MINUTE_S]);
    const first = stack.sandbox.ledger()[0]!;
    expect(first).toMatchObject({ status: "cancel", collected: 0 });
    const live = liveOne();
    expect(live.status).toBe("pending");
    await pay(live.order_id);
    await later();
    await expectPaidOnce(order_id);
  });

  test("that was done but never answered, and was paid before anybody asked: that money counts, and nothing else is charged", async () => {
    stack.sandbox.setNotifyUrl("midtrans", null);
    arm("timeout-after-success", "api", "/v2/charge");
    const order_id = await newOrder();
    await through(choose(order_id));
    await pay(liveOne().order_id);
    await later();
    expect(stack.sandbox.ledger()).toHaveLength(1);
    await expectPaidOnce(order_id);
  });

  test("of a virtual account whose bank honours no key: found by asking, and never made twice", async () => {
    arm("timeout-after-success", "api", "/v2/charge");
    const order_id = await newOrder();
    await through(choose(order_id, "permata_va"));
    await later();
    expect((await orderOf(order_id)).payments).toMatchObject([{ status: "pending", actions: [{ type: "va_number" }] }]);
    expect(stack.sandbox.ledger()).toHaveLength(1);
    await pay(liveOne().order_id);
    await later();
    await expectPaidOnce(order_id);
  });
});

describe("a refund", () => {
  test.each(faultsOf("api").filter((fault) => fault !== "lagging-status"))("that meets %s is one refund, and succeeds", async (fault) => {
    const { order_id, payment_id } = await paidOrder();
    arm(fault, "api", "/refund");
    const asked = await through(stack.api("POST", `/v1/payments/${payment_id}/refunds`, { amount: 4_000 }));
    expect(asked.status).toBe(201);
    await later([5 * MINUTE_S + 1, 60 * MINUTE_S]);
    expect(struck()).toEqual([fault]);
    expect(liveOne()).toMatchObject({ collected: AMOUNT, refunded: 4_000, refunds: [{ amount: 4_000, origin: "api" }] });
    expect((await stack.api("GET", `/v1/payments/${payment_id}`)).body).toMatchObject({ status: "partially_refunded", amount_refunded: 4_000 });
    const { body } = await stack.api("GET", `/v1/refunds/${asked.body.id}`);
    expect(body.status).toBe("succeeded");
    expect(await orderOf(order_id)).toMatchObject({ payment_status: "partially_refunded", amount_paid: AMOUNT, amount_refunded: 4_000 });
  });
});

describe("a refund that waits for its bank", () => {
  test("and whose confirmation the gateway's answers do not know yet is asked for again, and succeeds once", async () => {
    const { payment_id, reference } = await paidOrder("qris");
    const { body: refund } = await stack.api("POST", `/v1/payments/${payment_id}/refunds`, {});
    await stack.settle();
    const statusOf = async () => (await stack.api("GET", `/v1/refunds/${refund.id}`)).body.status;
    expect(await statusOf()).toBe("submitted");
    arm("lagging-status", "api", "/status", { times: 2 });
    await stack.control("POST", `/midtrans/${reference}/refund-confirm`);
    await later([...SOON_S, 60 * MINUTE_S]);
    expect(struck()).toEqual(["lagging-status", "lagging-status"]);
    expect(await statusOf()).toBe("succeeded");
    const rows = await stack.hub.hub.store.read((db) => db.selectFrom("events").select("type").where("subject_id", "=", refund.id).execute());
    expect(rows.filter(({ type }) => type === "refund.succeeded")).toHaveLength(1);
    expect(liveOne()).toMatchObject({ status: "refund", refunded: AMOUNT, refunds: [{ amount: AMOUNT, confirmed: true }] });
  });
});

describe("a status answer", () => {
  test("that lags behind the notification is asked for again until it knows: paid once, and never failed", async () => {
    const order_id = await newOrder();
    const { body } = await choose(order_id);
    await stack.settle();
    arm("lagging-status", "api", "/status", { times: 2 });
    await pay(body.provider_reference);
    await through(stack.settle());
    // The verified notification alone moves nothing.
    expect((await orderOf(order_id)).payment_status).toBe("pending");
    await later();
    expect(struck()).toEqual(["lagging-status", "lagging-status"]);
    await expectPaidOnce(order_id);
  });

  test("that falls behind after it was paid takes nothing back", async () => {
    const { order_id, payment_id } = await paidOrder();
    arm("lagging-status", "api", "/status", { times: 3 });
    await stack.api("POST", `/v1/payments/${payment_id}/refresh`);
    await later();
    expect(struck()).toContain("lagging-status");
    await expectPaidOnce(order_id);
    expect((await stack.api("GET", `/v1/payments/${payment_id}`)).body).toMatchObject({ status: "paid", flags: [] });
  });

  test.each(["slow", "http-5xx", "reset", "garbage", "timeout-after-success"] as const)(
    "that meets %s is no answer: asked again, paid once",
    async (fault) => {
      const order_id = await newOrder();
      const { body } = await choose(order_id);
      await stack.settle();
      arm(fault, "api", "/status");
      await pay(body.provider_reference);
      await later();
      expect(struck()).toEqual([fault]);
      await expectPaidOnce(order_id);
    },
  );
});

describe("a notification of the money", () => {
  test.each(faultsOf("notification"))("that meets %s: paid once, by what the gateway says when it is asked", async (fault) => {
    const order_id = await newOrder();
    const { body } = await choose(order_id);
    await stack.settle();
    arm(fault, "notification", "settlement");
    await pay(body.provider_reference);
    // To its end: retries after minutes, and the polls of a wallet, the last of them some time after its expiry.
    await later([...SOON_S, 15 * MINUTE_S, 60 * MINUTE_S]);
    expect(struck()).toContain(fault);
    await expectPaidOnce(order_id);
    // A well signed claim that the gateway never confirms is told to a person for a while; it changes nothing.
    const { status, flags } = (await stack.api("GET", `/v1/payments/${body.id}`)).body;
    expect([status, flags.filter((flag: string) => fault !== "forge-status" || flag !== "unconfirmed")]).toEqual(["paid", []]);
  });

  test.each(faultsOf("notification").filter((fault) => FAULTS[fault].help.startsWith("This attempt")))(
    "%s of a payment that nobody paid makes no money",
    async (fault) => {
      arm(fault, "notification", "pending");
      const order_id = await newOrder();
      const { body } = await choose(order_id);
      await later([6, 31]);
      expect(struck()).toContain(fault);
      expect(await orderOf(order_id)).toMatchObject({ payment_status: "pending", amount_paid: 0 });
      expect(await timesTold(order_id, "payment.paid")).toBe(0);
      expect((await stack.api("GET", `/v1/payments/${body.id}`)).body).toMatchObject({ status: "pending" });
    },
  );

  test("that is delayed beyond the polls finds the payment paid by asking, and adds nothing when it comes", async () => {
    const order_id = await newOrder();
    const { body } = await choose(order_id);
    await stack.settle();
    arm("delay", "notification", "settlement", { ms: 3_600_000 });
    await pay(body.provider_reference);
    await later([MINUTE_S, 2 * MINUTE_S]);
    await expectPaidOnce(order_id);
    await later([3_600]);
    const came = stack.sandbox
      .log()
      .filter(({ kind, status, outcome }) => kind === "notification" && status === "settlement" && outcome === "delivered");
    expect(came).toHaveLength(1);
    await expectPaidOnce(order_id);
  });
});
