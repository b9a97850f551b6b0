import { invariant } from "@lunas/domain";
import { type RawBuilder, type Selectable, sql } from "kysely";
import type { EngineProfile } from "./engine.ts";
import type { JobsTable } from "./schema.ts";
import type { Store, Tx } from "./store.ts";

export type Job = Selectable<JobsTable>;

/** Lower is sooner. The classes of the call budget. */
export const PRIORITY = { money: 0, notified: 1, buyer: 2, poll: 3, unverified: 4 } as const;

const PRIORITIES: readonly number[] = Object.values(PRIORITY);

export interface JobRequest {
  readonly kind: string;
  readonly subject_id: string;
  readonly account_id?: string | null;
  readonly due_at: number;
  readonly priority: number;
  /** What the job is to carry. Without it, it carries what it carried. */
  readonly payload?: Record<string, unknown>;
}

export function jobKey(kind: string, subject_id: string): string {
  return `${kind}:${subject_id}`;
}

/**
 * Asks for a job, in the transaction of whatever needs it. There is one row per kind and subject: a second request makes it due
 * at the earlier of both times and with the more urgent priority. While a worker is at it, requests are kept apart from the one that the
 * worker serves: they raise the generation, and the job is due for the earliest of them once the worker has finished.
 */
export async function armJob(tx: Tx, request: JobRequest): Promise<void> {
  await armJobs(tx, [request]);
}

/** Asks for several jobs by one statement. No two may be of the same kind and subject. They are written in the order of their keys, so that two hubs never wait for one another. */
export async function armJobs(tx: Tx, requests: readonly JobRequest[]): Promise<void> {
  if (requests.length === 0) return;
  for (const { priority } of requests) invariant(PRIORITIES.includes(priority), `there is no priority ${priority}`);
  const rows = requests.map((request) => ({
    key: jobKey(request.kind, request.subject_id),
    kind: request.kind,
    subject_id: request.subject_id,
    account_id: request.account_id ?? null,
    due_at: request.due_at,
    lease_until: null,
    rearmed_for: null,
    generation: 1,
    attempts: 0,
    priority: request.priority,
    payload: JSON.stringify(request.payload ?? {}),
  }));
  await tx
    .insertInto("jobs")
    .values(rows.sort((a, b) => (a.key < b.key ? -1 : 1)))
    .onConflict((oc) =>
      oc.column("key").doUpdateSet({
        due_at: sql<number>`CASE WHEN jobs.lease_until IS NULL AND excluded.due_at < jobs.due_at THEN excluded.due_at ELSE jobs.due_at END`,
        rearmed_for: sql<number | null>`CASE WHEN jobs.lease_until IS NULL THEN NULL
          WHEN jobs.rearmed_for IS NULL OR excluded.due_at < jobs.rearmed_for THEN excluded.due_at ELSE jobs.rearmed_for END`,
        priority: sql<number>`CASE WHEN excluded.priority < jobs.priority THEN excluded.priority ELSE jobs.priority END`,
        generation: sql<number>`jobs.generation + 1`,
        payload: sql<string>`CASE WHEN excluded.payload = '{}' THEN jobs.payload ELSE excluded.payload END`,
      }),
    )
    .execute();
}

/**
 * Takes due jobs, the most urgent first, and holds them for `lease_ms`. A worker that dies loses its lease, and the job is due again.
 * However many jobs are due or waiting, this reads about as many rows as it takes: one range of an index per priority, in their order.
 * @param now_ms business time.
 */
export async function claimJobs(store: Store, now_ms: number, lease_ms: number, limit: number, kinds?: readonly string[]): Promise<Job[]> {
  const statement = claimStatement(store.engine, now_ms, lease_ms, limit, kinds);
  const { rows } = await store.write((tx) => statement.execute(tx));
  return rows.sort((a, b) => a.priority - b.priority || a.due_at - b.due_at);
}

