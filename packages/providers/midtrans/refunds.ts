import { DAY_MS, type Outcome, type PaymentSubject, type Refusal, type RefundAnswer, type RefundEvidence, type RefundIntent } from "@lunas/domain";
import { cut, refundAmount } from "./charge-request.ts";
import { readTransaction } from "./evidence.ts";
import { capabilities, REFUND_OF_PAYMENT_TYPE, type Method } from "./methods.ts";
import { refusalOf, type CoreReply } from "./reply.ts";
import type { Session } from "./session.ts";
import { askForPage } from "./snap.ts";
import { ask, type Found } from "./transactions.ts";
import type { RefundRequest } from "./wire.ts";

const REASON_MAX_CHARS = 255;

const UNSUPPORTED: Refusal = { code: "unsupported", message: "Midtrans has no refund call for this method" };

function askForPayment(session: Session, subject: PaymentSubject, method: Method): Promise<Found> {
  // A page may have several transactions: the refund is of the one whose money the payment has.
  const unknown = method.api === "snap" && subject.provider_id === undefined;
  return unknown ? askForPage(session, subject) : ask(session, subject, subject.provider_id);
}

/** What `refunds[]` of a status answer says of our key. */
type Sought =
  | { readonly kind: "found"; readonly answer: RefundAnswer }
  | { readonly kind: "absent"; readonly refusal: Refusal }
  | { readonly kind: "refused"; readonly refusal: Refusal }
  | { readonly kind: "unknown"; readonly reason: string };

async function seek(session: Session, intent: RefundIntent, method: Method): Promise<Sought> {
  const found = await askForPayment(session, intent.payment, method);
  if (found.kind !== "found") return found;
  const { evidence } = found.reading;
  const listed = evidence.refunds ?? [];
  // One that was made in the dashboard may have no key: then their id of it is all there is.
  const refund =
    listed.find((one) => one.key === intent.key) ??
    listed.find((one) => one.key === undefined && one.provider_id !== undefined && one.provider_id === (intent.provider_id ?? intent.key));
  if (refund) return { kind: "found", answer: { refund, payment: evidence } };
  return { kind: "absent", refusal: { code: "not_found", message: `the payment has no refund with the key ${intent.key}` } };
}

/** GET status, and our key among `refunds[]` (midtrans.md §6). Of any method: what was refunded in their dashboard is listed whatever it was paid by. */
export async function getRefund(session: Session, intent: RefundIntent, method: Method): Promise<Outcome<RefundAnswer>> {
  const sought = await seek(session, intent, method);
  if (sought.kind === "found") return session.did(sought.answer);
  return sought.kind === "unknown" ? session.unknown(sought.reason) : session.didNot(sought.refusal);
}

/**
 * Refunds under our key. How it continues after an unknown outcome: the same call with the same refund_key, which the gateway
 * takes for seven days (midtrans.md §2); after that it asks, and what is not found then is left to a person. Wherever a refusal could
 * hide an earlier success (406 for the key, 412 after a full refund, anything on a repeated call) the list of refunds decides.
 */
export async function refund(session: Session, intent: RefundIntent, method: Method): Promise<Outcome<RefundAnswer>> {
  if (method.refund === "none") return session.didNot(UNSUPPORTED);
  const amount = refundAmount(intent.amount);
  if (!amount.ok) return session.didNot(amount.refusal);
  if (intent.submitted_at !== undefined && session.context.business.now() - intent.submitted_at >= capabilities.refund_retry_days * DAY_MS) {
    return tooOld(session, intent, method);
  }
  const way = await wayOf(session, intent, method);
  if (typeof way === "object") return way;
  const body: RefundRequest = {
    refund_key: intent.key,
    // Always said: without it the gateway refunds all, with any fee that the buyer paid on top.
    amount: amount.request,
    ...(intent.reason ? { reason: cut(intent.reason, REASON_MAX_CHARS) } : {}),
  };
  const id = encodeURIComponent(intent.payment.provider_id ?? intent.payment.reference);
  const path = `/v2/${id}/refund${way === "direct" ? "/online/direct" : ""}`;
  const reply = await session.core("POST", path, body, `refund-${intent.id}`);
  return conclude(session, intent, method, way, reply);
}

