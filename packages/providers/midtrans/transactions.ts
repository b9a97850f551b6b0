import type { Outcome, PaymentAnswer, PaymentSubject, Refusal } from "@lunas/domain";
import { actionsOf, readTransaction, type Reading } from "./evidence.ts";
import type { Method } from "./methods.ts";
import { refusalOf } from "./reply.ts";
import type { Session } from "./session.ts";

/** What the gateway says when asked for a transaction. `absent`: it surely has none. `refused`: it would not say. */
export type Found =
  | { readonly kind: "found"; readonly reading: Reading }
  | { readonly kind: "absent"; readonly refusal: Refusal }
  | { readonly kind: "refused"; readonly refusal: Refusal }
  | { readonly kind: "unknown"; readonly reason: string };

/**
 * GET /v2/{id}/status (midtrans.md §6). The body's code is the transaction's own: 407 is an expired one that was found, 404 none.
 * @param provider_id asks for this transaction; without it the newest one under our reference answers.
 */
export async function ask(session: Session, subject: PaymentSubject, provider_id?: string): Promise<Found> {
  const reply = await session.core("GET", `/v2/${encodeURIComponent(provider_id ?? subject.reference)}/status`);
  if (reply.kind === "refused") return reply;
  if (reply.kind === "unknown") return reply;
  if ("transaction_status" in reply.body) {
    const read = readTransaction(reply.body, subject, session.context.config, provider_id);
    return read.ok ? { kind: "found", reading: read.value } : { kind: "unknown", reason: read.problem };
  }
  const refusal = refusalOf(reply.body);
  if (refusal?.code === "not_found") return { kind: "absent", refusal };
  // Only a key that is not accepted, or a rate limit, is an answer to a question; anything else is not understood.
  if (refusal && (refusal.code === "unauthorized" || refusal.code === "rate_limited")) return { kind: "refused", refusal };
  return { kind: "unknown", reason: `code ${reply.code} without a transaction` };
}

/** How a transaction is told to the hub by whoever found it. */
export function answerOf(reading: Reading, method: Method): PaymentAnswer {
  const actions = actionsOf(reading.transaction, method);
  return { evidence: reading.evidence, ...(actions.length > 0 ? { actions } : {}) };
}

/** A question and nothing else, as an outcome. */
export function outcomeOf(session: Session, found: Found, method: Method): Outcome<PaymentAnswer> {
  if (found.kind === "found") return session.did(answerOf(found.reading, method));
  return found.kind === "unknown" ? session.unknown(found.reason) : session.didNot(found.refusal);
}

/** Words after which nobody can pay a transaction any more: what cancel and expire are for. */
export const CLOSED: readonly string[] = ["canceled", "expired", "failed"];

/**
 * POST /v2/{id}/cancel or /expire (midtrans.md §6; body 407 is the success of expire). After 412 it asks: a transaction that is closed already,
 * because an earlier call took effect or the time ran out, is as good as closed now.
 * @param id the transaction's id where known: an order_id may be used again after cancel or expire, and then names another transaction.
 */
export async function close(
  session: Session,
  subject: PaymentSubject,
  operation: "cancel" | "expire",
  method: Method,
  provider_id?: string,
): Promise<Outcome<PaymentAnswer>> {
  const path = `/v2/${encodeURIComponent(provider_id ?? subject.reference)}/${operation}`;
  // A hosted page can have several transactions under one payment, and one key would answer for all of them.
  const key = method.api === "core" ? `${operation}-${subject.id}` : undefined;
  const reply = await session.core("POST", path, {}, key);
  if (reply.kind === "refused") return session.didNot(reply.refusal);
  if (reply.kind === "unknown") return session.unknown(reply.reason);
  const refusal = refusalOf(reply.body);
  if ("transaction_status" in reply.body && (!refusal || reply.code === "407")) {
    const read = readTransaction(reply.body, subject, session.context.config, provider_id);
    return read.ok ? session.did({ evidence: read.value.evidence }) : session.unknown(read.problem);
  }
  if (!refusal) return session.unknown(`code ${reply.code} for ${operation}`);
  if (refusal.code !== "state") return session.didNot(refusal);
  const found = await ask(session, subject, provider_id);
  if (found.kind === "unknown") return session.unknown(`${operation} was refused (${refusal.message}), and then: ${found.reason}`);
  if (found.kind === "found" && CLOSED.includes(found.reading.evidence.status)) return session.did({ evidence: found.reading.evidence });
  return session.didNot(refusal);
}
