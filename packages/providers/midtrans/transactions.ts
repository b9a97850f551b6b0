import type { OtherTransaction, Outcome, PaymentAnswer, PaymentSubject, Refusal } from "@lunas/domain";
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

const OF_ANOTHER_ORDER: Refusal = { code: "not_found", message: "the transaction is of another order_id" };

/**
 * GET /v2/{id}/status (midtrans.md §6). The body's code is the transaction's own: 407 is an expired one that was found, 404 none.
 * @param provider_id asks for this transaction; without it the newest one under our reference answers.
 */
export async function ask(session: Session, subject: PaymentSubject, provider_id?: string): Promise<Found> {
  const reply = await session.core("GET", `/v2/${encodeURIComponent(provider_id ?? subject.reference)}/status`);
  if (reply.kind === "refused") return reply;
  if (reply.kind === "unknown") return reply;
  if ("transaction_status" in reply.body) {
    // An id that only a notification has named may be any transaction's: one of another order is none of this payment.
    const named = provider_id !== undefined && provider_id !== subject.provider_id;
    if (named && reply.body["order_id"] !== subject.reference) return { kind: "absent", refusal: OF_ANOTHER_ORDER };
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
export function outcomeOf(session: Session, found: Found, method: Method, others: readonly OtherTransaction[] = []): Outcome<PaymentAnswer> {
  if (found.kind === "found") return session.did({ ...answerOf(found.reading, method), ...(others.length > 0 ? { others } : {}) });
  return found.kind === "unknown" ? session.unknown(found.reason) : session.didNot(found.refusal);
}

/** How many transactions beside the first one a question asks about: each is a call. */
const OTHERS_MAX = 8;

/** What stands under a reference: one order_id may own several transactions (midtrans.md, quirk 12). */
export interface UnderReference {
  /** The one that was asked for first, or another where that one is absent or unclear. */
  readonly main: Found;
  readonly others: readonly { readonly provider_id: string; readonly found: Found }[];
}

/**
 * Asks for every transaction that is known under a reference, and says of each how it stands: which of them counts is for the hub, which knows
 * the money it has. The one that the payment is known by must answer, or nobody may judge; another one may be missing.
 * @param first `newest`: whatever stands under the order_id now, which on a hosted page may be one that nobody told us of.
 */
export async function askForAll(session: Session, subject: PaymentSubject, first: "newest" | "known"): Promise<UnderReference> {
  const known_id = subject.provider_id;
  let main = await ask(session, subject, first === "known" ? known_id : undefined);
  if (main.kind === "unknown" || main.kind === "refused") return { main, others: [] };
  const others: { provider_id: string; found: Found }[] = [];
  const newest_id = idOf(main) ?? (first === "known" ? known_id : undefined);
  if (known_id !== undefined && known_id !== newest_id) {
    const known = await ask(session, subject, known_id);
    const clear = known.kind === "found" || known.kind === "absent";
    if (main.kind === "absent" || (!clear && !hasMoney(main))) main = known;
    else others.push({ provider_id: known_id, found: known });
    if (!clear && main === known) return { main, others: [] };
  }
  const rest = [...new Set(subject.transactions)].filter((id) => id !== known_id && id !== newest_id).slice(0, OTHERS_MAX);
  for (const provider_id of rest) others.push({ provider_id, found: await ask(session, subject, provider_id) });
  const instead = main.kind === "absent" ? others.find(({ found }) => found.kind === "found") : undefined;
  if (!instead) return { main, others };
  return { main: instead.found, others: others.filter((other) => other !== instead) };
}

function idOf(found: Found): string | undefined {
  return found.kind === "found" ? found.reading.evidence.provider_id : undefined;
}

const WITH_MONEY: readonly string[] = ["authorized", "paid", "partially_refunded", "refunded"];

/** Whether a transaction holds money, reserves some or has paid it back: not one that may be closed over. */
export function hasMoney(found: Found): boolean {
  return found.kind === "found" && WITH_MONEY.includes(found.reading.evidence.status);
}

/** What is told of the others. One without a clear answer is left out: it is asked about again. */
export function othersOf({ others }: UnderReference): OtherTransaction[] {
  return others.flatMap(({ provider_id, found }): OtherTransaction[] => {
    if (found.kind === "found") return [{ provider_id, evidence: found.reading.evidence }];
    return found.kind === "absent" ? [{ provider_id }] : [];
  });
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
