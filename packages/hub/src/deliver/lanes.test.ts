import { MINUTE_MS } from "@lunas/domain";
import { describe, expect, test } from "vitest";
import { BREAKER } from "./breaker.ts";
import type { ClaimedDelivery, Target } from "./claim.ts";
import { Lanes } from "./lanes.ts";

const targetOf = (id: string): Target => ({
  id,
  url: "https://x.test/",
  format: "standard",
  secrets: new Uint8Array(),
  status: "active",
  version: 1,
});

const deliveryOf = (n: number, endpoint_id: string, generation: number, lease_until: number): ClaimedDelivery => ({
  id: `dlv_${n}`,
  event_id: `evt_${n}`,
  endpoint_id,
  attempts: 0,
  step: 0,
  trigger: "schedule",
  generation,
  lease_until,
});

/** Lanes whose tries end when the test says so. */
function rig(end_on_send?: "delivered" | "failed" | "broken") {
  let now = 1_790_000_000_000;
  let made = 0;
  const under_way: { id: string; endpoint: string; end: (delivered: boolean) => void; break: (error: Error) => void }[] = [];
  const released: { id: string; wait_ms: number }[] = [];
  const lost: string[] = [];
  let save: () => Promise<void> = async () => {};
  const lanes = new Lanes<boolean>({
    now: () => now,
    send: (delivery, target) => {
      if (end_on_send === "broken") return Promise.reject(new Error("ours"));
      if (end_on_send) return Promise.resolve(end_on_send === "delivered");
      return new Promise((resolve, reject) => under_way.push({ id: delivery.id, endpoint: target.id, end: resolve, break: reject }));
    },
    delivered: (result) => result,
    save: () => save(),
    release: async (deliveries, wait_ms) => void released.push(...deliveries.map(({ id }) => ({ id, wait_ms }))),
    lost: (_error, delivery) => void lost.push(delivery.id),
    settled: () => {},
  });
  const add = (endpoint_id: string, count = 1): void => {
    for (let n = 0; n < count; n += 1) {
      made += 1;
      lanes.add(deliveryOf(made, endpoint_id, 0, 1), targetOf(endpoint_id), "{}");
    }
  };
  /** The last delivery that was added is claimed once more. */
  const claimAgain = (endpoint_id: string, generation: number, lease_until: number): boolean => {
    const delivery = deliveryOf(made, endpoint_id, generation, lease_until);
    if (lanes.renew(delivery)) return true;
    lanes.add(delivery, targetOf(endpoint_id), "{}");
    return false;
  };
  return {
    lanes,
    add,
    claimAgain,
    under_way,
    released,
    lost,
    pass: (ms: number) => (now += ms),
    saveWith: (how: () => Promise<void>) => (save = how),
  };
}

