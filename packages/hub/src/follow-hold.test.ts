import { afterEach, describe, expect, test } from "vitest";
import { followHold } from "./follow-hold.ts";
import { clearHold, setHold } from "./store/hold.ts";
import { makeTestHub, type TestHub } from "./testing/make-hub.ts";

describe("the hold of a database", () => {
  let test_hub: TestHub;
  const stops: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const stop of stops.splice(0)) await stop();
    await test_hub.close();
  });
  const follow = (every_ms: number) => {
    const follower = followHold(test_hub.hub, every_ms);
    stops.push(() => follower.stop());
    return follower;
  };

  test("holds on a hub that another one put on hold, and is lifted as by itself; waiting jobs are then looked at", async () => {
    test_hub = await makeTestHub();
    const { hub, store } = test_hub;
    const lifted = new Promise<string | undefined>((resolve) => hub.signals.on("jobs", () => resolve(hub.hold.reason)));
    await setHold(store, "restored");
    await follow(1).look();
    expect(hub.hold.reason).toBe("restored");
    await clearHold(store);
    expect(await lifted).toBeUndefined();
  });

  test("stays as it was while the database cannot be read, and is followed again when it can", async () => {
    test_hub = await makeTestHub();
    const { hub, store } = test_hub;
    await setHold(store, "restored");
    let faults = 0;
    const seen: (string | undefined)[] = [];
    const read: typeof store.read = async (query) => {
      seen.push(hub.hold.reason);
      faults += 1;
      if (faults === 2) await clearHold(store);
      if (faults > 1 && faults < 5) throw new Error("the database is down");
      return store.read(query);
    };
    const lifted = new Promise<void>((resolve) => hub.signals.on("jobs", () => resolve()));
    const follower = followHold({ ...hub, store: { read } as typeof store }, 1);
    stops.push(() => follower.stop());
    await follower.look();
    await lifted;
    expect(seen.slice(0, 5)).toEqual([undefined, "restored", "restored", "restored", "restored"]);
    expect(hub.hold.reason).toBeUndefined();
  });
});
