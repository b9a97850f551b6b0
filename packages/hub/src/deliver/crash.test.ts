import { DAY_MS, HOUR_MS, type HttpResult, MINUTE_MS } from "@lunas/domain";
import { describe, expect, test } from "vitest";
import type { Hub } from "../hub.ts";
import { openMigratedStore, StoreError } from "../store/index.ts";
import { freshDatabase } from "../../../../tests/harness/postgres.ts";
import { answer, ENGINES, makeStage, played, webhookId } from "./testing/stage.ts";

const LEASE_MS = 2.5 * MINUTE_MS;

/** A hub whose database is out of reach from `cut` on: as good as dead to everybody else. */
function mortal(hub: Hub): { hub: Hub; cut: () => void } {
  let dead = false;
  const gone = async (): Promise<never> => {
    throw new StoreError("unavailable", "this hub is dead", undefined);
  };
  const store: Hub["store"] = {
    engine: hub.store.engine,
    read: (query) => (dead ? gone() : hub.store.read(query)),
    write: (work) => (dead ? gone() : hub.store.write(work)),
    recordNotifications: (records, keeping) => hub.store.recordNotifications(records, keeping),
    close: async () => {},
  };
  return { hub: { ...hub, store }, cut: () => (dead = true) };
}

describe.each(ENGINES)("a hub that dies, on %s", (engine) => {
  test("between the sending and the writing of the result: another hub sends again after the lease, with the same webhook-id (F2, F3)", async () => {
    const sent = Promise.withResolvers<void>();
    const first = Promise.withResolvers<HttpResult>();
    const { http, requests } = played((_, index) => {
      if (index > 0) return answer(200);
      sent.resolve();
      return first.promise;
    });
    const stage = await makeStage(engine, http);
    const id = await stage.endpoint("https://shop.test/", { events: ["payment.paid"] });
    const event_id = await stage.event();
    const dying = mortal(stage.hub);
    stage.start(dying.hub);
    await sent.promise;
    dying.cut();
    first.resolve(answer(200));
    // Within the lease nobody takes it over.
    stage.advance(LEASE_MS - 1);
    const other = stage.start();
    await other.idle();
    expect(requests).toHaveLength(1);
    expect(await stage.deliveries(id)).toMatchObject([{ status: "delivering", attempts: 0 }]);
    stage.advance(1);
    await other.idle();
    expect(requests.map(webhookId)).toEqual([event_id, event_id]);
    expect(await stage.deliveries(id)).toMatchObject([{ status: "delivered", attempts: 1 }]);
  });

  test("after which the clock is set back a day: its lease, which would end tomorrow, is not believed (F6)", async () => {
    const sent = Promise.withResolvers<void>();
    const never = Promise.withResolvers<HttpResult>();
    const { http, requests } = played((_, index) => {
      if (index > 0) return answer(200);
      sent.resolve();
      return never.promise;
    });
    const stage = await makeStage(engine, http);
    await stage.endpoint("https://shop.test/", { events: ["payment.paid"] });
    await stage.event();
    // It has been due since yesterday, so that it is still due when yesterday comes again.
    stage.advance(DAY_MS);
    const dying = mortal(stage.hub);
    stage.start(dying.hub);
    await sent.promise;
    dying.cut();
    stage.advance(-DAY_MS);
    const other = stage.start();
    await other.idle();
    expect(requests).toHaveLength(2);
    expect((await stage.deliveries()).map((one) => one.status)).toEqual(["delivered"]);
    never.resolve(answer(200));
  });

  test("a result that comes after the lease was lost is logged, and does not undo what the other hub came to", async () => {
    const sent = Promise.withResolvers<void>();
    const slow = Promise.withResolvers<HttpResult>();
    const { http } = played((_, index) => {
      if (index > 0) return answer(200);
      sent.resolve();
      return slow.promise;
    });
    const store = await openMigratedStore(engine === "postgres" ? await freshDatabase() : "sqlite::memory:");
    const stage = await makeStage(engine, http, store);
    const id = await stage.endpoint("https://shop.test/", { events: ["payment.paid"] });
    await stage.event();
    // Its own looks at the table are over: it neither renews nor claims.
    let looks = 0;
    const hub: Hub = { ...stage.hub, store: Object.assign(Object.create(store) as typeof store, { engine: store.engine }) };
    hub.store.read = (query) => store.read(query);
    hub.store.write = (work) => {
      looks += 1;
      return store.write(work);
    };
    const slowOne = stage.start(hub);
    await sent.promise;
    const stopping = slowOne.stop();
    stage.advance(LEASE_MS);
    const other = stage.start();
    await other.idle();
    expect(await stage.deliveries(id)).toMatchObject([{ status: "delivered", attempts: 1 }]);
    slow.resolve(answer(500));
    await stopping;
    const [delivery] = await stage.deliveries(id);
    expect(delivery).toMatchObject({ status: "delivered", attempts: 2, lease_until: null });
    expect((await stage.attempts(delivery!.id)).map((one) => [one.number, one.status]).toSorted(([a], [b]) => Number(a) - Number(b))).toEqual([
      [1, 200],
      [2, 500],
    ]);
    expect(looks).toBeGreaterThan(0);
    await other.stop();
    await store.close();
  });
});