async function tooOld(session: Session, intent: RefundIntent, method: Method): Promise<Outcome<RefundAnswer>> {
  const sought = await seek(session, intent, method);
  if (sought.kind === "found") return session.did(sought.answer);
  if (sought.kind !== "absent") return session.unknown(sought.kind === "unknown" ? sought.reason : sought.refusal.message);
  // Not "refused": nobody knows any more whether the call of then came through later. The hub hands it to a person.
  return session.didNot({
    code: "not_found",
    message: `not found at the gateway, and its key may be sent again for ${capabilities.refund_retry_days} days only`,
  });
}

/** `direct` or `queued`; for a hosted page by what the buyer chose there, or an outcome where that cannot be. */
async function wayOf(session: Session, intent: RefundIntent, method: Method): Promise<"direct" | "queued" | Outcome<RefundAnswer>> {
  if (method.refund === "direct" || method.refund === "queued") return method.refund;
  const found = await askForPayment(session, intent.payment, method);
  if (found.kind === "unknown") return session.unknown(found.reason);
  if (found.kind !== "found") return intent.submitted_at === undefined ? session.didNot(found.refusal) : session.unknown(found.refusal.message);
  return REFUND_OF_PAYMENT_TYPE[found.reading.evidence.method ?? ""] ?? session.didNot(UNSUPPORTED);
}

async function conclude(
  session: Session,
  intent: RefundIntent,
  method: Method,
  way: "direct" | "queued",
  reply: CoreReply,
): Promise<Outcome<RefundAnswer>> {
  if (reply.kind === "unknown") return session.unknown(reply.reason);
  if (reply.kind === "refused") return refused(session, intent, method, reply.refusal);
  if (reply.code === "200") {
    const read = readTransaction(reply.body, intent.payment, session.context.config, intent.payment.provider_id);
    if (!read.ok) return session.unknown(read.problem);
    const { transaction, evidence } = read.value;
    if (transaction.refund_key && transaction.refund_key !== intent.key) return session.unknown("the answer speaks of another refund_key");
    const provider_id = transaction.refund_chargeback_uuid ?? (transaction.refund_chargeback_id ?? undefined)?.toString();
    const accepted: RefundEvidence = {
      key: intent.key,
      ...(provider_id ? { provider_id } : {}),
      amount: intent.amount.minor,
      status: way === "direct" ? "confirmed" : "accepted",
      ...(intent.reason ? { reason: intent.reason } : {}),
    };
    // Whether refund_amount is of this refund or of all is told for status answers only (midtrans.md §6), so it is not taken from here.
    const { refunded: _refunded, ...payment } = evidence;
    return session.did({ refund: accepted, payment });
  }
  const refusal = refusalOf(reply.body);
  return refusal ? refused(session, intent, method, refusal) : session.unknown(`code ${reply.code} for a refund`);
}

async function refused(session: Session, intent: RefundIntent, method: Method, refusal: Refusal): Promise<Outcome<RefundAnswer>> {
  // A hub that was restored from an older copy calls for the first time what it had called before:
  // the codes that a repetition gets are looked into always.
  const may_hide_success = intent.submitted_at !== undefined || ["conflict", "state", "amount"].includes(refusal.code);
  if (may_hide_success) {
    const sought = await seek(session, intent, method);
    if (sought.kind === "found") return session.did(sought.answer);
    if (sought.kind !== "absent" || refusal.code === "conflict") {
      return session.unknown(`the refund was refused (${refusal.message}), and the gateway does not say whether an earlier call was taken`);
    }
  }
  // 202: the bank said no. That is an answer about this refund, and the payment stays as it is.
  if (refusal.code !== "declined") return session.didNot(refusal);
  return session.did({ refund: { key: intent.key, amount: intent.amount.minor, status: "refused", reason: refusal.message } });
}
