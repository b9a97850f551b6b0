import { expect, test } from "vitest";
import { RecentBodies } from "./recent-bodies.ts";

test("the oldest bodies make room, by their length", () => {
  const bodies = new RecentBodies(10);
  bodies.keep("evt_1", "aaaa");
  bodies.keep("evt_2", "bbbb");
  bodies.keep("evt_2", "bbbb");
  expect(["evt_1", "evt_2"].map((id) => bodies.get(id))).toEqual(["aaaa", "bbbb"]);
  bodies.keep("evt_3", "cccc");
  expect(["evt_1", "evt_2", "evt_3"].map((id) => bodies.get(id))).toEqual([undefined, "bbbb", "cccc"]);
  // One that is longer than all that is kept is read.
  bodies.keep("evt_4", "d".repeat(11));
  expect(["evt_2", "evt_3", "evt_4"].map((id) => bodies.get(id))).toEqual([undefined, undefined, undefined]);
});
