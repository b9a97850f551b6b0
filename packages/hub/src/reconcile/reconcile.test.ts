import type { Provider } from "@lunas/domain";
import { afterEach, describe, expect, test } from "vitest";
import { accountById } from "../collect/accounts.ts";
import { askGateway } from "../collect/ask.ts";
import { takeCall } from "../collect/budget.ts";
import type { Hub } from "../hub.ts";
import { type Job, PRIORITY } from "../store/jobs.ts";
import { type DrivenHub, driveHub, ENGINES } from "../testing/drive.ts";
import { prune } from "./prune.ts";
import { sweep } from "./sweep.ts";
import { startWorker } from "./worker.ts";

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const NO_JOB = {} as Job;

describe.each(ENGINES)("reconciling on %s", (engine) => {
  let hub: DrivenHub;
  afterEach(() => hub.close());

  test("unfinished work that has lost its job is found by the sweep (F3)", async () => {
    hub = await driveHub(engine);
    const payment = await hub.open((await hub.order()).id);
    await hub.store.write((tx) => tx.deleteFrom("jobs").execute());
    hub.gateway.pay(payment.reference);
    await hub.advance(DAY);
    expect((await hub.payment(payment.id)).status).toBe("pending");
    await sweep(hub.hub, NO_JOB);
    hub.hub.signals.emit({ kind: "jobs" });
    await hub.settle();
    expect((await hub.payment(payment.id)).status).toBe("paid");
  });

  test("a job that meets a mistake of ours is tried again, later each time, and never in a hot loop (F7)", async () => {
    hub = await driveHub(engine);
    let runs = 0;
    const worker = startWorker(hub.hub, {
      broken: async () => {
        runs += 1;
        throw new Error("a mistake of ours");
      },
    });
    await hub.store.write((tx) =>
      tx
        .insertInto("jobs")
        .values({
          key: "broken:x",
          kind: "broken",
          subject_id: "x",
          account_id: null,
          due_at: hub.clock.now(),
          lease_until: null,
          generation: 1,
          attempts: 0,
          priority: 3,
          payload: "{}",
        })
        .execute(),
    );
    await worker.idle();
    expect(runs).toBe(1);
    for (let minute = 0; minute < 600; minute += 10) {
      hub.clock.advance(10 * MINUTE);
      await worker.idle();
    }
    await worker.stop();
    expect(runs).toBeGreaterThan(8);
    expect(runs).toBeLessThan(25);
  });

  test("raw bodies go after 90 days and forged ones after 7; what is known of money stays", async () => {
    hub = await driveHub(engine);
    const payment = await hub.open((await hub.order()).id);
    hub.gateway.pay(payment.reference);
    await hub.notify(payment.reference, "paid");
    await hub.notify(payment.reference, "paid", "guessed");
    await hub.settle();
    const count = async () =>
      hub.store.read(async (db) => ({
        notifications: (await db.selectFrom("notifications").selectAll().execute()).length,
        bodies: (await db.selectFrom("notification_batches").selectAll().execute()).length,
      }));
    expect(await count()).toEqual({ notifications: 2, bodies: 2 });
    hub.clock.advance(8 * DAY);
    await prune(hub.hub, NO_JOB);
    expect(await count()).toEqual({ notifications: 1, bodies: 1 });
    hub.clock.advance(83 * DAY);
    await prune(hub.hub, NO_JOB);
    expect(await count()).toEqual({ notifications: 1, bodies: 0 });
    expect(await hub.payment(payment.id)).toMatchObject({ status: "paid", collected: 4_400_000n });
    expect((await hub.store.read((db) => db.selectFrom("answers").selectAll().execute())).length).toBeGreaterThan(0);
  });

  test("a spent budget is a visible wait with its time, and the question is asked when it is over", async () => {
    hub = await driveHub(engine);
    const poor = { ...(hub.gateway.provider as unknown as Provider), budget: { per_second: 1, burst: 4 } };
    const poorHub: Hub = { ...hub.hub, providers: new Map([[poor.name, poor]]) };
    const payment = await hub.open((await hub.order()).id);
    hub.gateway.pay(payment.reference);
    await hub.store.write((tx) => tx.updateTable("budgets").set({ tokens_milli: 4_000, refilled_at: hub.clock.now() }).execute());
    const account = await accountById(poorHub, payment.account_id);
    for (let call = 0; call < 4; call += 1) expect((await takeCall(poorHub, account, PRIORITY.money)).granted).toBe(true);
    expect(await askGateway(poorHub, payment.id, "get", "test", PRIORITY.notified)).toMatchObject({ asked: false });
    const { waiting_for_quota_until } = await hub.payment(payment.id);
    expect(waiting_for_quota_until).toBeGreaterThan(hub.clock.now());
    hub.clock.set(waiting_for_quota_until!);
    expect(await askGateway(poorHub, payment.id, "get", "test", PRIORITY.notified)).toMatchObject({ asked: true });
    expect(await hub.payment(payment.id)).toMatchObject({ status: "paid", waiting_for_quota_until: null });
  });

  test("a poll never takes the last calls from money", async () => {
    hub = await driveHub(engine);
    const poor = { ...(hub.gateway.provider as unknown as Provider), budget: { per_second: 1, burst: 10, per_day: 12 } };
    const poorHub: Hub = { ...hub.hub, providers: new Map([[poor.name, poor]]) };
    const account = await accountById(poorHub, hub.account_id);
    const take = async (priority: number): Promise<number> => {
      let granted = 0;
      while ((await takeCall(poorHub, account, priority)).granted) granted += 1;
      return granted;
    };
    expect(await take(PRIORITY.poll)).toBe(6);
    expect(await take(PRIORITY.money)).toBe(4);
    hub.clock.advance(10_000);
    expect(await take(PRIORITY.money)).toBe(2);
    const refused = await takeCall(poorHub, account, PRIORITY.money);
    expect(refused).toMatchObject({ granted: false, until: (Math.floor(hub.clock.now() / DAY) + 1) * DAY });
  });
});
