import { type Provider } from "@lunas/domain";
import { afterEach, describe, expect, test } from "vitest";
import type { Hub } from "../hub.ts";
import { type DrivenHub, driveHub, ENGINES } from "../testing/drive.ts";
import { accountById } from "./accounts.ts";
import { takeCall } from "./budget.ts";
import { createRefund, trySendRefund } from "./refunds.ts";
import type { PaymentRow, RefundRow } from "./rows.ts";
import { refundView } from "./views.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

async function paid(hub: DrivenHub): Promise<PaymentRow> {
  const payment = await hub.open((await hub.order()).id);
  hub.gateway.pay(payment.reference);
  await hub.notify(payment.reference, "paid");
  await hub.settle();
  return payment;
}

/** Somebody refunds in the gateway's own dashboard, and the gateway tells of it. */
async function refundInDashboard(hub: DrivenHub, payment: PaymentRow, refund: { key?: string; provider_id?: string }): Promise<RefundRow> {
  const transaction = hub.gateway.transactions.get(payment.reference)!;
  transaction.refunds.push({ ...refund, amount: 1_000_000n, status: "accepted" });
  transaction.refunded = 1_000_000n;
  await hub.notify(payment.reference, "partially_refunded");
  await hub.settle();
  return (await rows(hub))[0]!;
}

function confirm(hub: DrivenHub, payment: PaymentRow): void {
  const { refunds } = hub.gateway.transactions.get(payment.reference)!;
  refunds[0] = { ...refunds[0]!, status: "confirmed" };
}

const rows = (hub: DrivenHub): Promise<RefundRow[]> => hub.store.read((db) => db.selectFrom("refunds").selectAll().orderBy("id").execute());

describe.each(ENGINES)("refunds that the hub did not make, on %s", (engine) => {
  let hub: DrivenHub;
  afterEach(() => hub.close());

  test.each([
    ["with a key of the dashboard's", { key: "from-the-dashboard", provider_id: "d-1" }],
    ["known by the gateway's id alone", { provider_id: "d-1" }],
  ])("one %s is asked about until the bank has confirmed it, and never sent", async (_name, identity) => {
    hub = await driveHub(engine);
    const payment = await paid(hub);
    // The payment's own questions are over: nobody else would look.
    await hub.advance(26 * HOUR);
    const adopted = await refundInDashboard(hub, payment, identity);
    expect(adopted).toMatchObject({ origin: "provider", status: "submitted" });
    await hub.advance(6 * MINUTE);
    expect(hub.gateway.count("getRefund")).toBe(1);
    confirm(hub, payment);
    await hub.advance(2 * HOUR);
    expect(await rows(hub)).toMatchObject([{ id: adopted.id, status: "succeeded" }]);
    expect(await hub.events(adopted.id)).toEqual(["refund.submitted#1", "refund.succeeded#2"]);
    expect(hub.gateway.count("refund")).toBe(0);
  });

  test("one that the bank never confirms is handed to a person after the planned questions", async () => {
    hub = await driveHub(engine);
    const payment = await paid(hub);
    const adopted = await refundInDashboard(hub, payment, { key: "from-the-dashboard", provider_id: "d-1" });
    for (let day = 0; day < 12; day += 1) await hub.advance(DAY);
    expect(hub.gateway.count("getRefund")).toBe(10);
    expect(await rows(hub)).toMatchObject([{ id: adopted.id, status: "manual" }]);
    // It stays with the person, however often the gateway repeats itself; the bank's word counts all the same.
    confirm(hub, payment);
    await hub.notify(payment.reference, "refunded");
    await hub.settle();
    expect(await rows(hub)).toMatchObject([{ status: "succeeded", needs_attention: null }]);
  });

  test("one that an API call made before a restore is found under the id that it had", async () => {
    hub = await driveHub(engine);
    const payment = await paid(hub);
    const before = await createRefund(hub.hub, hub.shop_id, payment.id, { amount: 1_000_000n }, "test", async () => {});
    const told = await hub.store.read((db) => db.selectFrom("events").select("id").where("subject_id", "=", before.id).execute());
    await hub.store.write(async (tx) => {
      await tx.deleteFrom("refunds").execute();
      for (const table of ["events", "transitions"] as const) await tx.deleteFrom(table).where("subject_id", "=", before.id).execute();
    });
    await hub.notify(payment.reference, "partially_refunded");
    await hub.settle();
    expect(await rows(hub)).toMatchObject([{ id: before.id, origin: "provider", status: "succeeded", amount: 1_000_000n }]);
    const again = await hub.store.read((db) => db.selectFrom("events").select("id").where("subject_id", "=", before.id).execute());
    expect(again).toEqual(told);
  });
});

describe.each(ENGINES)("a refund that waits, on %s", (engine) => {
  let hub: DrivenHub;
  afterEach(() => hub.close());

  test("for the account's call budget shows until when, and no longer once it was sent", async () => {
    hub = await driveHub(engine);
    const payment = await paid(hub);
    const poor = { ...(hub.gateway.provider as unknown as Provider), budget: { per_second: 1, burst: 4 } };
    const poorHub: Hub = { ...hub.hub, providers: new Map([[poor.name, poor]]) };
    await hub.store.write((tx) => tx.updateTable("budgets").set({ tokens_milli: 4_000, refilled_at: hub.clock.now() }).execute());
    const account = await accountById(poorHub, payment.account_id);
    for (let call = 0; call < 4; call += 1) expect((await takeCall(poorHub, account, 0)).granted).toBe(true);
    const waiting = await createRefund(poorHub, hub.shop_id, payment.id, {}, "test", async () => {});
    expect(waiting.status).toBe("created");
    const until = waiting.waiting_for_quota_until!;
    expect(until).toBeGreaterThan(hub.clock.now());
    expect(refundView((await rows(hub))[0]!).waiting_for_quota_until).toBe(new Date(until).toISOString());
    hub.clock.set(until);
    await trySendRefund(poorHub, waiting.id, "test");
    expect(await rows(hub)).toMatchObject([{ status: "succeeded", waiting_for_quota_until: null }]);
  });

  test("for an answer until its key may not be sent again goes to a person, and is never called failed", async () => {
    hub = await driveHub(engine);
    const payment = await paid(hub);
    hub.gateway.next("refund", { unclear: "did_nothing" });
    const refund = await createRefund(hub.hub, hub.shop_id, payment.id, {}, "test", async () => {});
    expect(refund.status).toBe("unknown");
    await hub.store.write((tx) => tx.deleteFrom("jobs").execute());
    // To the millisecond, where the connector and the hub must say the same.
    hub.clock.set((await rows(hub))[0]!.submitted_at! + 7 * DAY);
    await trySendRefund(hub.hub, refund.id, "test");
    const [left] = await rows(hub);
    expect(left).toMatchObject({ status: "manual" });
    expect(left!.needs_attention).toContain("close it with proof");
    expect(hub.gateway.count("refund")).toBe(1);
  });
});
