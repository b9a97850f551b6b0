import { expect, test } from "vitest";
import { WriteTurns } from "./write-turns.ts";

/** Asks for a turn and, when it is given, notes the name. */
function taker(turns: WriteTurns, log: string[]): (name: string, hurry: boolean) => Promise<void> {
  return async (name, hurry) => {
    await turns.begin(hurry);
    log.push(name);
  };
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("one writes at a time, and the next one begins when it has ended", async () => {
  const [turns, log]: [WriteTurns, string[]] = [new WriteTurns(), []];
  const take = taker(turns, log);
  void take("first", false);
  void take("second", false);
  void take("third", false);
  await settled();
  expect(log).toEqual(["first"]);
  turns.end();
  await settled();
  expect(log).toEqual(["first", "second"]);
});

test("whoever is in a hurry goes first, but not twice while somebody else waits", async () => {
  const [turns, log]: [WriteTurns, string[]] = [new WriteTurns(), []];
  const take = taker(turns, log);
  void take("work 1", false);
  void take("work 2", false);
  void take("work 3", false);
  void take("hurry 1", true);
  void take("hurry 2", true);
  void take("hurry 3", true);
  for (let n = 0; n < 6; n += 1) {
    await settled();
    turns.end();
  }
  expect(log).toEqual(["work 1", "hurry 1", "work 2", "hurry 2", "work 3", "hurry 3"]);
  await take("later", false);
  expect(log.at(-1)).toBe("later");
});

test("nobody who comes between the end of a turn and the beginning of the next is let in beside it", async () => {
  const [turns, log]: [WriteTurns, string[]] = [new WriteTurns(), []];
  const take = taker(turns, log);
  await take("first", false);
  const second = take("second", false);
  turns.end();
  void take("third", true);
  await second;
  await settled();
  expect(log).toEqual(["first", "second"]);
});
