import type { HttpResult } from "@lunas/domain";
import { sql } from "kysely";
import { describe, expect, onTestFinished, test } from "vitest";
import { emitEvent } from "../collect/emit.ts";
import type { Hub } from "../hub.ts";
import { makeSignals } from "../signals.ts";
import { replayEndpoint } from "./again.ts";
import { claimDeliveries, pauseDeliveries } from "./claim.ts";
import { deleteEndpoint, pauseEndpoint, resumeEndpoint, rotateSecret, updateEndpoint } from "./operations.ts";
import { signStandard } from "./signature.ts";
import { answer, ENGINES, type Engine, makeStage, played, SECRET, type Stage, webhookId } from "./testing/stage.ts";

/** The machine may have much to do beside this. */
const WITHIN = { timeout: 15_000 };

const claim = (stage: Stage) => claimDeliveries(stage.store, { now_ms: stage.clock.now(), lease_ms: 150_000, total: 1_000, room: () => 100 });

/** Sixteen of forty deliveries are under way, and answered when the test says so; the others wait in their lane. */
async function crowded(engine: Engine) {
  const letGo = Promise.withResolvers<HttpResult>();
  const begun = Promise.withResolvers<void>();
  const { http, requests } = played(() => {
    if (requests.length <= 60) return answer(200);
    if (requests.length === 76) begun.resolve();
    return letGo.promise;
  });
  const stage = await makeStage(engine, http);
  onTestFinished(() => letGo.resolve(answer(200)));
  const id = await stage.endpoint("https://shop.test/old", { events: ["payment.paid"] });
  // The better it answers, the more its lane takes.
  for (let made = 0; made < 60; made += 1) await stage.event();
  const dispatcher = stage.start();
  await dispatcher.idle();
  for (let made = 0; made < 40; made += 1) await stage.event();
  stage.hub.signals.emit({ kind: "deliveries" });
  await begun.promise;
  await expect.poll(async () => (await stage.deliveries(id)).filter((one) => one.status === "delivering").length, WITHIN).toBe(40);
  const later = () => requests.slice(76);
  return { stage, id, dispatcher, later, letGo: () => letGo.resolve(answer(200)) };
}

describe.each(ENGINES)("what is done to an endpoint whose lane is full, on %s", (engine) => {
  test("pause: nothing begins after it was answered, and what waited comes on resume", async () => {
    const { stage, id, dispatcher, later, letGo } = await crowded(engine);
    await pauseEndpoint(stage.hub, stage.shop_id, id, "by hand");
    letGo();
    await dispatcher.idle();
    expect(later()).toHaveLength(0);
    expect((await stage.deliveries(id)).filter((one) => one.status === "paused")).toHaveLength(24);
    await resumeEndpoint(stage.hub, stage.shop_id, id);
    await dispatcher.idle();
    expect(later()).toHaveLength(24);
  });

  test("delete: nothing begins after it was answered, ever", async () => {
    const { stage, id, dispatcher, later, letGo } = await crowded(engine);
    await deleteEndpoint(stage.hub, stage.shop_id, id);
    letGo();
    await dispatcher.idle();
    expect(later()).toHaveLength(0);
    expect((await stage.deliveries(id)).map((one) => one.status).filter((status) => status !== "delivered")).toEqual(Array(24).fill("paused"));
  });

  test("rotate: all that begins after it is signed with the new secret, too", async () => {
    const { stage, id, dispatcher, later, letGo } = await crowded(engine);
    const { secret } = await rotateSecret(stage.hub, stage.shop_id, id);
    letGo();
    await dispatcher.idle();
    expect(later()).toHaveLength(24);
    for (const { headers, body } of later()) {
      const signed = signStandard(headers["webhook-id"]!, Number(headers["webhook-timestamp"]), body as Uint8Array, [secret, SECRET]);
      expect(headers["webhook-signature"]).toBe(signed);
    }
  });

  test("another URL: all that begins after it goes there", async () => {
    const { stage, id, dispatcher, later, letGo } = await crowded(engine);
    await updateEndpoint(stage.hub, stage.shop_id, id, { url: "https://shop.test/new" });
    letGo();
    await dispatcher.idle();
    expect(later().map((one) => one.url)).toEqual(Array(24).fill("https://shop.test/new"));
  });

  test("by another hub of the same database: it is noticed at the next look, a second later", async () => {
    const { stage, id, dispatcher, later, letGo } = await crowded(engine);
    const other: Hub = { ...stage.hub, signals: makeSignals() };
    await deleteEndpoint(other, stage.shop_id, id);
    stage.wall.advance(1_000);
    stage.hub.signals.emit({ kind: "deliveries" });
    await expect.poll(async () => (await stage.deliveries(id)).filter((one) => one.status === "paused").length, WITHIN).toBe(24);
    letGo();
    await dispatcher.idle();
    expect(later()).toHaveLength(0);
  });

  test("while its deliveries are being claimed: what was claimed for the old one is not sent", async () => {
    const { http, requests } = played(() => answer(200));
    const stage = await makeStage(engine, http);
    const id = await stage.endpoint("https://shop.test/", { events: ["payment.paid"] });
    await stage.event();
    const claimed = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    const hub: Hub = { ...stage.hub, store: Object.assign(Object.create(stage.store) as Hub["store"], { engine: stage.store.engine }) };
    hub.store.read = (query) => stage.store.read(query);
    hub.store.write = async (work) => {
      const done = await stage.store.write(work);
      claimed.resolve();
      await goOn.promise;
      return done;
    };
    const dispatcher = stage.start(hub);
    await claimed.promise;
    await deleteEndpoint(stage.hub, stage.shop_id, id);
    goOn.resolve();
    await dispatcher.idle();
    expect(requests).toEqual([]);
    expect(await stage.deliveries(id)).toMatchObject([{ status: "paused", attempts: 0 }]);
  });
});

