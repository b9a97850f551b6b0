import { LunasError, money, rfc3339 } from "@lunas/domain";
import { describe, expect, test } from "vitest";
import { makeTestHub, type TestHub } from "../testing/make-hub.ts";
import { openMigratedStore } from "../store/index.ts";
import { freshDatabase } from "../../../../tests/harness/postgres.ts";
import { type CrashPoint, type MortalHub, startMortal } from "../testing/mortal.ts";
import { createOrder } from "./orders.ts";
import { createPayment } from "./payments.ts";
import { createRefund } from "./refunds.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const REFERENCE = "INV-1";
const AMOUNT = 4_400_000n;
const REFUND = 1_000_000n;
const MANY = 400;

interface Scenario {
  readonly method: string;
  readonly refund: boolean;
}

/** What the shop, its buyer and the gateway do, as far as they got: each act is repeated until it was done, as they would. */
async function act(world: TestHub, process: MortalHub, { method, refund }: Scenario): Promise<void> {
  const { store, gateway, shop_id, slug } = world;
  const rows = () =>
    store.read(async (db) => ({
      order: await db.selectFrom("orders").selectAll().where("reference", "=", REFERENCE).executeTakeFirst(),
      payment: await db.selectFrom("payments").selectAll().orderBy("attempt", "desc").executeTakeFirst(),
      refund: await db.selectFrom("refunds").selectAll().executeTakeFirst(),
    }));
  const wish = { reference: REFERENCE, amount: money(AMOUNT, "IDR"), items: [], customer: {}, expires_in_s: 86_400, metadata: {} };
  if (!(await rows()).order) await process.live(() => createOrder(process.hub, shop_id, wish, async () => {}));
  const { order, payment: begun } = await rows();
  if (order && !begun) await process.live(() => tolerant(createPayment(process.hub, shop_id, order.id, { method }, "api", async () => {})));
  await process.settle();
  const { payment } = await rows();
  const transaction = payment && gateway.transactions.get(payment.reference);
  // Nobody pays what he was not shown.
  if (payment?.status === "pending" && payment.actions.length > 0 && transaction?.status === "pending") gateway.pay(payment.reference);
  if (payment && transaction?.status === "paid" && !process.dead) {
    await process.live(() => process.inbox.receive(slug, gateway.callback(payment.reference, "paid"), "203.0.113.9"));
  }
  await process.settle();
  const paid = await rows();
  if (refund && paid.payment?.status === "paid" && !paid.refund) {
    await process.live(() => createRefund(process.hub, shop_id, paid.payment!.id, { amount: REFUND }, "api", async () => {}));
  }
  await process.settle();
}

/** What the shop is told to repeat, it repeats. */
async function tolerant(done: Promise<unknown>): Promise<void> {
  await done.catch((error: unknown) => {
    if (!(error instanceof LunasError) || error.code !== "gateway_unclear") throw error;
  });
}

async function addEndpoint({ store, hub, shop_id }: TestHub): Promise<void> {
  const now = hub.clocks.business.now();
  await store.write((tx) =>
    tx
      .insertInto("endpoints")
      .values({
        id: hub.newId("endpoint"),
        shop_id,
        url: "https://shop.test/",
        description: null,
        events: "null",
        format: "standard",
        status: "active",
        paused_reason: null,
        secrets: new Uint8Array(),
        failures_in_row: 0,
        first_failure_at: null,
        last_success_at: null,
        version: 1,
        created_at: now,
        updated_at: now,
      })
      .execute(),
  );
}

/** @returns whether the process died before it was through. */
async function liveThrough(scenario: Scenario, crash: CrashPoint, database = "sqlite::memory:"): Promise<boolean> {
  const store = await openMigratedStore(database);
  const world = await makeTestHub({ store });
  await addEndpoint(world);
  const first = await startMortal(world.hub, crash);
  await act(world, first, scenario);
  const died = first.dead;
  await first.stop();
  const second = await startMortal(world.hub);
  for (const gap of [0, 5_000, MINUTE, 3 * MINUTE, 10 * MINUTE, HOUR, 6 * HOUR, 25 * HOUR, 25 * HOUR]) {
    world.clock.advance(gap);
    await second.settle();
    await act(world, second, scenario);
  }
  await second.stop();
  await expectWhole(world, scenario, `${crash.when} write ${crash.write}`);
  await store.close();
  return died;
}

