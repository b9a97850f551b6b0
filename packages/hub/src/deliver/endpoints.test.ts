import { DAY_MS, DELIVERY_GAPS_MS, HOUR_MS, type HttpRequest, SECOND_MS } from "@lunas/domain";
import { describe, expect, test } from "vitest";
import { BREAKER } from "./breaker.ts";
import { resumeEndpoint } from "./operations.ts";
import { answer, ENGINES, fault, makeStage, played, type Stage, webhookId } from "./testing/stage.ts";

const typeOf = (request: HttpRequest): string => (JSON.parse(Buffer.from(request.body as Uint8Array).toString()) as { type: string }).type;
const dataOf = (request: HttpRequest): { endpoint: Record<string, unknown> } =>
  (JSON.parse(Buffer.from(request.body as Uint8Array).toString()) as { data: { endpoint: Record<string, unknown> } }).data;

/** Breaker after breaker, until this many requests went to the dead endpoint or it is no longer tried. */
async function keepFailing(stage: Stage, idle: () => Promise<void>, made: () => number, limit: number): Promise<void> {
  await idle();
  for (let round = 0; round < 4 * limit && made() < limit; round += 1) {
    stage.advance(BREAKER.open_ms);
    await idle();
  }
}

describe.each(ENGINES)("an endpoint that fails, on %s", (engine) => {
  test("its breaker opens after ten failures: the rest waits, waiting is no attempt, and idle does not wait for it", async () => {
    let up = false;
    const { http, requests } = played(() => (up ? answer(200) : fault("connect")));
    const stage = await makeStage(engine, http);
    const id = await stage.endpoint("https://dead.test/", { events: ["payment.paid"] });
    for (let made = 0; made < 40; made += 1) await stage.event();
    const dispatcher = stage.start();
    await dispatcher.idle();
    // Those that were under way when the tenth failed are answered too.
    expect(requests.length).toBeGreaterThanOrEqual(BREAKER.requests_min);
    expect(requests.length).toBeLessThanOrEqual(BREAKER.requests_min + 16);
    const tried = requests.length;
    const untried = (await stage.deliveries(id)).filter((one) => one.attempts === 0);
    expect(untried).toHaveLength(40 - tried);
    for (const one of untried) expect(one).toMatchObject({ status: "due", step: 0, lease_until: null });
    // Open: nothing is tried, however often anybody asks.
    stage.advance(BREAKER.open_ms - 1);
    await dispatcher.idle();
    expect(requests).toHaveLength(tried);
    // Half open: one probe, which fails.
    stage.advance(1);
    await dispatcher.idle();
    expect(requests).toHaveLength(tried + 1);
    // The next one finds it back.
    up = true;
    stage.advance(BREAKER.open_ms);
    await dispatcher.idle();
    stage.advance(1 * SECOND_MS);
    await dispatcher.idle();
    stage.advance(1 * HOUR_MS);
    await dispatcher.idle();
    expect((await stage.deliveries(id)).map((one) => one.status)).toEqual(Array.from({ length: 40 }, () => "delivered"));
    expect(new Set(requests.slice(tried + 1).map(webhookId)).size).toBe(40);
  });

  test("the shop is told at 50, 70 and 90 failures in a row; at 100 it is paused, its events are kept, and resume sends them all (F8)", async () => {
    let up = false;
    const { http, requests } = played((request) => (request.url.includes("ops") || up ? answer(200) : answer(502)));
    const stage = await makeStage(engine, http);
    const dead = await stage.endpoint("https://dead.test/", { events: ["payment.paid"] });
    await stage.endpoint("https://ops.test/", { events: ["endpoint.failing", "endpoint.paused"] });
    const sent = new Set<string>();
    for (let made = 0; made < 120; made += 1) sent.add(await stage.event());
    const dispatcher = stage.start();
    const failures = (): number => requests.filter((one) => one.url.includes("dead")).length;
    await keepFailing(stage, () => dispatcher.idle(), failures, 100);
    await dispatcher.idle();
    expect(failures()).toBe(100);
    expect(await stage.endpointRow(dead)).toMatchObject({ status: "paused", failures_in_row: 100, paused_reason: "100 failures in a row" });
    const told = requests.filter((one) => one.url.includes("ops"));
    expect(told.map((one) => [typeOf(one), dataOf(one).endpoint["failures_in_row"] ?? dataOf(one).endpoint["status"]])).toEqual([
      ["endpoint.failing", 50],
      ["endpoint.failing", 70],
      ["endpoint.failing", 90],
      ["endpoint.paused", "paused"],
    ]);
    // Paused: new events are kept, nothing is sent.
    for (let made = 0; made < 5; made += 1) sent.add(await stage.event());
    stage.advance(3 * DAY_MS);
    await dispatcher.idle();
    expect(failures()).toBe(100);
    expect(new Set((await stage.deliveries(dead)).map((one) => one.status))).toEqual(new Set(["paused"]));
    up = true;
    await resumeEndpoint(stage.hub, stage.shop_id, dead);
    await dispatcher.idle();
    const arrived = new Set(
      requests
        .filter((one) => one.url.includes("dead"))
        .slice(100)
        .map(webhookId),
    );
    expect(arrived).toEqual(sent);
    expect(await stage.endpointRow(dead)).toMatchObject({ status: "active", failures_in_row: 0, first_failure_at: null });
  });

  test("that answers 410 is not sent what was already waiting in its lane: it is kept", async () => {
    const others = Promise.withResolvers<void>();
    let gone = false;
    const { http, requests } = played(async () => {
      if (requests.length <= 60) return answer(200);
      if (!gone) {
        gone = true;
        return answer(410);
      }
      await others.promise;
      return answer(503);
    });
    const stage = await makeStage(engine, http);
    const id = await stage.endpoint("https://gone.test/", { events: ["payment.paid"] });
    for (let made = 0; made < 60; made += 1) await stage.event();
    const dispatcher = stage.start();
    await dispatcher.idle();
    // Its lane has grown: it takes more than it can send at once.
    for (let made = 0; made < 40; made += 1) await stage.event();
    stage.hub.signals.emit({ kind: "deliveries" });
    await stage.written("gone", 1);
    // What waits on the writing of the result has run.
    await new Promise((resolve) => setImmediate(resolve));
    const under_way = requests.length - 60;
    expect(under_way).toBeLessThanOrEqual(1 + 16);
    others.resolve();
    await dispatcher.idle();
    stage.advance(1 * HOUR_MS);
    await dispatcher.idle();
    expect(requests).toHaveLength(60 + under_way);
    expect(await stage.endpointRow(id)).toMatchObject({ status: "disabled" });
    const statuses = (await stage.deliveries(id)).map((one) => one.status);
    expect(statuses.filter((one) => one === "paused")).toHaveLength(39);
    expect(statuses.filter((one) => one === "exhausted")).toHaveLength(1);
  });

  test("that was disabled by 410 has its events kept: they come, with the one that it refused, when it is resumed (F8)", async () => {
    let gone = true;
    const { http, requests } = played(() => answer(gone ? 410 : 200));
    const stage = await makeStage(engine, http);
    const id = await stage.endpoint("https://gone.test/", { events: ["payment.paid"] });
    const sent = new Set([await stage.event()]);
    const dispatcher = stage.start();
    await dispatcher.idle();
    expect(await stage.endpointRow(id)).toMatchObject({ status: "disabled" });
    for (let made = 0; made < 3; made += 1) sent.add(await stage.event());
    stage.advance(3 * DAY_MS);
    await dispatcher.idle();
    expect(requests).toHaveLength(1);
    gone = false;
    await resumeEndpoint(stage.hub, stage.shop_id, id);
    await dispatcher.idle();
    expect(new Set(requests.slice(1).map(webhookId))).toEqual(sent);
    expect((await stage.deliveries(id)).map((one) => one.status)).toEqual(["delivered", "delivered", "delivered", "delivered"]);
  });

  test("72 hours without a success pause it, however few its failures are", async () => {
    const { http } = played(() => answer(500));
    const stage = await makeStage(engine, http);
    const id = await stage.endpoint("https://dead.test/", { events: ["payment.paid"] });
    const dispatcher = stage.start();
    for (const hours of [0, 24, 47]) {
      stage.advance(hours * HOUR_MS);
      await stage.event();
      await dispatcher.idle();
      expect((await stage.endpointRow(id)).status).toBe("active");
    }
    stage.advance(1 * HOUR_MS);
    await stage.event();
    await dispatcher.idle();
    expect(await stage.endpointRow(id)).toMatchObject({ status: "paused" });
  });

  test("a success begins the count anew, and arms once more, but only once, what was exhausted meanwhile", async () => {
    const { http, requests } = played((request) => answer(webhookId(request) === poison ? 500 : 200));
    const stage = await makeStage(engine, http);
    const id = await stage.endpoint("https://shop.test/", { events: ["payment.paid"] });
    const poison = await stage.event();
    const dispatcher = stage.start();
    const poisoned = async () => (await stage.deliveries(id)).find((one) => one.event_id === poison)!;
    const exhaust = async (): Promise<void> => {
      for (const [step] of DELIVERY_GAPS_MS.entries()) {
        await dispatcher.idle();
        if (step < DELIVERY_GAPS_MS.length - 1) stage.advance((await poisoned()).due_at - stage.clock.now());
        // Something succeeds now and then, so that it is not paused.
        if (step === 8) await stage.event();
      }
      await dispatcher.idle();
    };
    await exhaust();
    expect(await poisoned()).toMatchObject({ status: "exhausted", attempts: 12, trigger: "schedule" });
    await stage.event();
    await dispatcher.idle();
    expect(await poisoned()).toMatchObject({ status: "due", attempts: 13, step: 1, trigger: "replay" });
    await exhaust();
    expect(await poisoned()).toMatchObject({ status: "exhausted", attempts: 24, trigger: "replay" });
    await stage.event();
    stage.advance(30 * DAY_MS);
    await dispatcher.idle();
    expect(await poisoned()).toMatchObject({ status: "exhausted", attempts: 24 });
    expect(requests.filter((one) => webhookId(one) === poison)).toHaveLength(24);
    expect((await stage.attempts((await poisoned()).id)).map((one) => one.trigger)).toEqual([
      ...Array.from({ length: 12 }, () => "schedule"),
      ...Array.from({ length: 12 }, () => "replay"),
    ]);
  });

  test("of a forbidden address the shop learns that it is forbidden, not what it is", async () => {
    const { http } = played(() => fault("blocked", "db.internal: 10.1.2.3 is in a forbidden range"));
    const stage = await makeStage(engine, http);
    await stage.endpoint("https://db.example/", { events: ["payment.paid"] });
    await stage.event();
    await stage.start().idle();
    const [delivery] = await stage.deliveries();
    const [attempt] = await stage.attempts(delivery!.id);
    expect(attempt).toMatchObject({ fault: "blocked", status: null });
    expect(attempt!.response_body).not.toContain("10.1.2.3");
  });
});
