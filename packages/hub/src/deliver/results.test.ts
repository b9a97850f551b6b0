import type { IdKind } from "@lunas/domain";
import type { Selectable } from "kysely";
import { describe, expect, test } from "vitest";
import type { DeliveriesTable } from "../store/index.ts";
import { FIRST_WITHIN_MS } from "./attempts.ts";
import { claimDeliveries, pauseDeliveries, releaseDeliveries } from "./claim.ts";
import { type AttemptResult, saveResults } from "./results.ts";
import { answer, ENGINES, type Engine, makeStage, played, type Stage } from "./testing/stage.ts";

const LEASE_MS = 150_000;

async function claimedStage(engine: Engine, count = 1): Promise<Stage> {
  const stage = await makeStage(engine, played(() => answer(200)).http);
  await stage.endpoint("https://shop.test/", { events: ["payment.paid"] });
  for (let made = 0; made < count; made += 1) await stage.event();
  return stage;
}

function claim(stage: Stage, room = 100) {
  return claimDeliveries(stage.store, { now_ms: stage.clock.now(), lease_ms: LEASE_MS, total: 1_000, room: () => room });
}

function result(delivery: AttemptResult["delivery"], verdict: AttemptResult["verdict"], now: number): AttemptResult {
  const delivered = verdict === "delivered";
  return {
    delivery,
    started_at: now,
    elapsed_ms: 12.6,
    status: delivered ? 200 : 500,
    fault: delivered ? null : "http",
    response_body: 'ok \uFFFD "quoted" \\ é 🙂',
    verdict,
    due_at: verdict === "retry" ? now + 5_000 : null,
  };
}

type Change = { [K in "status" | "trigger" | "due_at" | "lease_until" | "step" | "generation"]?: Selectable<DeliveriesTable>[K] };

async function meanwhile(stage: Stage, change: Change): Promise<void> {
  await stage.store.write((tx) => tx.updateTable("deliveries").set(change).execute());
}