/** One charge, one refund, our state that of the gateway, each event and its delivery once, and nothing left under way. */
async function expectWhole({ store, gateway, clock }: TestHub, { refund }: Scenario, where: string): Promise<void> {
  const found = await store.read(async (db) => ({
    orders: await db.selectFrom("orders").select(["payment_status", "amount_paid", "amount_refunded"]).execute(),
    payments: await db
      .selectFrom("payments")
      .select(["reference", "status", "flags", "collected", "refunded", "wanted", "needs_attention"])
      .execute(),
    refunds: await db.selectFrom("refunds").select(["status", "amount", "origin"]).execute(),
    events: (await db.selectFrom("events").select("type").orderBy("position").execute()).map((event) => event.type).sort(),
    undelivered: await db
      .selectFrom("events")
      .leftJoin("deliveries", "deliveries.event_id", "events.id")
      .select("events.id")
      .where("deliveries.id", "is", null)
      .execute(),
    leased: await db.selectFrom("jobs").select("key").where("lease_until", "is not", null).execute(),
    overdue: await db.selectFrom("jobs").select("key").where("due_at", "<=", clock.now()).execute(),
    inbox: await db.selectFrom("notifications").select("route").where("route", "<>", 1).execute(),
  }));
  const [transaction] = gateway.transactions.values();
  const status = refund ? "partially_refunded" : "paid";
  const refunded = refund ? REFUND : 0n;
  expect({ where, ...found, charges: gateway.transactions.size, refunds_there: transaction?.refunds.length }, `at ${rfc3339(clock.now())}`).toEqual({
    where,
    orders: [{ payment_status: status, amount_paid: AMOUNT, amount_refunded: refunded }],
    payments: [{ reference: transaction?.reference, status, flags: [], collected: AMOUNT, refunded, wanted: null, needs_attention: null }],
    refunds: refund ? [{ status: "succeeded", amount: REFUND, origin: "api" }] : [],
    events: [
      "order.paid",
      ...(refund ? ["order.partially_refunded"] : []),
      "order.pending",
      "payment.paid",
      ...(refund ? ["payment.partially_refunded"] : []),
      "payment.pending",
      ...(refund ? ["refund.succeeded"] : []),
    ],
    undelivered: [],
    leased: [],
    overdue: [],
    inbox: [],
    charges: 1,
    refunds_there: refund ? 1 : 0,
  });
}

describe("a hub that dies at any of its writes, and another that comes after it (F2)", () => {
  test.each([
    ["a payment by GoPay", { method: "gopay", refund: false }],
    ["a payment on a hosted page", { method: "snap", refund: false }],
    ["a payment and a part of it back", { method: "gopay", refund: true }],
  ] as const)("%s: charged once, paid back once, each event told once, nothing forgotten", { timeout: 120_000 }, async (_name, scenario) => {
    for (const when of ["before", "after"] as const) {
      let write = 1;
      while (await liveThrough(scenario, { write, when })) {
        write += 1;
        expect(write).toBeLessThan(MANY);
      }
      // It is a sweep only if there was something to sweep over.
      expect(write).toBeGreaterThan(10);
    }
  });

  test("on PostgreSQL, where leases end by their time alone, at every seventh write", { timeout: 120_000 }, async () => {
    const scenario = { method: "gopay", refund: true };
    let write = 1;
    while (await liveThrough(scenario, { write, when: write % 2 === 0 ? "before" : "after" }, await freshDatabase())) write += 7;
    expect(write).toBeGreaterThan(15);
  });
});
