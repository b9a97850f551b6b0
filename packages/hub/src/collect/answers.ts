import { type Exchange, formatAmount, type Outcome, type PaymentAnswer, type RefundAnswer, money, isCurrency } from "@lunas/domain";
import type { Hub } from "../hub.ts";
import type { AnswersTable, SubjectType, Tx } from "../store/index.ts";

/** One question or command to a gateway and what came of it. Times are business time. */
export interface Finding<T> {
  readonly operation: "open" | "get" | "cancel" | "expire" | "refund" | "get_refund";
  readonly outcome: Outcome<T>;
  /** Who wanted it: `api`, `buyer`, `poll`, `notification ntf_…`, `expiry`, `reconcile`. */
  readonly cause: string;
  readonly asked_at: number;
  /** Whoever asked writes down itself when the next question is due. */
  readonly plans_next?: true;
}

export type AnswerVerdict = AnswersTable["verdict"];

/** Keeps an answer, whatever it says: evidence of a change, or of why nothing changed. Exchanges are sealed. */
export async function keepAnswer(
  hub: Pick<Hub, "newId" | "vault" | "clocks">,
  tx: Tx,
  about: { readonly shop_id: string; readonly account_id: string; readonly subject: { readonly type: SubjectType; readonly id: string } },
  finding: Finding<PaymentAnswer | RefundAnswer>,
  verdict: AnswerVerdict,
): Promise<string> {
  const id = hub.newId("answer");
  await tx
    .insertInto("answers")
    .values({
      id,
      shop_id: about.shop_id,
      account_id: about.account_id,
      subject_type: about.subject.type,
      subject_id: about.subject.id,
      operation: finding.operation,
      certainty: finding.outcome.certainty,
      summary: JSON.stringify(summarize(finding.outcome)),
      exchange: hub.vault.seal(`answer:${id}`, JSON.stringify(finding.outcome.exchanges)),
      cause: finding.cause,
      verdict,
      asked_at: finding.asked_at,
      answered_at: hub.clocks.business.now(),
    })
    .execute();
  return id;
}

export function openExchanges(hub: Pick<Hub, "vault">, answer: { id: string; exchange: Uint8Array }): Exchange[] {
  return JSON.parse(hub.vault.openText(`answer:${answer.id}`, answer.exchange)) as Exchange[];
}

/** The answer in our words, without customers' data: what the timeline shows. */
function summarize(outcome: Outcome<PaymentAnswer | RefundAnswer>): Record<string, unknown> {
  if (outcome.certainty === "unknown") return { reason: outcome.reason };
  if (outcome.certainty === "did_not") return { refusal: outcome.refusal.code, message: outcome.refusal.message };
  const { value } = outcome;
  const evidence = "evidence" in value ? value.evidence : value.payment;
  const words: Record<string, unknown> = {};
  if (evidence) {
    words["status"] = evidence.status;
    words["provider_status"] = evidence.provider_status;
    if (evidence.provider_id) words["provider_id"] = evidence.provider_id;
    if (evidence.amount !== undefined && isCurrency(evidence.currency)) words["amount"] = formatAmount(money(evidence.amount, evidence.currency));
    if (evidence.refunded !== undefined && isCurrency(evidence.currency))
      words["refunded"] = formatAmount(money(evidence.refunded, evidence.currency));
  }
  if ("refund" in value) words["refund"] = { status: value.refund.status, key: value.refund.key ?? null };
  return words;
}