describe.each(ENGINES)("the result of an attempt, on %s", (engine) => {
  for (const [verdict, expected] of [
    ["delivered", { delivery: "delivered", status: 200, fault: null }],
    ["retry", { delivery: "due", status: 500, fault: "http" }],
    ["exhausted", { delivery: "exhausted", status: 500, fault: "http" }],
    ["gone", { delivery: "exhausted", status: 500, fault: "http" }],
  ] as const) {
    test(`${verdict}: the delivery is ${expected.delivery}, and the attempt is logged as it was`, async () => {
      const stage = await claimedStage(engine);
      const now = stage.clock.now();
      const { deliveries } = await claim(stage);
      await saveResults(stage.hub, [result(deliveries[0]!, verdict, now)]);
      const [row] = await stage.deliveries();
      expect(row).toMatchObject({ status: expected.delivery, attempts: 1, step: 1, lease_until: null });
      expect(row!.delivered_at).toBe(verdict === "delivered" ? now + 13 : null);
      expect(row!.due_at).toBe(verdict === "retry" ? now + 5_000 : now);
      const [attempt] = await stage.attempts(row!.id);
      expect(attempt).toEqual({
        id: expect.stringMatching(/^att_[0-9a-z]{22}$/),
        delivery_id: row!.id,
        number: 1,
        trigger: "schedule",
        started_at: now,
        elapsed_ms: 13,
        status: expected.status,
        fault: expected.fault,
        response_body: 'ok \uFFFD "quoted" \\ é 🙂',
      });
    });
  }

  test("a wish that came meanwhile stands: who paused it or armed it anew has the say; a success counts unless a repetition was wished for", async () => {
    const cases = [
      { change: { status: "paused", lease_until: null }, verdict: "retry", after: { status: "paused", step: 0 } },
      { change: { status: "paused", lease_until: null }, verdict: "exhausted", after: { status: "paused", step: 0 } },
      { change: { status: "paused", lease_until: null }, verdict: "delivered", after: { status: "delivered" } },
      {
        change: { status: "due", lease_until: null, step: 0, trigger: "resend" },
        verdict: "retry",
        after: { status: "due", step: 0, trigger: "resend" },
      },
      {
        change: { status: "due", lease_until: null, step: 0, trigger: "resend", generation: 1 },
        verdict: "delivered",
        after: { status: "due", step: 0, trigger: "resend" },
      },
      // Claimed anew for the resend, by a hub whose lease ends at the same millisecond.
      { change: { trigger: "resend", generation: 1 }, verdict: "delivered", after: { status: "delivering", step: 0, trigger: "resend" } },
      { change: { trigger: "resend", generation: 1 }, verdict: "retry", after: { status: "delivering", step: 0, trigger: "resend" } },
      { change: { status: "due", lease_until: null, step: 0, trigger: "replay" }, verdict: "delivered", after: { status: "delivered" } },
      { change: { lease_until: 9_000_000_000_000 }, verdict: "exhausted", after: { status: "delivering", lease_until: 9_000_000_000_000, step: 0 } },
      { change: { lease_until: 9_000_000_000_000 }, verdict: "delivered", after: { status: "delivered", lease_until: null } },
    ] as const;
    for (const { change, verdict, after } of cases) {
      const stage = await claimedStage(engine);
      const { deliveries } = await claim(stage);
      await meanwhile(stage, change);
      await saveResults(stage.hub, [result(deliveries[0]!, verdict, stage.clock.now())]);
      const [row] = await stage.deliveries();
      // The attempt was made, whatever became of the delivery.
      expect([change, verdict, row]).toMatchObject([change, verdict, { ...after, attempts: 1 }]);
      expect(await stage.attempts(row!.id)).toMatchObject([{ number: 1 }]);
    }
  });

  test("each attempt is kept as it was: the first with its delivery, also when two hubs tell of one at once; later ones and a late first beside it", async () => {
    const stage = await claimedStage(engine, 2);
    const now = stage.clock.now();
    const [one, other] = (await claim(stage)).deliveries;
    // Both hubs believe that theirs is the first.
    await saveResults(stage.hub, [result(one!, "retry", now)]);
    await saveResults(stage.hub, [{ ...result(one!, "exhausted", now + 1), status: 502, response_body: "later" }]);
    stage.advance(FIRST_WITHIN_MS + 1);
    await saveResults(stage.hub, [result(other!, "delivered", stage.clock.now())]);
    expect(await stage.attempts(one!.id)).toMatchObject([
      { number: 1, started_at: now, status: 500 },
      { number: 2, started_at: now + 1, status: 502, response_body: "later" },
    ]);
    expect(await stage.attempts(other!.id)).toMatchObject([{ number: 1, started_at: stage.clock.now(), status: 200 }]);
    const beside = await stage.store.read((db) => db.selectFrom("attempts").select(["delivery_id", "number"]).orderBy("delivery_id").execute());
    expect(beside).toEqual([
      { delivery_id: one!.id, number: 2 },
      { delivery_id: other!.id, number: 1 },
    ]);
  });

  test("many results of several endpoints are written together, each to its own delivery", async () => {
    const stage = await claimedStage(engine, 40);
    const second = await stage.endpoint("https://second.test/", { events: ["order.paid"] });
    for (let made = 0; made < 40; made += 1) await stage.event("order.paid");
    const { deliveries } = await claim(stage);
    expect(deliveries).toHaveLength(80);
    const verdicts = ["delivered", "retry", "retry"] as const;
    await saveResults(
      stage.hub,
      deliveries.map((one, index) => result(one, verdicts[index % 3]!, stage.clock.now())),
    );
    const expected = new Map(deliveries.map((one, index) => [one.id, (["delivered", "due", "due"] as const)[index % 3]]));
    for (const row of await stage.deliveries()) expect([row.id, row.status]).toEqual([row.id, expected.get(row.id)]);
    expect((await stage.deliveries(second)).every((one) => one.attempts === 1)).toBe(true);
    for (const row of await stage.deliveries()) expect(await stage.attempts(row.id)).toMatchObject([{ delivery_id: row.id, number: 1 }]);
  });

  test("attempts stand in their order also when the clock of the hub that made a later one is behind", async () => {
    const stage = await claimedStage(engine);
    const { deliveries } = await claim(stage);
    const now = stage.clock.now();
    const ids = ["att_3", "att_2"];
    const hub = { ...stage.hub, newId: (kind: IdKind) => (kind === "attempt" ? ids.shift()! : stage.hub.newId(kind)) };
    for (let made = 0; made < 3; made += 1) await saveResults(hub, [result(deliveries[0]!, "retry", now + made)]);
    expect((await stage.attempts(deliveries[0]!.id)).map((one) => one.number)).toEqual([1, 2, 3]);
  });

  test("an exhausted delivery and a success of the same group: the success arms it once more", async () => {
    const stage = await claimedStage(engine, 2);
    const { deliveries } = await claim(stage);
    const now = stage.clock.now();
    const [saved] = await saveResults(stage.hub, [result(deliveries[0]!, "exhausted", now), result(deliveries[1]!, "delivered", now)]);
    expect(saved).toEqual({ stopped: false, more_due: true });
    const rows = await stage.deliveries();
    expect(rows.map((one) => [one.status, one.trigger])).toEqual([
      ["due", "replay"],
      ["delivered", "schedule"],
    ]);
  });
});

