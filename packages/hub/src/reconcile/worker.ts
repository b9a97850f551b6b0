import { LunasError, SECOND_MS } from "@lunas/domain";
import type { Hub } from "../hub.ts";
import { RUSH_REST_MS, RUSH_SHARE, rushOf } from "../rush.ts";
import { claimJobs, finishJob, type Job, nextJobDue } from "../store/jobs.ts";
import { runOrderExpiry } from "./order-job.ts";
import { runPaymentJob } from "./payment-job.ts";
import { runRefundJob } from "./refund-job.ts";

/** How long a worker may hold a job. One that dies gives it up by this. */
const LEASE_MS = 3 * 60 * SECOND_MS;
/** Mostly they wait for a gateway; how often one may be asked is its account's budget. */
const CONCURRENCY = 64;
/** Jobs are claimed when there is room for this many: a claim costs the same for one as for many. */
const CLAIM_MIN = 16;
/**
 * And no more at once, after a silence even fewer and then twice as many each time: where gateways answer quickly they are all work, whoever calls
 * the hub meanwhile waits for it, and the first of a rush are not known from a few.
 */
const CLAIM_MAX = 16;
const CLAIM_FIRST = 2;
/** The database is looked at this often even when nothing woke us: another hub may have written. */
const IDLE_LOOK_MS = 1_000;
/** After a mistake of ours a job waits this long, doubled each time, so that it neither spins nor is forgotten. */
const MISTAKE_GAP_MS = 30 * SECOND_MS;
const MISTAKE_GAP_MAX_MS = 3600 * SECOND_MS;

export type JobHandler = (hub: Hub, job: Job) => Promise<{ due_at: number | undefined; payload?: object; priority?: number }>;

export const HANDLERS: Record<string, JobHandler> = {
  payment: runPaymentJob,
  refund: runRefundJob,
  "order.expire": async (hub, job) => ({ due_at: await runOrderExpiry(hub, job) }),
};

export interface Worker {
  /** Resolves when nothing is due and nothing is running, at the business time of the call. */
  idle(): Promise<void>;
  stop(): Promise<void>;
}

/** Runs due jobs until it is stopped. Any number of workers may run on one database. */
export function startWorker(hub: Hub, handlers: Record<string, JobHandler> = HANDLERS): Worker {
  let stopping = false;
  let timer: NodeJS.Timeout | undefined;
  const running = new Set<Promise<void>>();
  const waiting: (() => void)[] = [];
  let looking: Promise<void> | undefined;
  let again = false;
  const kinds = Object.keys(handlers);
  const rush = rushOf(hub);
  let rests_until = 0;
  let share = CLAIM_FIRST;

  const run = async (job: Job): Promise<void> => {
    try {
      await runJob(hub, job, handlers);
    } catch (error) {
      hub.log.error({ err: error, job: job.key }, "a job failed and will be tried again");
    }
  };
  const look = async (): Promise<void> => {
    do {
      again = false;
      const room = CONCURRENCY - running.size;
      if (room < CLAIM_MIN || stopping) break;
      const hurried = rush.on;
      if (hurried && performance.now() < rests_until) return;
      rests_until = performance.now() + RUSH_REST_MS;
      const limit = hurried ? RUSH_SHARE : Math.min(room, share);
      const jobs = await claimJobs(hub.store, hub.clocks.business.now(), LEASE_MS, limit, kinds);
      share = hurried || jobs.length < limit ? CLAIM_FIRST : Math.min(2 * share, CLAIM_MAX);
      for (const job of jobs) {
        const done = run(job).finally(() => {
          running.delete(done);
          wake();
        });
        running.add(done);
      }
      if (jobs.length > 0) again = true;
      // A turn for the network: it may bring a rush, or answers that make room.
      if (again) await new Promise((resolve) => setImmediate(resolve));
    } while (again && !stopping);
    if (running.size === 0) for (const resolve of waiting.splice(0)) resolve();
  };
  const wake = (): void => {
    if (stopping) return;
    if (looking) {
      again = true;
      return;
    }
    clearTimeout(timer);
    looking = look()
      .catch((error: unknown) => hub.log.error({ err: error }, "the job table could not be read"))
      .finally(() => {
        looking = undefined;
        if (again) wake();
        else if (!stopping) timer = setTimeout(wake, rush.on ? RUSH_REST_MS : IDLE_LOOK_MS);
      });
  };
  const off = hub.signals.on("jobs", wake);
  wake();
  return {
    idle: () =>
      new Promise((resolve) => {
        waiting.push(resolve);
        wake();
      }),
    stop: async () => {
      stopping = true;
      off();
      clearTimeout(timer);
      await looking;
      await Promise.all(running);
    },
  };
}

async function runJob(hub: Hub, job: Job, handlers: Record<string, JobHandler>): Promise<void> {
  const handler = handlers[job.kind];
  if (!handler) return;
  try {
    const next = await handler(hub, job);
    await hub.store.write((tx) => finishJob(tx, job, next.due_at, next.priority, { payload: next.payload ?? job.payload }));
  } catch (error) {
    const now = hub.clocks.business.now();
    const gap = Math.min(MISTAKE_GAP_MS * 2 ** Math.min(job.attempts, 10), MISTAKE_GAP_MAX_MS);
    const held = error instanceof LunasError && error.code === "on_hold";
    await hub.store.write((tx) => finishJob(tx, job, now + (held ? MISTAKE_GAP_MS : gap)));
    if (!held) throw error;
  }
}

/** When the next job of any kind is due, for `/metrics` and tests. */
export async function nextDue(hub: Hub): Promise<number | undefined> {
  return nextJobDue(hub.store);
}
