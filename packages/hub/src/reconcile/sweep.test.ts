import { HOUR_MS } from "@lunas/domain";
import { sql } from "kysely";
import { afterEach, describe, expect, test } from "vitest";
import { createEndpoint, pauseEndpoint } from "../deliver/operations.ts";
import { createRefund } from "../collect/refunds.ts";
import type { Job } from "../store/jobs.ts";
import { type DrivenHub, driveHub, ENGINES } from "../testing/drive.ts";
import { armHousekeeping, sweep } from "./sweep.ts";

const NO_JOB = {} as Job;

describe.each(ENGINES)("the sweep on %s", (engine) => {
  let hub: DrivenHub;
  afterEach(() => hub.close());

  const jobs = async (): Promise<string[]> =>
    (await hub.store.read((db) => db.selectFrom("jobs").select("key").orderBy("key").execute())).map(({ key }) => key);
  const forgetJobs = () => hub.store.write((tx) => tx.deleteFrom("jobs").execute());

  async function paid() {
    const payment = await hub.open((await hub.order()).id);
    hub.gateway.pay(payment.reference);
    await hub.notify(payment.reference, "paid");
    await hub.settle();
    return payment;
  }

  /** One of everything that somebody must look at again, and of some things that are done. */
  async function unfinished(): Promise<void> {
    await armHousekeeping(hub.hub);
    await hub.order();
    await hub.open((await hub.order()).id);
    const refunded = await paid();
    hub.gateway.next("refund", { unclear: "did_nothing" });
    await createRefund(hub.hub, hub.shop_id, refunded.id, { amount: 100_000n }, "test", async () => {});
    const adopted = await paid();
    const transaction = hub.gateway.transactions.get(adopted.reference)!;
    transaction.refunds.push({ key: "from-the-dashboard", provider_id: "d-1", amount: 1_000_000n, status: "accepted" });
    transaction.refunded = 1_000_000n;
    await hub.notify(adopted.reference, "partially_refunded");
    await hub.settle();
    const expired = await hub.open((await hub.order()).id);
    hub.gateway.set(expired.reference, "expired");
    await hub.notify(expired.reference, "expired");
    await hub.settle();
    await hub.notify("a-reference-of-nobody", "paid");
    await hub.settle();
  }

  test("every job that is lost is found: orders, payments, refunds of either origin, money of unknown references, housekeeping (F3)", async () => {
    hub = await driveHub(engine);
    await unfinished();
    const before = await jobs();
    expect(new Set(before.map((key) => key.split(":")[0]))).toEqual(new Set(["order.expire", "parked", "payment", "prune", "refund", "sweep"]));
    expect(before.filter((key) => key.startsWith("refund:"))).toHaveLength(2);
    await forgetJobs();
    await sweep(hub.hub, NO_JOB);
    const paidOrders = await hub.store.read((db) =>
      db.selectFrom("orders").select("id").where("payment_status", "in", ["paid", "partially_refunded"]).execute(),
    );
    // An order that holds money is closed by nobody: its job would find nothing to do.
    const needless = paidOrders.map(({ id }) => `order.expire:${id}`);
    expect(await jobs()).toEqual(before.filter((key) => !needless.includes(key)));
    const counted = hub.counts.get("lunas_swept_total{}");
    await sweep(hub.hub, NO_JOB);
    expect(hub.counts.get("lunas_swept_total{}")).toBe(counted);
  });

  test("what is found is done: the order is closed in time, and late money is taken", async () => {
    hub = await driveHub(engine);
    const open = await hub.order();
    const payment = await hub.open((await hub.order()).id);
    hub.gateway.set(payment.reference, "expired");
    await hub.notify(payment.reference, "expired");
    await hub.settle();
    await forgetJobs();
    hub.gateway.pay(payment.reference);
    await sweep(hub.hub, NO_JOB);
    await hub.settle();
    expect(await hub.payment(payment.id)).toMatchObject({ status: "paid", flags: ["late"] });
    expect((await hub.orderRow(open.id)).payment_status).toBe("unpaid");
    await hub.advance(25 * HOUR_MS);
    expect((await hub.orderRow(open.id)).payment_status).toBe("expired");
  });

  test("finds nothing where nothing is lost, at any hour of a payment's life", async () => {
    hub = await driveHub(engine);
    await unfinished();
    for (let hour = 0; hour < 80; hour += 4) {
      await hub.advance(4 * HOUR_MS);
      await sweep(hub.hub, NO_JOB);
      expect(hub.counts.get("lunas_swept_total{}") ?? 0, `after ${hour} h`).toBe(0);
    }
  });

  test("what a notification claimed and no answer has confirmed is asked about, also when its payment was done with long ago", async () => {
    hub = await driveHub(engine);
    const { id } = await paid();
    await hub.advance(30 * 24 * HOUR_MS);
    expect(await jobs()).not.toContain(`payment:${id}`);
    const told = await hub.store.write((tx) =>
      tx.updateTable("payment_transactions").set({ claim: "reversed" }).where("payment_id", "=", id).executeTakeFirstOrThrow(),
    );
    expect(told.numUpdatedRows).toBe(1n);
    await sweep(hub.hub, NO_JOB);
    expect(await jobs()).toContain(`payment:${id}`);
    // Asked about to the end, and then let go: the gateway never confirms it.
    for (let hour = 0; hour < 24; hour += 1) await hub.advance(HOUR_MS);
    const claims = await hub.store.read((db) => db.selectFrom("payment_transactions").select("claim").where("payment_id", "=", id).execute());
    expect(claims).toEqual([{ claim: null }]);
    await sweep(hub.hub, NO_JOB);
    expect(await jobs()).not.toContain(`payment:${id}`);
  });

  test("a delivery that waits for a resume of an endpoint that is active is sent", async () => {
    hub = await driveHub(engine);
    const { endpoint } = await createEndpoint(hub.hub, hub.shop_id, { url: "https://shop.test/hook", events: null, description: null });
    await hub.open((await hub.order()).id);
    const statuses = async () => {
      const rows = await hub.store.read((db) => db.selectFrom("deliveries").select("status").execute());
      return [...new Set(rows.map(({ status }) => status))];
    };
    await pauseEndpoint(hub.hub, hub.shop_id, endpoint.id, "test");
    expect(await statuses()).toEqual(["paused"]);
    await sweep(hub.hub, NO_JOB);
    expect(await statuses()).toEqual(["paused"]);
    await hub.store.write((tx) => tx.updateTable("endpoints").set({ status: "active" }).execute());
    await sweep(hub.hub, NO_JOB);
    expect(await statuses()).toEqual(["due"]);
    // An older hub beside this one claimed it and died.
    await hub.store.write((tx) => sql`UPDATE deliveries SET status = 'delivering', lease_until = due_at + 1000`.execute(tx));
    await sweep(hub.hub, NO_JOB);
    expect(await statuses()).toEqual(["delivering"]);
    await hub.advance(HOUR_MS);
    await sweep(hub.hub, NO_JOB);
    expect(await statuses()).toEqual(["due"]);
  });
});

test("the sweep's questions read indexes of what is unfinished, and no table from end to end", async () => {
  const hub = await driveHub();
  const plan = async (statement: string): Promise<string> =>
    (await hub.store.read((db) => sql<{ detail: string }>`EXPLAIN QUERY PLAN ${sql.raw(statement)}`.execute(db))).rows
      .map((row) => row.detail)
      .join("\n");
  expect(
    await plan("SELECT id FROM orders WHERE closed IS NULL AND payment_status IN ('unpaid', 'pending', 'failed', 'expired', 'canceled')"),
  ).toContain("orders_open");
  expect(await plan("SELECT payment_id FROM payment_transactions WHERE claim IS NOT NULL")).toContain("payment_transactions_claimed");
  expect(await plan("SELECT * FROM payments WHERE paid_at > 1")).toContain("payments_by_paid_at");
  expect(await plan("SELECT * FROM payments WHERE status IN ('failed', 'expired', 'canceled') AND expires_at > 1")).toContain("payments_closed");
  await hub.close();
});
