import { describe, expect, test } from "vitest";
import { gate } from "./conformance/fixtures.ts";
import { GroupCommit } from "./group-commit.ts";
import { StoreError } from "./index.ts";

/** A flush that records its groups and fails as a whole when it meets a poisoned item. */
function recorder(poisoned: ReadonlySet<number> = new Set()) {
  const groups: (readonly number[])[] = [];
  const flush = async (items: readonly number[]) => {
    groups.push(items);
    if (items.some((item) => poisoned.has(item))) throw new Error("poisoned");
    return items.map((item) => item * 10);
  };
  return { groups, flush };
}

const statuses = (results: PromiseSettledResult<unknown>[]) => results.map(({ status }) => status === "fulfilled");

describe("group commit", () => {
  test("items of one turn are flushed together, and each gets its own result", async () => {
    const { groups, flush } = recorder();
    const group = new GroupCommit({ flush, max_items: 10 });
    expect(await Promise.all([1, 2, 3].map((item) => group.add(item)))).toEqual([10, 20, 30]);
    expect(groups).toEqual([[1, 2, 3]]);
  });

  test("items that come while a flush runs wait for it and are flushed together after it", async () => {
    const started = gate();
    const go = gate();
    const groups: (readonly string[])[] = [];
    const group = new GroupCommit({
      flush: async (items: readonly string[]) => {
        groups.push(items);
        started.open();
        await go.passed;
        return items;
      },
      max_items: 10,
    });
    const first = group.add("a");
    await started.passed;
    const rest = [group.add("b"), group.add("c")];
    expect(group.waiting).toBe(2);
    expect(groups).toEqual([["a"]]);
    go.open();
    await Promise.all([first, ...rest]);
    expect(groups).toEqual([["a"], ["b", "c"]]);
  });

  test("two flushes may be under way at once where that is asked for, never three, and no item is in both", async () => {
    const go = gate();
    const groups: (readonly number[])[] = [];
    let under_way = 0;
    let most = 0;
    const flush = async (items: readonly number[]): Promise<readonly number[]> => {
      groups.push(items);
      most = Math.max(most, (under_way += 1));
      await go.passed;
      under_way -= 1;
      return items;
    };
    const group = new GroupCommit({ flush, max_items: 2, at_once: 2 });
    const added = Promise.all([1, 2, 3, 4, 5].map((item) => group.add(item)));
    while (groups.length < 2) await new Promise((next) => setImmediate(next));
    expect(groups).toEqual([
      [1, 2],
      [3, 4],
    ]);
    go.open();
    expect(await added).toEqual([1, 2, 3, 4, 5]);
    await group.idle();
    expect(groups).toEqual([[1, 2], [3, 4], [5]]);
    expect(most).toBe(2);
  });

  test("no group is larger than its limit", async () => {
    const { groups, flush } = recorder();
    const group = new GroupCommit({ flush, max_items: 4 });
    await Promise.all(Array.from({ length: 10 }, (_, item) => group.add(item)));
    expect(groups.map(({ length }) => length)).toEqual([4, 4, 2]);
  });

  test("a group waits for company while that is wanted: until there is enough, or for its time", async () => {
    const { groups, flush } = recorder();
    let wanted = true;
    const group = new GroupCommit({ flush, max_items: 10, company: { items: 3, ms: 60_000, wanted: () => wanted } });
    const first = [group.add(1), group.add(2)];
    for (let turns = 0; turns < 20; turns += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(groups).toEqual([]);
    await Promise.all([...first, group.add(3)]);
    expect(groups).toEqual([[1, 2, 3]]);
    wanted = false;
    await group.add(4);
    const hasty = new GroupCommit({ flush, max_items: 10, company: { items: 3, ms: 1, wanted: () => true } });
    expect(await hasty.add(5)).toBe(50);
  });

  test("no group weighs more than it may, but one item alone", async () => {
    const { groups, flush } = recorder();
    const group = new GroupCommit({ flush, max_items: 100, weight: { of: (item: number) => item, max: 10 } });
    await Promise.all([4, 6, 1, 30, 2, 8].map((item) => group.add(item)));
    expect(groups).toEqual([[4, 6], [1], [30], [2, 8]]);
  });

  test("an unexpected error rejects the poisoned items alone, in few flushes", async () => {
    const { groups, flush } = recorder(new Set([5, 77]));
    const group = new GroupCommit({ flush, max_items: 100 });
    const results = await Promise.allSettled(Array.from({ length: 100 }, (_, item) => group.add(item)));
    expect(statuses(results).flatMap((well, item) => (well ? [] : [item]))).toEqual([5, 77]);
    expect(results[6]).toEqual({ status: "fulfilled", value: 60 });
    expect(groups.length).toBeLessThan(32);
  });

  test.each(["unavailable", "read_only", "full"] as const)(
    "a database that is %s rejects the whole group at once, and the next group is tried",
    async (fault) => {
      let flushes = 0;
      const group = new GroupCommit({
        flush: async (items: readonly number[]) => {
          flushes += 1;
          if (flushes === 1) throw new StoreError(fault, "down", undefined);
          return items;
        },
        max_items: 10,
      });
      const results = await Promise.allSettled([1, 2, 3].map((item) => group.add(item)));
      expect(statuses(results)).toEqual([false, false, false]);
      expect(flushes).toBe(1);
      expect(await group.add(4)).toBe(4);
    },
  );

  test("a flush that was done but gave too few results is not done again in halves", async () => {
    let flushes = 0;
    const group = new GroupCommit({
      flush: async () => {
        flushes += 1;
        return [1];
      },
      max_items: 10,
    });
    const results = await Promise.allSettled([1, 2].map((item) => group.add(item)));
    expect(statuses(results)).toEqual([false, false]);
    expect(flushes).toBe(1);
  });

  test("an item added by the continuation of another one is not left behind", async () => {
    const { flush } = recorder();
    const group = new GroupCommit({ flush, max_items: 1 });
    let value = 1;
    for (let round = 0; round < 50; round += 1) value = (await group.add(1)) + round;
    expect(value).toBe(59);
    await group.idle();
    expect(group.waiting).toBe(0);
  });

  test("idle resolves when all that was added is done, also when it failed", async () => {
    const { groups, flush } = recorder(new Set([2]));
    const group = new GroupCommit({ flush, max_items: 1 });
    const adding = Promise.allSettled([1, 2, 3].map((item) => group.add(item)));
    await group.idle();
    expect(groups).toHaveLength(3);
    expect(statuses(await adding)).toEqual([true, false, true]);
  });
});
