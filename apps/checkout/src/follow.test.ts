import { expect, test } from "vitest";
import { follow, type Following, POLL_MS, REOPEN_MS, SAFETY_POLL_MS, type StreamEvents } from "./follow.ts";

/** A world whose timers fire when told to. */
class World {
  asked = 0;
  opened = 0;
  closed = 0;
  readonly received: string[] = [];
  readonly timers: { readonly ms: number; readonly call: () => void }[] = [];
  stream!: StreamEvents;
  answer = (): void => {};
  readonly following: Following;

  constructor() {
    this.following = follow({
      openStream: (events) => {
        this.opened += 1;
        this.stream = events;
        return () => (this.closed += 1);
      },
      ask: () => {
        this.asked += 1;
        return new Promise((done) => (this.answer = done));
      },
      received: (data) => this.received.push(data),
      after: (ms, call) => {
        const timer = { ms, call };
        this.timers.push(timer);
        return () => this.timers.includes(timer) && this.timers.splice(this.timers.indexOf(timer), 1);
      },
    });
  }

  /** Answers the open question and lets the follower go on. */
  async settle(): Promise<void> {
    this.answer();
    await new Promise((done) => setImmediate(done));
  }

  waits(): number[] {
    return this.timers.map(({ ms }) => ms);
  }

  fire(ms: number): void {
    const index = this.timers.findIndex((timer) => timer.ms === ms);
    this.timers.splice(index, 1)[0]?.call();
  }
}

test("asks at once and, while no stream is up, every three seconds", async () => {
  const world = new World();
  expect(world.asked).toBe(1);
  await world.settle();
  expect(world.waits()).toEqual([POLL_MS]);
  world.fire(POLL_MS);
  expect(world.asked).toBe(2);
  await world.settle();
  expect(world.waits()).toEqual([POLL_MS]);
});

test("with the stream up takes its states, asks once for what it missed and then only rarely", async () => {
  const world = new World();
  await world.settle();
  world.stream.opened();
  expect(world.asked).toBe(2);
  await world.settle();
  expect(world.waits()).toEqual([SAFETY_POLL_MS]);
  world.stream.state("one");
  expect(world.received).toEqual(["one"]);
});

test("a broken stream is replaced by asking, at once and then every three seconds", async () => {
  const world = new World();
  await world.settle();
  world.stream.opened();
  await world.settle();
  world.stream.broken(false);
  expect(world.asked).toBe(3);
  await world.settle();
  expect(world.waits()).toEqual([POLL_MS]);
});

test("a refused stream is opened again later; one that the browser reopens itself is not", async () => {
  const world = new World();
  await world.settle();
  world.stream.broken(false);
  expect(world.waits()).toEqual([POLL_MS]);
  world.stream.broken(true);
  expect(world.waits()).toEqual([POLL_MS, REOPEN_MS]);
  world.fire(REOPEN_MS);
  expect(world.opened).toBe(2);
});

test("never asks twice at a time", async () => {
  const world = new World();
  world.following.nudge();
  world.stream.opened();
  expect(world.asked).toBe(1);
  await world.settle();
  world.following.nudge();
  expect(world.asked).toBe(2);
});

test("once stopped does nothing more", async () => {
  const world = new World();
  world.following.stop();
  await world.settle();
  world.following.nudge();
  world.stream.state("late");
  world.stream.broken(true);
  expect(world.timers).toEqual([]);
  expect(world.closed).toBe(1);
  expect(world.asked).toBe(1);
  expect(world.received).toEqual([]);
});
