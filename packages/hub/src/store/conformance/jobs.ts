import { afterEach, expect, test } from "vitest";
import type { Store } from "../index.ts";
import { armJob, claimJobs, finishJob, type Job, nextJobDue, PRIORITY } from "../jobs.ts";

const LEASE_MS = 1_000;

export function jobGuarantees(store: () => Store): void {
  const arm = (subject_id: string, due_at: number, more: { kind?: string; priority?: number; payload?: Record<string, unknown> } = {}) =>
    store().write((tx) => armJob(tx, { kind: "ask", priority: PRIORITY.poll, ...more, subject_id, due_at }));
  const claim = (now: number, limit = 10, kinds?: string[]) => claimJobs(store(), now, LEASE_MS, limit, kinds);
  const finish = (job: Job, next?: number, priority?: number) => store().write((tx) => finishJob(tx, job, next, priority));
  const subjects = (jobs: Job[]) => jobs.map(({ subject_id }) => subject_id);
  const claimOne = async (now: number): Promise<Job> => {
    const jobs = await claim(now);
    expect(jobs).toHaveLength(1);
    return jobs[0]!;
  };
  afterEach(() => store().write((tx) => tx.deleteFrom("jobs").execute()));

  test("a job is claimed when it is due, not before, by one worker at a time, and is gone when it is finished", async () => {
    await arm("a", 100, { payload: { step: 1 } });
    expect(await claim(99)).toEqual([]);
    const job = await claimOne(100);
    expect(job).toMatchObject({ key: "ask:a", kind: "ask", subject_id: "a", lease_until: 100 + LEASE_MS, attempts: 1, payload: { step: 1 } });
    expect(await claim(101)).toEqual([]);
    await finish(job);
    expect(await claim(1e9)).toEqual([]);
    expect(await nextJobDue(store())).toBeUndefined();
  });

  test("the most urgent come first, then those that have waited longest, and never more than asked for", async () => {
    await arm("poll old", 1, { priority: PRIORITY.poll });
    await arm("buyer", 50, { priority: PRIORITY.buyer });
    await arm("money late", 40, { priority: PRIORITY.money });
    await arm("money", 30, { priority: PRIORITY.money });
    await arm("unverified", 2, { priority: PRIORITY.unverified });
    await arm("money not due", 500, { priority: PRIORITY.money });
    expect(subjects(await claim(100, 3))).toEqual(["money", "money late", "buyer"]);
    expect(subjects(await claim(100))).toEqual(["poll old", "unverified"]);
  });

  test("only the kinds that were asked for are claimed", async () => {
    await arm("a", 1, { kind: "ask" });
    await arm("b", 1, { kind: "expire" });
    expect(subjects(await claim(10, 10, ["expire", "other"]))).toEqual(["b"]);
    expect(subjects(await claim(10))).toEqual(["a"]);
  });

  test("a worker that dies loses its lease: the job is claimed again, and counted", async () => {
    await arm("a", 100);
    await claimOne(100);
    expect(await claim(99 + LEASE_MS)).toEqual([]);
    expect(await claimOne(100 + LEASE_MS)).toMatchObject({ attempts: 2 });
  });

  test("a worker whose lease ran out does not finish the job under the worker that has it now", async () => {
    await arm("a", 100);
    const dead = await claimOne(100);
    const alive = await claimOne(5_000);
    await finish(dead);
    expect(await claim(5_001)).toEqual([]);
    await finish(dead, 7);
    expect(await nextJobDue(store())).toBe(5_000 + LEASE_MS);
    await finish(alive, 9_000);
    expect(await nextJobDue(store())).toBe(9_000);
  });

  test("a second request makes one job, due at the earlier of both times, with the more urgent priority and the newer payload", async () => {
    await arm("a", 100, { priority: PRIORITY.poll, payload: { n: 1 } });
    await arm("a", 200, { priority: PRIORITY.notified, payload: { n: 2 } });
    expect(await nextJobDue(store())).toBe(100);
    await arm("a", 50, { priority: PRIORITY.buyer, payload: { n: 3 } });
    expect(await claimOne(60)).toMatchObject({ due_at: 50, priority: PRIORITY.notified, payload: { n: 3 } });
    await arm("a", 70);
    expect((await claimOne(60 + LEASE_MS)).payload).toEqual({ n: 3 });
  });

  test("a job that is asked for while a worker is at it stays, and is due for what was asked, not for what is being served", async () => {
    await arm("a", 100);
    const job = await claimOne(100);
    await arm("a", 900);
    await arm("a", 700);
    await arm("a", 800);
    expect(await claim(101)).toEqual([]);
    await finish(job);
    expect(await nextJobDue(store())).toBe(700);
    expect(await claim(699)).toEqual([]);
    await finish(await claimOne(700));
    expect(await nextJobDue(store())).toBeUndefined();
  });

  test("a worker that wants its job again gets the earlier of its own time and what was asked meanwhile", async () => {
    for (const [own, asked] of [
      [500, 800],
      [800, 500],
    ] as const) {
      await arm("a", 100);
      const job = await claimOne(100);
      await arm("a", asked);
      await finish(job, own);
      expect(await nextJobDue(store())).toBe(500);
      await finish(await claimOne(500));
    }
  });

  test("what was asked while a worker was at it survives that worker's death, and is served by the next one", async () => {
    await arm("a", 100);
    await claimOne(100);
    await arm("a", 50_000);
    const next = await claimOne(100 + LEASE_MS);
    await finish(next);
    expect(await nextJobDue(store())).toBeUndefined();
  });

  test("a finished job is due again at its next time, with its next priority", async () => {
    await arm("a", 100, { priority: PRIORITY.notified });
    await finish(await claimOne(100), 400, PRIORITY.poll);
    expect(await claim(399)).toEqual([]);
    expect(await claimOne(400)).toMatchObject({ priority: PRIORITY.poll, attempts: 2 });
  });

  test("the next due time counts a leased job at the end of its lease", async () => {
    await arm("a", 100);
    await arm("b", 5_000);
    expect(await nextJobDue(store())).toBe(100);
    await claimOne(100);
    expect(await nextJobDue(store())).toBe(100 + LEASE_MS);
  });

  test("an arming that is rolled back leaves no job", async () => {
    const failing = store().write(async (tx) => {
      await armJob(tx, { kind: "ask", subject_id: "a", due_at: 1, priority: PRIORITY.money });
      throw new Error("no");
    });
    await expect(failing).rejects.toThrow("no");
    expect(await claim(10)).toEqual([]);
  });

  test("a priority that no worker looks for is refused", async () => {
    await expect(arm("a", 1, { priority: 9 })).rejects.toThrow(/no priority 9/);
  });

  test("of many claims at once each job goes to exactly one", async () => {
    for (let index = 0; index < 60; index += 1) await arm(`job ${index}`, index);
    const claims = await Promise.all(Array.from({ length: 20 }, () => claim(1_000, 5)));
    const taken = claims.flatMap(subjects);
    expect(new Set(taken).size).toBe(taken.length);
    const rest = subjects(await claim(1_000, 100));
    expect(taken.length + rest.length).toBe(60);
    expect(claims.every((jobs) => jobs.length <= 5)).toBe(true);
  });
}
