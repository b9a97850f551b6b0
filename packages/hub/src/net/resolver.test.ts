import { expect, test } from "vitest";
import { systemResolver } from "./resolver.ts";

const address = { address: "8.8.8.8", family: 4 };

/** A resolver by hand: questions stay open until they are answered. */
function byHand() {
  const asked: string[] = [];
  const open: ReturnType<typeof Promise.withResolvers<(typeof address)[]>>[] = [];
  const clock = { now: 0 };
  const resolve = systemResolver(
    () => clock.now,
    (hostname) => {
      asked.push(hostname);
      const question = Promise.withResolvers<(typeof address)[]>();
      open.push(question);
      return question.promise;
    },
  );
  return { asked, open, clock, resolve };
}

test("a name that does not answer is asked about once, however many wait for it", async () => {
  const { asked, open, clock, resolve } = byHand();
  const waiting = Array.from({ length: 50 }, () => resolve("dead.example"));
  clock.now = 3_600_000;
  waiting.push(resolve("dead.example"));
  expect(asked).toEqual(["dead.example"]);
  open[0]!.reject(Object.assign(new Error("no"), { code: "EAI_AGAIN" }));
  const results = await Promise.allSettled(waiting);
  expect(results.every((result) => result.status === "rejected")).toBe(true);
});

test("an answer serves for ten seconds, a failure for two", async () => {
  const { asked, open, clock, resolve } = byHand();
  const first = resolve("shop.example");
  open[0]!.resolve([address]);
  expect(await first).toEqual([address]);
  clock.now = 9_999;
  expect(await resolve("shop.example")).toEqual([address]);
  expect(asked).toHaveLength(1);
  clock.now = 10_000;
  const second = resolve("shop.example");
  expect(asked).toHaveLength(2);
  open[1]!.reject(new Error("gone"));
  await expect(second).rejects.toThrow("gone");
  clock.now = 11_999;
  await expect(resolve("shop.example")).rejects.toThrow("gone");
  expect(asked).toHaveLength(2);
  clock.now = 12_000;
  void resolve("shop.example");
  expect(asked).toHaveLength(3);
});

test("names do not wait for one another, and what is kept of them is bounded", async () => {
  const { asked, open, resolve } = byHand();
  void resolve("dead.example");
  for (let name = 0; name < 5_000; name += 1) {
    const answer = resolve(`shop-${name}.example`);
    open.at(-1)!.resolve([address]);
    await answer;
  }
  expect(asked).toHaveLength(5_001);
  // The oldest was let go; the newest is known.
  void resolve("dead.example");
  void resolve("shop-4999.example");
  expect(asked.slice(5_001)).toEqual(["dead.example"]);
});

test("the system knows this machine, and not a name that cannot be", async () => {
  const resolve = systemResolver();
  expect((await resolve("localhost")).map((one) => one.address)).toSatisfy((all: string[]) => all.includes("127.0.0.1") || all.includes("::1"));
  await expect(resolve("does-not-exist.invalid")).rejects.toMatchObject({ code: expect.stringMatching(/^(ENOTFOUND|EAI_AGAIN)$/) });
});
