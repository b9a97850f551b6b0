import { sql } from "kysely";
import type { JobsTable } from "./schema.ts";
import type { Store, Tx } from "./store.ts";
import type { Selectable } from "kysely";

export type Job = Selectable<JobsTable>;

/** Lower is sooner. The classes of the call budget. */
export const PRIORITY = { money: 0, notified: 1, buyer: 2, poll: 3, unverified: 4 } as const;

export interface JobRequest {
  readonly kind: string;
  readonly subject_id: string;
  readonly account_id?: string | null;
  readonly due_at: number;
  readonly priority: number;
  readonly payload?: Record<string, unknown>;
}

export function jobKey(kind: string, subject_id: string): string {
  return `${kind}:${subject_id}`;
}

/**
 * Asks for a job, in the transaction of whatever needs it. There is one row per kind and subject: a second request makes it due
 * at the earlier of both times and with the more urgent priority, and raises the generation, so that a worker that is at it now
 * leaves it due.
 */
export async function armJob(tx: Tx, request: JobRequest): Promise<void> {
  await tx
    .insertInto("jobs")
    .values({
      key: jobKey(request.kind, request.subject_id), kind: request.kind, subject_id: request.subject_id, account_id: request.account_id ?? null,
      due_at: request.due_at, lease_until: null, generation: 1, attempts: 0, priority: request.priority, payload: JSON.stringify(request.payload ?? {}),
    })
    .onConflict((oc) =>
      oc.column("key").doUpdateSet((eb) => ({
        due_at: sql<number>`CASE WHEN excluded.due_at < jobs.due_at THEN excluded.due_at ELSE jobs.due_at END`,
        priority: sql<number>`CASE WHEN excluded.priority < jobs.priority THEN excluded.priority ELSE jobs.priority END`,
        generation: sql<number>`jobs.generation + 1`,
        payload: request.payload === undefined ? eb.ref("jobs.payload") : eb.ref("excluded.payload"),
      })),
    )
    .execute();
}

/**
 * Takes due jobs, the most urgent first, and holds them for `lease_ms`. A worker that dies loses its lease, and the job is due again.
 * @param now_ms business time.
 */
export async function claimJobs(store: Store, now_ms: number, lease_ms: number, limit: number, kinds?: readonly string[]): Promise<Job[]> {
  const ofKinds = kinds ? sql`AND kind IN (${sql.join(kinds)})` : sql``;
  return store.write(async (tx) => {
    const { rows } = await sql<Job>`
      UPDATE jobs SET lease_until = ${now_ms + lease_ms}, attempts = attempts + 1
      WHERE key IN (
        SELECT key FROM jobs WHERE due_at <= ${now_ms} AND (lease_until IS NULL OR lease_until <= ${now_ms}) ${ofKinds}
        ORDER BY priority, due_at LIMIT ${limit} ${sql.raw(store.engine.skipLocked)})
      RETURNING *`.execute(tx);
    return rows.sort((a, b) => a.priority - b.priority || a.due_at - b.due_at);
  });
}

/**
 * Ends a claim: the job is due again at `next_due_at`, or gone when there is none. If it was armed again meanwhile,
 * it stays due as it was asked for, whichever is earlier.
 */
export async function finishJob(tx: Tx, job: Job, next_due_at: number | undefined, priority?: number): Promise<void> {
  if (next_due_at === undefined) {
    const gone = await tx.deleteFrom("jobs").where("key", "=", job.key).where("generation", "=", job.generation).executeTakeFirst();
    if (gone.numDeletedRows > 0n) return;
  } else {
    const kept = await tx
      .updateTable("jobs")
      .set({ due_at: next_due_at, lease_until: null, ...(priority === undefined ? {} : { priority }) })
      .where("key", "=", job.key)
      .where("generation", "=", job.generation)
      .executeTakeFirst();
    if (kept.numUpdatedRows > 0n) return;
    await tx.updateTable("jobs").set({ due_at: next_due_at }).where("key", "=", job.key).where("due_at", ">", next_due_at).execute();
  }
  await tx.updateTable("jobs").set({ lease_until: null }).where("key", "=", job.key).execute();
}

/** When the next job is due, leased ones counted at the end of their lease; undefined when there is none. */
export async function nextJobDue(store: Store): Promise<number | undefined> {
  const row = await store.read((db) =>
    db
      .selectFrom("jobs")
      .select((eb) => eb.fn.min<number | null>(sql<number>`CASE WHEN lease_until IS NULL OR lease_until < due_at THEN due_at ELSE lease_until END`).as("due"))
      .executeTakeFirst(),
  );
  return row?.due ?? undefined;
}