describe.each(ENGINES)("a claim, on %s", (engine) => {
  test("takes what is due and no more than each endpoint's room, and says when the next one is due", async () => {
    const stage = await claimedStage(engine, 10);
    const now = stage.clock.now();
    const other = await stage.endpoint("https://other.test/", { events: ["order.paid"] });
    for (let made = 0; made < 3; made += 1) await stage.event("order.paid");
    await stage.store.write((tx) =>
      tx
        .updateTable("deliveries")
        .set({ due_at: now + 7_000 })
        .where("endpoint_id", "=", other)
        .execute(),
    );
    const first = await claim(stage, 4);
    expect(first.deliveries).toHaveLength(4);
    expect(first).toMatchObject({ more: true, next_due_at: now + 7_000 });
    for (const one of first.deliveries) {
      expect(one.lease_until).toBe(now + LEASE_MS);
      expect(JSON.parse(first.bodies.get(one.event_id)!)).toMatchObject({ id: one.event_id });
      expect(first.targets.get(one.endpoint_id)).toMatchObject({ status: "active", url: "https://shop.test/" });
    }
    const second = await claim(stage, 100);
    expect(second.deliveries).toHaveLength(6);
    expect(second.more).toBe(false);
    stage.advance(7_000);
    const third = await claim(stage, 100);
    expect(third.deliveries).toHaveLength(3);
    expect(await claim(stage, 100)).toMatchObject({ deliveries: [], more: false, next_due_at: undefined });
  });

  test("leaves alone whoever has no room, without being held up by them", async () => {
    const stage = await claimedStage(engine, 50);
    const other = await stage.endpoint("https://other.test/", { events: ["order.paid"] });
    await stage.event("order.paid");
    const found = await claimDeliveries(stage.store, {
      now_ms: stage.clock.now(),
      lease_ms: LEASE_MS,
      total: 10,
      room: (id) => (id === other ? 5 : 0),
    });
    expect(found.deliveries.map((one) => one.endpoint_id)).toEqual([other]);
  });

  test("shares what is left between those who wait", async () => {
    const stage = await claimedStage(engine, 50);
    for (let made = 0; made < 40; made += 1) await stage.endpoint(`https://shop-${made}.test/`, { events: ["order.paid"] });
    for (let made = 0; made < 3; made += 1) await stage.event("order.paid");
    const found = await claimDeliveries(stage.store, { now_ms: stage.clock.now(), lease_ms: LEASE_MS, total: 41, room: () => 100 });
    expect(found.deliveries).toHaveLength(41);
    expect(new Set(found.deliveries.map((one) => one.endpoint_id)).size).toBe(41);
  });

  test("gives back and pauses only what is still held by it", async () => {
    const stage = await claimedStage(engine, 2);
    const now = stage.clock.now();
    const { deliveries } = await claim(stage);
    stage.advance(LEASE_MS);
    const { deliveries: again } = await claim(stage);
    expect(again).toHaveLength(2);
    await releaseDeliveries(stage.store, deliveries, now);
    await pauseDeliveries(stage.store, deliveries);
    expect((await stage.deliveries()).map((one) => one.status)).toEqual(["delivering", "delivering"]);
    await releaseDeliveries(stage.store, again.slice(0, 1), now + 9);
    await stage.store.write((tx) => tx.updateTable("endpoints").set({ status: "paused" }).execute());
    expect(await pauseDeliveries(stage.store, again.slice(1))).toBe(false);
    expect((await stage.deliveries()).map((one) => [one.status, one.lease_until, one.attempts])).toEqual([
      ["due", null, 0],
      ["paused", null, 0],
    ]);
  });
});