describe.each(ENGINES)("a resume, on %s", (engine) => {
  test("that comes between the claim which found the endpoint paused and its being written: the delivery is due, and sent", async () => {
    const { http, requests } = played(() => answer(200));
    const stage = await makeStage(engine, http);
    const id = await stage.endpoint("https://shop.test/", { events: ["payment.paid"] });
    const event_id = await stage.event();
    await stage.store.write((tx) => tx.updateTable("endpoints").set({ status: "paused" }).execute());
    const { deliveries, targets } = await claim(stage);
    expect(targets.get(id)?.status).toBe("paused");
    await resumeEndpoint(stage.hub, stage.shop_id, id);
    expect(await pauseDeliveries(stage.store, deliveries)).toBe(true);
    await stage.start().idle();
    expect(requests.map(webhookId)).toEqual([event_id]);
    expect(await stage.deliveries(id)).toMatchObject([{ status: "delivered", attempts: 1 }]);
  });

  test("that comes while an event is being written for the paused endpoint finds it: nothing stays behind", async () => {
    const { http, requests } = played(() => answer(200));
    const stage = await makeStage(engine, http);
    const id = await stage.endpoint("https://shop.test/", { events: ["payment.paid"] });
    await pauseEndpoint(stage.hub, stage.shop_id, id, "by hand");
    const written = Promise.withResolvers<void>();
    const commit = Promise.withResolvers<void>();
    const emitting = stage.store.write(async (tx) => {
      const subject = { type: "payment", id: "pay_1" } as const;
      const event_id = await emitEvent(stage.hub, tx, { shop_id: stage.shop_id, type: "payment.paid", subject, data: {} });
      written.resolve();
      await commit.promise;
      return event_id;
    });
    await written.promise;
    let resumed = false;
    const resuming = resumeEndpoint(stage.hub, stage.shop_id, id).then(() => (resumed = true));
    // It has either overtaken the event, or waits for it.
    if (engine === "postgres") await expect.poll(async () => resumed || (await someoneWaits(stage)), WITHIN).toBe(true);
    commit.resolve();
    await resuming;
    const event_id = await emitting;
    await stage.start().idle();
    expect(requests.map(webhookId)).toEqual([event_id]);
  });
});

async function someoneWaits(stage: Stage): Promise<boolean> {
  const { rows } = await stage.store.read((db) =>
    sql`SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`.execute(db),
  );
  return rows.length > 0;
}

describe.each(ENGINES)("a replay, on %s", (engine) => {
  test("sends what an endpoint was never told in the order in which it happened, over several pages", async () => {
    const { http, requests } = played(() => answer(200));
    const stage = await makeStage(engine, http);
    const since = stage.clock.now();
    const happened: string[] = [];
    for (let made = 0; made < 620; made += 1) happened.push(await stage.event());
    const id = await stage.endpoint("https://late.test/", { events: ["payment.paid"] });
    expect(await replayEndpoint(stage.hub, stage.shop_id, id, { since, only: "missing" })).toEqual({ rearmed: 0, created: 620 });
    const rows = await stage.deliveries(id);
    expect(rows.map((one) => one.event_id)).toEqual(happened);
    await stage.start().idle();
    expect(requests.map(webhookId)).toEqual(happened);
  });
});