/** The statement of a claim, apart from its running, so that tests can ask the engines how they go about it. */
export function claimStatement(engine: EngineProfile, now_ms: number, lease_ms: number, limit: number, kinds?: readonly string[]): RawBuilder<Job> {
  const ofKinds = kinds ? sql`AND kind IN (${sql.join(kinds)})` : sql``;
  const range = (condition: RawBuilder<unknown>, order: string) => sql`SELECT * FROM (
    SELECT key FROM jobs WHERE ${condition} AND due_at <= ${now_ms} ${ofKinds}
    ORDER BY ${sql.ref(order)} LIMIT ${limit} ${sql.raw(engine.skipLocked)}) AS range_of_due`;
  const ranges = [
    range(sql`lease_until IS NOT NULL AND lease_until <= ${now_ms}`, "lease_until"),
    ...PRIORITIES.map((priority) => range(sql`lease_until IS NULL AND priority = ${priority}`, "due_at")),
  ];
  // MATERIALIZED: PostgreSQL must not run the subquery again for each row, which would take more than was asked for.
  return sql<Job>`
    WITH due AS MATERIALIZED (SELECT key FROM (${sql.join(ranges, sql` UNION ALL `)}) AS ranges LIMIT ${limit})
    UPDATE jobs SET lease_until = ${now_ms + lease_ms}, rearmed_for = NULL, attempts = attempts + 1
    WHERE key IN (SELECT key FROM due)
    RETURNING *`;
}

/**
 * Ends a claim: the job is due again at `next_due_at`, or gone when there is none. If it was armed again meanwhile, it stays, and is due at the
 * earlier of both. A worker whose lease has run out and was taken by another changes nothing: the other one finishes it.
 * @param job as it was claimed.
 * @param after what the job carries to its next run, unless it was armed again meanwhile: then what that brought stands. It went well, so its tries are counted anew.
 */
export async function finishJob(
  tx: Tx,
  job: Job,
  next_due_at: number | undefined,
  priority?: number,
  after?: { readonly payload: object },
): Promise<void> {
  const { lease_until } = job;
  invariant(lease_until !== null, "only a claimed job is finished");
  const mine = tx.updateTable("jobs").where("key", "=", job.key).where("lease_until", "=", lease_until);
  if (next_due_at === undefined) {
    const gone = await tx
      .deleteFrom("jobs")
      .where("key", "=", job.key)
      .where("lease_until", "=", lease_until)
      .where("generation", "=", job.generation)
      .executeTakeFirst();
    if (gone.numDeletedRows > 0n) return;
  } else {
    const anew = after === undefined ? {} : { payload: JSON.stringify(after.payload), attempts: 0 };
    const next = { ...anew, due_at: next_due_at, lease_until: null, rearmed_for: null };
    const kept = await mine
      .set(priority === undefined ? next : { ...next, priority })
      .where("generation", "=", job.generation)
      .executeTakeFirst();
    if (kept.numUpdatedRows > 0n) return;
  }
  const asked = sql<number>`COALESCE(rearmed_for, due_at)`;
  const due_at = next_due_at === undefined ? asked : sql<number>`CASE WHEN ${asked} < ${next_due_at} THEN ${asked} ELSE ${next_due_at} END`;
  await mine.set({ due_at, lease_until: null, rearmed_for: null }).execute();
}

/** When the next job is due, leased ones counted at the end of their lease; undefined when there is none. */
export async function nextJobDue(store: Store): Promise<number | undefined> {
  const first = PRIORITIES.map(
    (priority) => sql`SELECT (SELECT due_at FROM jobs WHERE lease_until IS NULL AND priority = ${priority} ORDER BY due_at LIMIT 1) AS due`,
  );
  const leased = sql`SELECT MIN(CASE WHEN lease_until < due_at THEN due_at ELSE lease_until END) FROM jobs WHERE lease_until IS NOT NULL`;
  const { rows } = await store.read((db) =>
    sql<{ due: number | null }>`SELECT MIN(due) AS due FROM (${sql.join([...first, leased], sql` UNION ALL `)}) AS firsts`.execute(db),
  );
  return rows[0]?.due ?? undefined;
}
