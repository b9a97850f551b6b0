import {
  amountNumber,
  COLLECTED_STATUSES,
  DAY_MS,
  isCurrency,
  MINUTE_MS,
  money,
  type Outcome,
  type PaymentAnswer,
  type PaymentSubject,
} from "@lunas/domain";
import { accountById, gatewayOf, type OpenAccount } from "../collect/accounts.ts";
import { keepAnswer } from "../collect/answers.ts";
import { takeCall } from "../collect/budget.ts";
import { emitEvent } from "../collect/emit.ts";
import type { Hub } from "../hub.ts";
import type { Job } from "../store/jobs.ts";
import { type Db, ROUTE, type Tx } from "../store/index.ts";

interface ParkedPayload {
  readonly reference: string;
  readonly provider_id: string | null;
  readonly shop_id: string;
  /** Questions that got no clear answer. */
  readonly tries?: number;
}

/**
 * Asks about a subject that nobody here knows, until the gateway has said clearly whether it has money for it. Such money is never dropped:
 * it becomes `unmatched_money`, told by an event and a metric, until a payment with that reference appears.
 */
export async function runParkedJob(hub: Hub, job: Job): Promise<{ due_at: number | undefined; payload?: object }> {
  const payload = job.payload as unknown as ParkedPayload;
  const { reference, provider_id } = payload;
  const account = await accountById(hub, job.account_id ?? "");
  const known = await hub.store.read((db) => findByReference(db, account.row.id, reference));
  if (known) return meet(hub, account.row.id, reference);
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
  const outcome = await gatewayOf(hub, account).get(subject);
  // Credentials that are refused, a rate limit and the like say nothing about money.
  if (outcome.certainty === "unknown" || (outcome.certainty === "did_not" && outcome.refusal.code !== "not_found")) {
    const tries = payload.tries ?? 0;
    return { due_at: asked_at + Math.min(MINUTE_MS * 2 ** Math.min(tries, 20), DAY_MS), payload: { ...payload, tries: tries + 1 } };
  }
  await hub.store.write((tx) => conclude(hub, tx, account, payload, outcome, asked_at));
  hub.signals.emit({ kind: "inbox" });
  hub.signals.emit({ kind: "deliveries" });
  return { due_at: undefined };
}

function findByReference(db: Db | Tx, account_id: string, reference: string): Promise<{ id: string } | undefined> {
  return db.selectFrom("payments").select("id").where("account_id", "=", account_id).where("reference", "=", reference).executeTakeFirst();
}

async function conclude(
  hub: Hub,
  tx: Tx,
  account: OpenAccount,
  { reference, shop_id }: ParkedPayload,
  outcome: Outcome<PaymentAnswer>,
  asked_at: number,
): Promise<void> {
  const account_id = account.row.id;
  const lead = (route: number) =>
    tx
      .updateTable("notifications")
      .set({ route })
      .where("account_id", "=", account_id)
      .where("reference", "=", reference)
      .where("route", "=", ROUTE.parked)
      .execute();
  // It may have appeared while the gateway was being asked.
  if (await findByReference(tx, account_id, reference)) return void (await lead(ROUTE.new));
  const about = { shop_id, account_id, subject: { type: "money", id: `${account_id}/${reference}` } } as const;
  const answer_id = await keepAnswer(
    hub,
    tx,
    about,
    { operation: "get", outcome, cause: "a notification about an unknown reference", asked_at },
    "kept",
  );
  const evidence = outcome.certainty === "did" ? outcome.value.evidence : undefined;
  if (!evidence || !COLLECTED_STATUSES.includes(evidence.status)) return void (await lead(ROUTE.closed));
  const id = hub.newId("transition").replace(/^trn/, "umm");
  const inserted = await tx
    .insertInto("unmatched_money")
    .values({
      id,
      shop_id,
      account_id,
      reference,
      provider_id: evidence.provider_id ?? reference,
      amount: evidence.amount ?? null,
      currency: evidence.currency,
      answer_id,
      payment_id: null,
      found_at: asked_at,
      matched_at: null,
    })
    .onConflict((oc) => oc.columns(["account_id", "provider_id"]).doNothing())
    .executeTakeFirst();
  if ((inserted.numInsertedOrUpdatedRows ?? 0n) === 0n) return;
  const amount = evidence.amount !== undefined && isCurrency(evidence.currency) ? amountNumber(money(evidence.amount, evidence.currency)) : null;
  await emitEvent(hub, tx, {
    shop_id,
    type: "money.unmatched",
    subject: { type: "money", id },
    data: {
      account: account.row.slug,
      provider_reference: reference,
      provider_id: evidence.provider_id ?? null,
      amount,
      currency: evidence.currency,
      status: evidence.status,
    },
  });
  hub.metrics.count("lunas_unmatched_money_total");
}

async function meet(hub: Hub, account_id: string, reference: string): Promise<{ due_at: undefined }> {
  await hub.store.write((tx) =>
    tx
      .updateTable("notifications")
      .set({ route: ROUTE.new })
      .where("account_id", "=", account_id)
      .where("reference", "=", reference)
      .where("route", "=", ROUTE.parked)
      .execute(),
  );
  hub.signals.emit({ kind: "inbox" });
  return { due_at: undefined };
}
