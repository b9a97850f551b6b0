import type { HttpResult } from "@lunas/domain";
import { describe, expect, onTestFinished, test } from "vitest";
import { replayEndpoint, resendEvent } from "./again.ts";
import { answer, ENGINES, type Engine, makeStage, played, webhookId } from "./testing/stage.ts";

/** The machine may have much to do beside this. */
const WITHIN = { timeout: 15_000 };

/** A stage whose first request is answered when the test says so, and is under way. */
async function underWay(engine: Engine) {
  const sent = Promise.withResolvers<void>();
  const first = Promise.withResolvers<HttpResult>();
  const { http, requests } = played((_, index) => {
    if (index > 0) return answer(200);
    sent.resolve();
    return first.promise;
  });
  const stage = await makeStage(engine, http);
  onTestFinished(() => first.resolve(answer(200)));
  const id = await stage.endpoint("https://shop.test/", { events: ["payment.paid"] });
  const event_id = await stage.event();
  const dispatcher = stage.start();
  await sent.promise;
  const row = async () => (await stage.deliveries(id))[0]!;
  return { stage, id, event_id, dispatcher, row, answerFirst: first.resolve, ids: () => requests.map(webhookId) };
}

describe.each(ENGINES)("an event that is sent again, on %s", (engine) => {
  test("arrives again, with the same webhook-id, although it was delivered (F9)", async () => {
    const { http, requests } = played(() => answer(200));
    const stage = await makeStage(engine, http);
    const id = await stage.endpoint("https://shop.test/", { events: ["payment.paid"] });
    const event_id = await stage.event();
    const dispatcher = stage.start();
    await dispatcher.idle();
    await resendEvent(stage.hub, stage.shop_id, event_id, undefined);
    await dispatcher.idle();
    expect(requests.map(webhookId)).toEqual([event_id, event_id]);
    expect(requests[1]!.body).toEqual(requests[0]!.body);
    const [delivery] = await stage.deliveries(id);
    expect(delivery).toMatchObject({ status: "delivered", attempts: 2, trigger: "resend" });
    expect(await stage.attempts(delivery!.id)).toMatchObject([
      { number: 1, trigger: "schedule" },
      { number: 2, trigger: "resend" },
    ]);
  });

  for (const status of [200, 500]) {
    test(`while an attempt is under way that ends with ${status}: another one is made after it (F9)`, async () => {
      const { stage, event_id, dispatcher, row, answerFirst, ids } = await underWay(engine);
      await resendEvent(stage.hub, stage.shop_id, event_id, undefined);
      await expect.poll(async () => (await row()).status, WITHIN).toBe("delivering");
      expect(ids()).toEqual([event_id]);
      answerFirst(answer(status));
      await dispatcher.idle();
      expect(ids()).toEqual([event_id, event_id]);
      expect(await row()).toMatchObject({ status: "delivered", attempts: 2, step: 1, lease_until: null });
      expect((await stage.attempts((await row()).id)).map((one) => [one.number, one.trigger, one.status])).toEqual([
        [1, "schedule", status],
        [2, "resend", 200],
      ]);
    });
  }

  test("twice while an attempt is under way is made once more: the last wish counts", async () => {
    const { stage, event_id, dispatcher, row, answerFirst, ids } = await underWay(engine);
    for (let wish = 0; wish < 2; wish += 1) {
      await resendEvent(stage.hub, stage.shop_id, event_id, undefined);
      await expect.poll(async () => (await row()).status, WITHIN).toBe("delivering");
    }
    answerFirst(answer(200));
    await dispatcher.idle();
    expect(ids()).toEqual([event_id, event_id]);
    expect(await row()).toMatchObject({ status: "delivered", attempts: 2, lease_until: null });
  });

  test("by a hub that stops before its turn comes is sent by the next one", async () => {
    const { stage, event_id, dispatcher, row, answerFirst, ids } = await underWay(engine);
    await resendEvent(stage.hub, stage.shop_id, event_id, undefined);
    await expect.poll(async () => (await row()).status, WITHIN).toBe("delivering");
    const stopped = dispatcher.stop();
    answerFirst(answer(200));
    await stopped;
    expect(ids()).toEqual([event_id]);
    expect(await row()).toMatchObject({ status: "due", attempts: 1, lease_until: null });
    await stage.start().idle();
    expect(ids()).toEqual([event_id, event_id]);
  });

  test("with all others by a replay of all: what is delivered meanwhile comes again, too", async () => {
    const { http, requests } = played(() => answer(200));
    const stage = await makeStage(engine, http);
    const since = stage.clock.now();
    const id = await stage.endpoint("https://shop.test/", { events: ["payment.paid"] });
    const happened = [await stage.event(), await stage.event()];
    const dispatcher = stage.start();
    await dispatcher.idle();
    await replayEndpoint(stage.hub, stage.shop_id, id, { since, only: "all" });
    await dispatcher.idle();
    expect(requests.map(webhookId)).toEqual([...happened, ...happened]);
  });
});