/** All that is ready to run has run. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("the lanes", () => {
  test("try sixteen of one endpoint at once, and another's without waiting for them", async () => {
    const { lanes, add, under_way } = rig();
    add("end_a", 30);
    add("end_b", 1);
    expect(under_way.map((one) => one.endpoint)).toEqual([...Array.from({ length: 16 }, () => "end_a"), "end_b"]);
    expect(lanes.held).toBe(31);
    under_way[0]!.end(true);
    await settled();
    expect(under_way).toHaveLength(18);
    expect(lanes.held).toBe(30);
  });

  test("begin the next try before the last one's result is written, and count it as held until it is", async () => {
    const { lanes, add, under_way, saveWith } = rig();
    const written = Promise.withResolvers<void>();
    saveWith(() => written.promise);
    add("end_a", 17);
    under_way[0]!.end(true);
    await settled();
    expect([under_way.length, lanes.running, lanes.held]).toEqual([17, 16, 17]);
    written.resolve();
    await settled();
    expect(lanes.held).toBe(16);
  });

  test("give an endpoint more room the better it answers, and little again once it fails", async () => {
    const { lanes, add, under_way } = rig();
    expect(lanes.room("end_a")).toBe(16);
    add("end_a", 16);
    expect(lanes.room("end_a")).toBe(0);
    for (const one of under_way.splice(0)) one.end(true);
    await settled();
    const grown = lanes.room("end_a");
    expect(grown).toBe(48);
    add("end_a", 4);
    for (const one of under_way.splice(0)) one.end(false);
    await settled();
    expect(lanes.room("end_a")).toBeLessThan(grown);
  });

  test("give back what waits when the breaker opens, for as long as it is open, and take one for the probe", async () => {
    const { lanes, add, under_way, released, pass } = rig();
    add("end_a", 16);
    add("end_a", 9);
    for (const one of under_way.splice(0, 10)) one.end(false);
    await settled();
    expect(released.every((one) => one.wait_ms === BREAKER.open_ms)).toBe(true);
    for (const one of under_way.splice(0)) one.end(false);
    await settled();
    expect(lanes.held).toBe(0);
    expect(lanes.room("end_a")).toBe(0);
    pass(BREAKER.open_ms);
    expect(lanes.room("end_a")).toBe(1);
    released.length = 0;
    add("end_a", 1);
    expect(under_way).toHaveLength(1);
    expect(lanes.room("end_a")).toBe(0);
    add("end_a", 2);
    await settled();
    expect(released).toHaveLength(2);
    under_way[0]!.end(true);
    await settled();
    expect(lanes.room("end_a")).toBeGreaterThanOrEqual(16);
  });

  test("a probe that we could not make or could not write does not keep its lane closed for ever", async () => {
    const { lanes, add, under_way, lost, pass, saveWith } = rig();
    add("end_a", 16);
    for (const one of under_way.splice(0)) one.end(false);
    await settled();
    pass(BREAKER.open_ms);
    add("end_a", 1);
    under_way.splice(0)[0]!.break(new Error("ours"));
    await settled();
    expect(lost).toHaveLength(1);
    expect(lanes.room("end_a")).toBe(1);
    saveWith(() => Promise.reject(new Error("the database is gone")));
    add("end_a", 1);
    under_way.splice(0)[0]!.end(false);
    await settled();
    expect(lost).toHaveLength(2);
    pass(BREAKER.open_ms);
    expect(lanes.room("end_a")).toBe(1);
    expect(lanes.held).toBe(0);
  });

  test("give back after a minute what has not had its turn, before its lease ends", async () => {
    const { lanes, add, under_way, released, pass } = rig();
    add("end_a", 20);
    pass(1 * MINUTE_MS + 1);
    under_way[0]!.end(true);
    await settled();
    expect(released.map((one) => one.wait_ms)).toEqual([0, 0, 0, 0]);
    expect(lanes.held).toBe(15);
  });

  test("give back at once what an endpoint that was stopped has not been sent", async () => {
    const { lanes, add, released } = rig();
    add("end_a", 20);
    add("end_b", 20);
    lanes.clear("end_a");
    await settled();
    expect(released).toHaveLength(4);
    expect(lanes.held).toBe(36);
  });

  test("a delivery that was wished for anew while its try is under way has another one, once the first one's result is written", async () => {
    const { lanes, add, claimAgain, under_way, saveWith } = rig();
    const written = Promise.withResolvers<void>();
    saveWith(() => written.promise);
    add("end_a");
    expect(claimAgain("end_a", 1, 2)).toBe(false);
    expect(claimAgain("end_a", 2, 3)).toBe(false);
    expect([under_way.length, lanes.held]).toEqual([1, 2]);
    under_way[0]!.end(true);
    await settled();
    expect(under_way).toHaveLength(1);
    written.resolve();
    await settled();
    expect(under_way.map((one) => one.id)).toEqual(["dlv_1", "dlv_1"]);
    under_way[1]!.end(true);
    await settled();
    expect(lanes.held).toBe(0);
  });

  test("a delivery whose lease ended while its try is under way is not tried twice; one that is over is", async () => {
    const { lanes, add, claimAgain, under_way, saveWith } = rig();
    const written = Promise.withResolvers<void>();
    saveWith(() => written.promise);
    add("end_a");
    expect(claimAgain("end_a", 0, 2)).toBe(true);
    under_way[0]!.end(true);
    await settled();
    // Claimed between the writing of its result and our hearing of it.
    expect(claimAgain("end_a", 0, 3)).toBe(false);
    written.resolve();
    await settled();
    expect([under_way.length, lanes.held]).toEqual([2, 1]);
  });

  test("what has not begun is claimed anew where it stands, and an endpoint that has changed is given back all of it", async () => {
    const { lanes, add, claimAgain, under_way, released } = rig();
    add("end_a", 17);
    expect(claimAgain("end_a", 1, 2)).toBe(false);
    expect([under_way.length, lanes.held, lanes.waiting()]).toEqual([16, 17, ["end_a"]]);
    lanes.notice({ id: "end_a", status: "active", version: 1 });
    expect(lanes.waiting()).toEqual(["end_a"]);
    lanes.notice({ id: "end_a", status: "active", version: 2 });
    await settled();
    expect([released.length, lanes.held, lanes.waiting()]).toEqual([1, 16, []]);
  });

  test("stop when what is under way has ended and what was waiting is given back", async () => {
    const { lanes, add, under_way, released } = rig();
    add("end_a", 18);
    let stopped = false;
    const stopping = lanes.stop().then(() => (stopped = true));
    await settled();
    expect([released.length, stopped]).toEqual([2, false]);
    for (const one of under_way) one.end(true);
    await stopping;
    expect(lanes.held).toBe(0);
  });

  test("forget idle lanes, so that a thousand shops of yesterday take no room today", async () => {
    const { lanes, add } = rig("delivered");
    for (let made = 0; made < 3_000; made += 1) {
      add(`end_${made}`);
      if (made % 100 === 99) await settled();
    }
    await settled();
    expect(lanes.held).toBe(0);
    expect(lanes.known).toBeLessThanOrEqual(1_200);
  });
});
