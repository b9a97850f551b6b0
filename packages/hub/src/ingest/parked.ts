import { DAY_MS, MINUTE_MS, money, type Outcome, type PaymentAnswer, type PaymentSubject } from "@lunas/domain";
import { accountById, gatewayOf, type OpenAccount } from "../collect/accounts.ts";
import { keepAnswer } from "../collect/answers.ts";
import { MeteredHttp, takeCall } from "../collect/budget.ts";
import { rememberUnmatched } from "../collect/transactions.ts";
import { findUnmatched, keepUnmatched, nextFollow } from "../collect/unmatched.ts";
import type { Hub } from "../hub.ts";
import { armJob, type Job, PRIORITY } from "../store/jobs.ts";
import { type Db, ROUTE, type Tx } from "../store/index.ts";

/** Unclear answers in a row after which money that was found long ago is not asked about any more. */
const UNCLEAR_MAX = 20;

interface ParkedPayload {
  readonly reference: string;
  readonly provider_id: string | null;
  readonly shop_id: string;
  /** Absent in a job of an older program, which stood for all transactions of the reference. */
  readonly each?: true;
  /** Questions that got no clear answer. */
  readonly tries?: number;
}

/** Each transaction of a reference has a question of its own: several of them may have money. */
export function parkedSubject({ account_id, reference, provider_id }: { account_id: string; reference: string; provider_id: string | null }): string {
  return `${account_id}/${reference}/${provider_id ?? ""}`;
}

/**
 * Asks about a subject that nobody here knows, until the gateway has said clearly whether it has money for it. Such money is never dropped:
 * it becomes `unmatched_money`, told by an event and a metric, and is followed until a payment with that reference appears or the time is over in
 * which it could be paid back.
 */
export async function runParkedJob(hub: Hub, job: Job): Promise<{ due_at: number | undefined; payload?: object }> {
  const payload = job.payload as unknown as ParkedPayload;
  const { reference, provider_id } = payload;
  const account = await accountById(hub, job.account_id ?? "");
  const known = await hub.store.read((db) => findByReference(db, account.row.id, reference));
  if (known) return meet(hub, account.row.id, reference, known.id);
  if (payload.each === undefined) return askAboutEach(hub, account.row.id, payload);
  const grant = await takeCall(hub, account, job.priority);
  if (!grant.granted) return { due_at: grant.until };
  const asked_at = hub.clocks.business.now();
  const subject: PaymentSubject = {
    id: "unknown",
    reference,
    ...(provider_id ? { provider_id } : {}),
    handles: {},
    method: "unknown",
    amount: money(0n, "IDR"),
    expires_at: asked_at,
  };
  const outcome = await gatewayOf(hub, account, new MeteredHttp(hub, account, job.priority).send).get(subject);
  // Credentials that are refused, a rate limit and the like say nothing about money.
  if (outcome.certainty === "unknown" || (outcome.certainty === "did_not" && outcome.refusal.code !== "not_found")) {
    const tries = payload.tries ?? 0;
    const followed = await hub.store.read((db) => findUnmatched(db, account.row.id, reference, provider_id));
    // Found already, and its questions are over: a gateway that does not answer any more is not asked for ever.
    if (followed && nextFollow(followed, asked_at) === undefined && tries >= UNCLEAR_MAX) return { due_at: undefined };
    return { due_at: asked_at + Math.min(MINUTE_MS * 2 ** Math.min(tries, 20), DAY_MS), payload: { ...payload, tries: tries + 1 } };
  }
  const due_at = await hub.store.write((tx) => conclude(hub, tx, account, payload, outcome, asked_at));
  hub.signals.emit({ kind: "inbox" });
  hub.signals.emit({ kind: "deliveries" });
  return { due_at, payload: { ...payload, tries: 0 } };
}

function findByReference(db: Db | Tx, account_id: string, reference: string): Promise<{ id: string } | undefined> {
  return db.selectFrom("payments").select("id").where("account_id", "=", account_id).where("reference", "=", reference).executeTakeFirst();
}

async function conclude(
  hub: Hub,
  tx: Tx,
  account: OpenAccount,
  { reference, provider_id, shop_id }: ParkedPayload,
  outcome: Outcome<PaymentAnswer>,
  asked_at: number,
): Promise<number | undefined> {
  const account_id = account.row.id;
  // Only those that this answer is about.
  const lead = (route: number) =>
    tx
      .updateTable("notifications")
      .set({ route })
      .where("account_id", "=", account_id)
      .where("reference", "=", reference)
      .where("provider_id", provider_id === null ? "is" : "=", provider_id)
      .where("route", "=", ROUTE.parked)
      .execute();
  // It may have appeared while the gateway was being asked.
  if (await findByReference(tx, account_id, reference)) {
    await lead(ROUTE.new);
    return undefined;
  }
  const about = { shop_id, account_id, subject: { type: "money", id: `${account_id}/${reference}` } } as const;
  const answer_id = await keepAnswer(
    hub,
    tx,
    about,
    { operation: "get", outcome, cause: "a notification about an unknown reference", asked_at },
    "kept",
  );
  const evidence = outcome.certainty === "did" ? outcome.value.evidence : undefined;
  const kept = evidence && (await keepUnmatched(hub, tx, account, { shop_id, reference, evidence, answer_id, asked_at }));
  const followed = kept ?? (await findUnmatched(tx, account_id, reference, provider_id));
  if (!followed) await lead(ROUTE.closed);
  return followed && nextFollow(followed, asked_at);
}

async function meet(hub: Hub, account_id: string, reference: string, payment_id: string): Promise<{ due_at: undefined }> {
  const now = hub.clocks.business.now();
  await hub.store.write(async (tx) => {
    await tx
      .updateTable("notifications")
      .set({ route: ROUTE.new })
      .where("account_id", "=", account_id)
      .where("reference", "=", reference)
      .where("route", "=", ROUTE.parked)
      .execute();
    // The payment was committed while the money was being written down, and did not see it.
    await rememberUnmatched(tx, { id: payment_id, account_id, reference }, now);
    await armJob(tx, { kind: "payment", subject_id: payment_id, account_id, due_at: now, priority: PRIORITY.notified });
  });
  hub.signals.emit({ kind: "inbox" });
  hub.signals.emit({ kind: "jobs" });
  return { due_at: undefined };
}

async function askAboutEach(hub: Hub, account_id: string, { reference, shop_id }: ParkedPayload): Promise<{ due_at: undefined }> {
  const due_at = hub.clocks.business.now();
  await hub.store.write(async (tx) => {
    const parked = await tx
      .selectFrom("notifications")
      .select("provider_id")
      .distinct()
      .where("account_id", "=", account_id)
      .where("reference", "=", reference)
      .where("route", "=", ROUTE.parked)
      .execute();
    for (const { provider_id } of parked) {
      const payload = { reference, provider_id, shop_id, each: true };
      const subject_id = parkedSubject({ account_id, reference, provider_id });
      await armJob(tx, { kind: "parked", subject_id, account_id, due_at, priority: PRIORITY.unverified, payload });
    }
  });
  hub.signals.emit({ kind: "jobs" });
  return { due_at: undefined };
}
