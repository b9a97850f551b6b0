import type { OtherTransaction } from "@lunas/domain";
import type { Hub } from "../hub.ts";
import { armJob, PRIORITY } from "../store/jobs.ts";
import type { Tx } from "../store/index.ts";
import type { OrderBundle, PaymentRow } from "./rows.ts";
import { holdsMoney } from "./transactions.ts";
import { keepUnmatched, nextFollow, tellUnmatched } from "./unmatched.ts";

const ATTENTION_MAX_CHARS = 500;

function attention(provider_id: string): string {
  return `money came by another transaction too (${provider_id}): it is unmatched money, pay it back in the gateway's dashboard`;
}

/** What money was found by, beside the payment that was asked about. */
interface Source {
  readonly cause: string;
  readonly answer_id: string;
  readonly asked_at: number;
}

/**
 * A payment's money is one transaction's. What another one under its reference holds is never dropped: it becomes unmatched money, told by an
 * event, and the payment asks for a person.
 */
export async function keepElsewhere(
  hub: Hub,
  tx: Tx,
  bundle: OrderBundle,
  payment: PaymentRow,
  others: readonly OtherTransaction[],
  { answer_id, asked_at }: Source,
): Promise<PaymentRow> {
  let { needs_attention } = payment;
  for (const { provider_id, evidence } of others) {
    if (!evidence || provider_id === payment.provider_id) continue;
    const known = await tx
      .selectFrom("unmatched_money")
      .selectAll()
      .where("account_id", "=", payment.account_id)
      .where("provider_id", "=", provider_id)
      .executeTakeFirst();
    const holds = holdsMoney(evidence);
    const open = known !== undefined && known.payment_id === null;
    if (!holds && !open) continue;
    const account = { row: { id: payment.account_id, slug: bundle.slugs.get(payment.account_id) ?? payment.account_id } };
    if (known && !open) {
      // It was taken for this payment's money, which is another transaction's now.
      await tx.updateTable("unmatched_money").set({ payment_id: null, matched_at: null }).where("id", "=", known.id).execute();
      await tellUnmatched(hub, tx, account, { ...known, payment_id: null });
    }
    const kept = await keepUnmatched(hub, tx, account, { shop_id: payment.shop_id, reference: payment.reference, evidence, answer_id, asked_at });
    if (open) continue;
    needs_attention = joined(needs_attention, attention(provider_id));
    const due_at = kept && nextFollow(kept, asked_at);
    // Whoever found it, and also where no question about the payment was planned any more.
    if (due_at !== undefined)
      await armJob(tx, { kind: "payment", subject_id: payment.id, account_id: payment.account_id, due_at, priority: PRIORITY.poll });
  }
  if (needs_attention === payment.needs_attention) return payment;
  await tx.updateTable("payments").set({ needs_attention }).where("id", "=", payment.id).execute();
  return { ...payment, needs_attention };
}

/** What waited before waits still. */
function joined(before: string | null, added: string): string {
  return (before === null || before.includes(added) ? added : `${added}; ${before}`).slice(0, ATTENTION_MAX_CHARS);
}

/** Money that was found under this reference and no payment had has become this payment's: it is not unmatched any more. */
export async function matchMoney(tx: Tx, payment: PaymentRow, matched_at: number): Promise<PaymentRow> {
  const matched = await tx
    .updateTable("unmatched_money")
    .set({ payment_id: payment.id, matched_at })
    .where("account_id", "=", payment.account_id)
    .where("reference", "=", payment.reference)
    .where("provider_id", "in", [payment.provider_id ?? payment.reference, payment.reference])
    .where("payment_id", "is", null)
    .executeTakeFirst();
  const text = attention(payment.provider_id ?? "");
  if (matched.numUpdatedRows === 0n || payment.needs_attention !== text) return payment;
  await tx.updateTable("payments").set({ needs_attention: null }).where("id", "=", payment.id).execute();
  return { ...payment, needs_attention: null };
}
