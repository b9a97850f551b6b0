import { LIVE_STATUSES, LunasError } from "@lunas/domain";
import type { Hub } from "../hub.ts";
import { clearHold, readKnownUntil } from "../store/hold.ts";
import { armJobs, type JobRequest, PRIORITY } from "../store/jobs.ts";
import { askAccount, inParallel, type Unclear } from "./ask-account.ts";
import { findUnsettled, type Question } from "./unsettled.ts";

export interface ReconcileWish {
  /** Lift the hold if all was answered clearly. */
  readonly after_restore: boolean;
  /** Slugs or ids of accounts that are not asked: their keys are revoked, say. */
  readonly skip_accounts?: readonly string[] | undefined;
  /** Until when the database knows what happened, where whoever asks knows it better than the hub. */
  readonly since?: number | undefined;
}

export interface Reconciled {
  readonly asked: number;
  readonly unclear: number;
  /** By slug of the account. */
  readonly unclear_accounts: Readonly<Record<string, Unclear>>;
  /** Payments that were not asked about, by slug of the account that was left out. */
  readonly skipped: Readonly<Record<string, number>>;
  readonly hold: string | null;
}

/** Accounts that are asked at the same time. */
const ACCOUNTS_AT_ONCE = 4;
const JOBS_PER_WRITE = 500;

/**
 * Asks about everything of which something may have happened that the database does not know. After a restore this is what lifts the hold: the
 * database is older than the world, and until the gateways have been asked, a command could do again what was done already.
 * @throws LunasError invalid_request when an account that is to be left out does not exist.
 */
export async function reconcile(hub: Hub, wish: ReconcileWish): Promise<Reconciled> {
  const slugs = await readSlugs(hub);
  const left_out = accountsOf(slugs, wish.skip_accounts ?? []);
  const questions = await findUnsettled(hub, await knownUntil(hub, wish));
  const byAccount = Map.groupBy(questions, (question) => question.account_id);
  const skipped: Record<string, number> = {};
  const unclear_accounts: Record<string, Unclear> = {};
  const todo = [...byAccount].filter(([account_id, { length }]) => {
    if (left_out.has(account_id)) skipped[slugs.get(account_id) ?? account_id] = length;
    return !left_out.has(account_id);
  });
  await inParallel(todo, ACCOUNTS_AT_ONCE, async ([account_id, mine]) => {
    const unclear = await askAccount(hub, mine);
    if (unclear) unclear_accounts[slugs.get(account_id) ?? account_id] = unclear;
  });
  const unclear = Object.values(unclear_accounts).reduce((sum, { payments }) => sum + payments, 0);
  if (wish.after_restore && unclear === 0) await liftHold(hub, questions);
  const asked = todo.reduce((sum, [, mine]) => sum + mine.length, 0);
  return { asked, unclear, unclear_accounts, skipped, hold: hub.hold.reason ?? null };
}

/** Without a hold the hub has seen all that there was to see until now. With one whose time is not on record, nothing is certain. */
async function knownUntil(hub: Hub, wish: ReconcileWish): Promise<number> {
  if (wish.since !== undefined) return wish.since;
  const now = hub.clocks.business.now();
  return hub.hold.reason === undefined ? now : Math.min(now, (await readKnownUntil(hub.store)) ?? 0);
}

async function readSlugs(hub: Hub): Promise<Map<string, string>> {
  const rows = await hub.store.read((db) => db.selectFrom("accounts").select(["id", "slug"]).execute());
  return new Map(rows.map((row) => [row.id, row.slug]));
}

function accountsOf(slugs: ReadonlyMap<string, string>, names: readonly string[]): Set<string> {
  return new Set(
    names.map((name) => {
      const found = [...slugs].find(([id, slug]) => id === name || slug === name)?.[0];
      if (found !== undefined) return found;
      throw new LunasError("invalid_request", { errors: [{ field: "skip_accounts", message: `there is no account ${name}` }] });
    }),
  );
}

/** What was held back is due at once: refunds, and what was wanted of payments that are open. */
async function liftHold(hub: Hub, questions: readonly Question[]): Promise<void> {
  await clearHold(hub.store);
  hub.hold.reason = undefined;
  const due_at = hub.clocks.business.now();
  const jobs = await hub.store.read(async (db): Promise<JobRequest[]> => {
    const refunds = await db
      .selectFrom("refunds")
      .innerJoin("payments", "payments.id", "refunds.payment_id")
      .select(["refunds.id", "payments.account_id"])
      .where("refunds.status", "in", ["created", "submitted", "unknown"])
      .execute();
    const live = await db
      .selectFrom("payments")
      .select(["id", "account_id"])
      .where("status", "in", [...LIVE_STATUSES])
      .execute();
    const asked = new Set(questions.map((question) => question.payment_id));
    return [
      ...refunds.map(({ id, account_id }) => ({ kind: "refund", subject_id: id, account_id, due_at, priority: PRIORITY.money })),
      ...live
        .filter(({ id }) => asked.has(id))
        .map(({ id, account_id }) => ({ kind: "payment", subject_id: id, account_id, due_at, priority: PRIORITY.poll })),
    ];
  });
  for (let from = 0; from < jobs.length; from += JOBS_PER_WRITE) await hub.store.write((tx) => armJobs(tx, jobs.slice(from, from + JOBS_PER_WRITE)));
  hub.signals.emit({ kind: "jobs" });
}
