import { DAY_MS, DELIVERY_GAPS_MS, HOUR_MS, SECOND_MS } from "@lunas/domain";
import { describe, expect, test } from "vitest";
import { answer, ENGINES, fault, makeStage, played, type Stage, webhookId } from "./testing/stage.ts";

/** The only delivery of a stage. */
async function theDelivery(stage: Stage) {
  const [only, ...others] = await stage.deliveries();
  expect(others).toEqual([]);
  return only!;
}

describe.each(ENGINES)("the schedule of a delivery, on %s", (engine) => {
  test("a dead endpoint gets twelve attempts at their times, each persisted: every one is made by a dispatcher that knows nothing of the last (F4, F7)", async () => {
    const { http, requests } = played(() => answer(500));
    const stage = await makeStage(engine, http);
    await stage.endpoint("https://shop.test/hook", { events: ["payment.paid"] });
    const event_id = await stage.event();
    for (const [step, nominal] of DELIVERY_GAPS_MS.entries()) {
      const due_in = (await theDelivery(stage)).due_at - stage.clock.now();
      const slack = nominal >= 30 * SECOND_MS ? 0.2 * nominal : 0;
      expect(due_in).toBeGreaterThanOrEqual(nominal - slack);
      expect(due_in).toBeLessThanOrEqual(nominal + slack);
      if (due_in > 0) {
        stage.advance(due_in - 1);
        const early = stage.start();
        await early.idle();
        await early.stop();
        expect(requests).toHaveLength(step);
        stage.advance(1);
      }
      const dispatcher = stage.start();
      await dispatcher.idle();
      await dispatcher.stop();
      expect(requests).toHaveLength(step + 1);
    }
    const delivery = await theDelivery(stage);
    expect(delivery).toMatchObject({ status: "exhausted", attempts: 12 });
    expect(new Set(requests.map(webhookId))).toEqual(new Set([event_id]));
    const attempts = await stage.attempts(delivery.id);
    expect(attempts.map((one) => [one.number, one.status, one.fault])).toEqual(Array.from({ length: 12 }, (_, n) => [n + 1, 500, "http"]));
    // What is exhausted stays so.
    stage.advance(400 * DAY_MS);
    await stage.start().idle();
    expect(requests).toHaveLength(12);
  });

  test("a delivery that succeeds is done: one request, and never another", async () => {
    const { http, requests } = played(() => answer(204));
    const stage = await makeStage(engine, http);
    await stage.endpoint("https://shop.test/hook", { events: ["payment.paid"] });
    await stage.event();
    const dispatcher = stage.start();
    await dispatcher.idle();
    stage.advance(30 * DAY_MS);
    await dispatcher.idle();
    expect(requests).toHaveLength(1);
    expect(await theDelivery(stage)).toMatchObject({ status: "delivered", attempts: 1, first_status: 204, first_fault: null, lease_until: null });
    expect((await theDelivery(stage)).delivered_at).toBeTypeOf("number");
  });

  test("410 ends it: the endpoint is disabled, and what was due for it is kept", async () => {
    const { http, requests } = played(() => answer(410));
    const stage = await makeStage(engine, http);
    const id = await stage.endpoint("https://shop.test/hook", { events: ["payment.paid"] });
    await stage.event();
    const dispatcher = stage.start();
    await dispatcher.idle();
    expect(await stage.endpointRow(id)).toMatchObject({ status: "disabled", paused_reason: "it answered 410 Gone" });
    expect(await stage.deliveries()).toMatchObject([{ status: "exhausted", attempts: 1, first_status: 410 }]);
    expect(requests).toHaveLength(1);
  });

  test("the wait that a receiver asks for is kept from the first try on, up to a day, and the schedule's where that is longer", async () => {
    const asked = [120, 3 * 86_400, 120, 120, 120, 120];
    const { http, requests } = played((_, index) => answer(503, { "retry-after": String(asked[index]) }));
    const stage = await makeStage(engine, http);
    await stage.endpoint("https://shop.test/hook", { events: ["payment.paid"] });
    await stage.event();
    const dispatcher = stage.start();
    const gaps: number[] = [];
    for (let step = 0; step < asked.length; step += 1) {
      await dispatcher.idle();
      expect(requests).toHaveLength(step + 1);
      const gap = (await theDelivery(stage)).due_at - stage.clock.now();
      gaps.push(gap / SECOND_MS);
      // Nothing comes a moment before.
      stage.advance(gap - 1);
      await dispatcher.idle();
      expect(requests).toHaveLength(step + 1);
      stage.advance(1);
    }
    expect(gaps.slice(0, 2)).toEqual([120, 86_400]);
    for (const [index, nominal] of [120, 600, 1_800, 7_200].entries()) {
      expect(gaps[index + 2]).toBeGreaterThanOrEqual(Math.max(120, 0.8 * nominal));
      expect(gaps[index + 2]).toBeLessThanOrEqual(1.2 * nominal);
    }
  });

  test("after 429 or a time-out at least a minute passes", async () => {
    for (const result of [answer(429), fault("timeout")]) {
      const { http } = played(() => result);
      const stage = await makeStage(engine, http);
      await stage.endpoint("https://shop.test/hook", { events: ["payment.paid"] });
      await stage.event();
      await stage.start().idle();
      expect((await theDelivery(stage)).due_at - stage.clock.now()).toBe(60 * SECOND_MS);
    }
  });

  test("a clock that jumps a day ahead or back stops nothing: what is due is sent, and comes to an end (F6)", async () => {
    const { http, requests } = played((_, index) => answer(index < 2 ? 500 : 200));
    const stage = await makeStage(engine, http);
    await stage.endpoint("https://shop.test/hook", { events: ["payment.paid"] });
    await stage.event();
    const dispatcher = stage.start();
    await dispatcher.idle();
    stage.advance(DAY_MS);
    await dispatcher.idle();
    expect(requests).toHaveLength(2);
    stage.advance(-DAY_MS);
    await dispatcher.idle();
    await stage.event();
    await dispatcher.idle();
    expect(requests).toHaveLength(3);
    stage.advance(DAY_MS + 1 * HOUR_MS);
    await dispatcher.idle();
    expect((await stage.deliveries()).map((one) => one.status)).toEqual(["delivered", "delivered"]);
  });

  test("an endpoint that we cannot sign for is our fault to see: an attempt with the fault config, on the schedule, to its end (F7, F10)", async () => {
    const { http, requests } = played(() => answer(200));
    const stage = await makeStage(engine, http);
    await stage.endpoint("https://shop.test/hook", { format: "telegram", events: ["payment.paid"] });
    await stage.event();
    const dispatcher = stage.start();
    for (let step = 0; step < 14; step += 1) {
      await dispatcher.idle();
      stage.advance(2 * DAY_MS);
    }
    const delivery = await theDelivery(stage);
    expect(requests).toEqual([]);
    expect(["exhausted", "paused"]).toContain(delivery.status);
    const attempts = await stage.attempts(delivery.id);
    expect(attempts.length).toBeLessThanOrEqual(12);
    expect(attempts.every((one) => one.fault === "config")).toBe(true);
  });
});
