import { COLLECTED_STATUSES, isCurrency, money, type PaymentSubject, amountNumber } from "@lunas/domain";
import { accountById, gatewayOf } from "../collect/accounts.ts";
import { keepAnswer } from "../collect/answers.ts";
import { takeCall } from "../collect/budget.ts";
import { emitEvent } from "../collect/emit.ts";
import type { Hub } from "../hub.ts";
import type { Job } from "../store/jobs.ts";
import { ROUTE } from "../store/index.ts";

/**
 * Asks once about a subject that nobody here knows. Money that the gateway has collected for it is never dropped:
 * it becomes `unmatched_money`, told by an event and a metric, until a payment with that reference appears.
 */
export async function runParkedJob(hub: Hub, job: Job): Promise<{ due_at: number | undefined }> {
  const { reference, provider_id, shop_id } = job.payload as { reference: string; provider_id: string | null; shop_id: string };
  const account = await accountById(hub, job.account_id ?? "");
  const known = await hub.store.read((db) =>
    db.selectFrom("payments").select("id").where("account_id", "=", account.row.id).where("reference", "=", reference).executeTakeFirst(),
  );
  if (known) return meet(hub, account.row.id, reference);
  const grant = await takeCall(hub, account, job.priority);
  if (!grant.granted) return { due_at: grant.until };
  const asked_at = hub.clocks.business.now();
  const subject: PaymentSubject = {
    id: "unknown", reference, ...(provider_id ? { provider_id } : {}), handles: {}, method: "unknown", amount: money(0n, "IDR"), expires_at: asked_at,
  };
  const outcome = await gatewayOf(hub, account).get(subject);
  if (outcome.certainty === "unknown") return { due_at: asked_at + Math.min(60_000 * 2 ** Math.min(job.attempts, 7), 3_600_000) };
  await hub.store.write(async (tx) => {
    const about = { shop_id, account_id: account.row.id, subject: { type: "money", id: `${account.row.id}/${reference}` } } as const;
    const answer_id = await keepAnswer(hub, tx, about, { operation: "get", outcome, cause: "a notification about an unknown reference", asked_at }, "kept");
    const evidence = outcome.certainty === "did" ? outcome.value.evidence : undefined;
    if (!evidence || !COLLECTED_STATUSES.includes(evidence.status as never)) {
      await tx.updateTable("notifications").set({ route: ROUTE.closed }).where("account_id", "=", account.row.id).where("reference", "=", reference).where("route", "=", ROUTE.parked).execute();
      return;
    }
    const id = hub.newId("transition").replace(/^trn/, "umm");
    const inserted = await tx
      .insertInto("unmatched_money")
      .values({
        id, shop_id, account_id: account.row.id, reference, provider_id: evidence.provider_id ?? reference, amount: evidence.amount ?? null,
        currency: evidence.currency, answer_id, payment_id: null, found_at: asked_at, matched_at: null,
      })
      .onConflict((oc) => oc.columns(["account_id", "provider_id"]).doNothing())
      .executeTakeFirst();
    if ((inserted.numInsertedOrUpdatedRows ?? 0n) === 0n) return;
    const amount = evidence.amount !== undefined && isCurrency(evidence.currency) ? amountNumber(money(evidence.amount, evidence.currency)) : null;
    await emitEvent(hub, tx, {
      shop_id, type: "money.unmatched", subject: { type: "money", id },
      data: { account: account.row.slug, provider_reference: reference, provider_id: evidence.provider_id ?? null, amount, currency: evidence.currency, status: evidence.status },
    });
    hub.metrics.count("lunas_unmatched_money_total");
  });
  hub.signals.emit({ kind: "deliveries" });
  return { due_at: undefined };
}

async function meet(hub: Hub, account_id: string, reference: string): Promise<{ due_at: undefined }> {
  await hub.store.write((tx) =>
    tx.updateTable("notifications").set({ route: ROUTE.new }).where("account_id", "=", account_id).where("reference", "=", reference).where("route", "=", ROUTE.parked).execute(),
  );
  hub.signals.emit({ kind: "inbox" });
  return { due_at: undefined };
}