describe.each(ENGINES)("a dispatcher, on %s", (engine) => {
  test("does not begin again what is under way when the clock is moved past its lease", async () => {
    const sent = Promise.withResolvers<void>();
    const slow = Promise.withResolvers<HttpResult>();
    const { http, requests } = played((_, index) => {
      if (index > 0) return answer(200);
      sent.resolve();
      return slow.promise;
    });
    const stage = await makeStage(engine, http);
    const id = await stage.endpoint("https://slow.test/", { events: ["payment.paid"] });
    await stage.event("payment.paid");
    const dispatcher = stage.start();
    await sent.promise;
    stage.advance(DAY_MS);
    // Something of another endpoint makes it look at the table again.
    await stage.endpoint("https://other.test/", { events: ["order.paid"] });
    await stage.event("order.paid");
    stage.hub.signals.emit({ kind: "deliveries" });
    await stage.written("delivered", 1);
    expect(requests).toHaveLength(2);
    slow.resolve(answer(503));
    await dispatcher.idle();
    const [delivery] = await stage.deliveries(id);
    expect(delivery).toMatchObject({ status: "due", attempts: 1, step: 1 });
    stage.advance(1 * HOUR_MS);
    await dispatcher.idle();
    expect(await stage.deliveries(id)).toMatchObject([{ status: "delivered", attempts: 2 }]);
  });

  test("that is stopped gives back what it has not tried and waits for what it has", async () => {
    const begun = Promise.withResolvers<void>();
    const letGo = Promise.withResolvers<HttpResult>();
    const { http, requests } = played(() => {
      if (requests.length === 16) begun.resolve();
      return letGo.promise;
    });
    const stage = await makeStage(engine, http);
    const id = await stage.endpoint("https://shop.test/", { events: ["payment.paid"] });
    for (let made = 0; made < 40; made += 1) await stage.event();
    const dispatcher = stage.start();
    await begun.promise;
    const stopped = dispatcher.stop();
    letGo.resolve(answer(200));
    await stopped;
    const rows = await stage.deliveries(id);
    expect(rows.filter((one) => one.status === "delivered")).toHaveLength(16);
    expect(rows.filter((one) => one.status === "due" && one.attempts === 0 && one.lease_until === null)).toHaveLength(24);
    expect(requests).toHaveLength(16);
    await stage.start().idle();
    expect(new Set(requests.map(webhookId)).size).toBe(40);
    expect(requests).toHaveLength(40);
  });

  test("next to another on the same database: everything is sent once", async () => {
    const { http, requests } = played(() => answer(200));
    const stage = await makeStage(engine, http);
    for (let made = 0; made < 5; made += 1) await stage.endpoint(`https://shop-${made}.test/`);
    for (let made = 0; made < 60; made += 1) await stage.event();
    const [one, two, three] = [stage.start(), stage.start(), stage.start()];
    await Promise.all([one.idle(), two.idle(), three.idle()]);
    // Idle of one says nothing of what another has claimed: all of them have stopped, then all is written.
    await Promise.all([one.stop(), two.stop(), three.stop()]);
    expect(requests).toHaveLength(300);
    expect(new Set(requests.map((request) => request.url + webhookId(request))).size).toBe(300);
    expect((await stage.deliveries()).every((delivery) => delivery.status === "delivered" && delivery.attempts === 1)).toBe(true);
  });

  test("that is asked to be idle has done all that was committed before the question, woken or not", async () => {
    const { http, requests } = played(() => answer(200));
    const stage = await makeStage(engine, http);
    await stage.endpoint("https://shop.test/");
    const dispatcher = stage.start();
    for (let made = 1; made <= 30; made += 1) {
      const event = stage.event();
      if (made % 3 === 0) stage.hub.signals.emit({ kind: "deliveries" });
      await event;
      await dispatcher.idle();
      expect(requests).toHaveLength(made);
      expect((await stage.deliveries()).filter((one) => one.status === "delivered")).toHaveLength(made);
    }
  });
});
