import { MINUTE_MS, type OpenIntent, type Outcome, type PaymentAnswer, type Refusal } from "@lunas/domain";
import { chargeRequest } from "./charge-request.ts";
import { readTransaction, type Reading } from "./evidence.ts";
import type { Method } from "./methods.ts";
import { refusalOf } from "./reply.ts";
import { CALL_TIMEOUT_MS, type Session } from "./session.ts";
import { answerOf, ask } from "./transactions.ts";

/** How long the gateway keeps an Idempotency-Key (midtrans.md §12). */
const IDEMPOTENCY_MS = 5 * MINUTE_MS;

/** Whether a repeated charge is sure to reach the gateway while it still knows the key of the first. A clock that went back proves nothing. */
function keyStillKnown(submitted_at: number, now_ms: number): boolean {
  const age_ms = now_ms - submitted_at;
  return age_ms >= 0 && age_ms < IDEMPOTENCY_MS - CALL_TIMEOUT_MS;
}

/**
 * Opens a Core payment. How it continues after an unknown outcome:
 * - within five minutes of the first call, and before the payment's own expiry, the same charge is sent with the same Idempotency-Key:
 *   the gateway answers as it did, or does it now (not for Permata VA, which does not honour keys);
 * - otherwise it asks, and charges only if the gateway surely has no such transaction and the payment has not expired;
 * - 406 means that the order_id is in use: it asks which transaction that is.
 */
export async function openCharge(session: Session, intent: OpenIntent, method: Method): Promise<Outcome<PaymentAnswer>> {
  const now = session.context.business.now();
  if (intent.submitted_at === undefined) return charge(session, intent, method);
  if (method.idempotent && now < intent.expires_at && keyStillKnown(intent.submitted_at, now)) return charge(session, intent, method);
  const found = await ask(session, intent);
  if (found.kind === "found") return session.did(foundAnswer(found.reading, intent, method));
  if (found.kind === "refused") return session.unknown(`the gateway would not say whether the charge exists: ${found.refusal.message}`);
  if (found.kind === "unknown") return session.unknown(found.reason);
  if (session.context.business.now() >= intent.expires_at)
    return session.didNot({ code: "state", message: "the payment expired before the gateway knew of it" });
  return charge(session, intent, method);
}

async function charge(session: Session, intent: OpenIntent, method: Method): Promise<Outcome<PaymentAnswer>> {
  const built = chargeRequest(intent, method, session.context.business.now());
  if (!built.ok) return session.didNot(built.refusal);
  const reply = await session.core("POST", "/v2/charge", built.request, `charge-${intent.id}`);
  if (reply.kind === "unknown") return session.unknown(reply.reason);
  if (reply.kind === "refused") return refused(session, intent, method, reply.refusal);
  // 202 with a transaction is one that the bank denied at once; without one it is a refusal.
  if ("transaction_status" in reply.body && (reply.code < "300" || reply.code >= "500")) {
    const read = readTransaction(reply.body, intent, session.context.config);
    return read.ok ? session.did(foundAnswer(read.value, intent, method)) : session.unknown(read.problem);
  }
  const refusal = refusalOf(reply.body);
  return refusal ? refused(session, intent, method, refusal) : session.unknown(`code ${reply.code} for a charge`);
}

/**
 * A refusal of this call says nothing of an earlier one: a 429 now does not undo a charge that timed out before. So when continuing, and
 * when the order_id is in use, it asks, and the refusal stands only if there is no transaction.
 */
async function refused(session: Session, intent: OpenIntent, method: Method, refusal: Refusal): Promise<Outcome<PaymentAnswer>> {
  if (intent.submitted_at === undefined && refusal.code !== "conflict") return session.didNot(refusal);
  const found = await ask(session, intent);
  if (found.kind === "found") return session.did(foundAnswer(found.reading, intent, method));
  if (found.kind === "absent" && refusal.code !== "conflict") return session.didNot(refusal);
  return session.unknown(`the charge was refused (${refusal.message}), and the gateway does not say what stands under the order_id`);
}

/**
 * A transaction that stands under our order_id. Status answers carry no actions (midtrans.md §6), so a wallet's or QRIS transaction that
 * is only found cannot be shown to the buyer; nor is one of another amount or method shown. It is cancelled, and another opened after that.
 */
export function foundAnswer(reading: Reading, intent: OpenIntent, method: Method): PaymentAnswer {
  const answer = answerOf(reading, method);
  const { status, amount } = answer.evidence;
  if (status !== "pending" && status !== "authorized") return { evidence: answer.evidence };
  const fits = amount === intent.amount.minor && answer.actions !== undefined;
  return fits ? answer : { evidence: answer.evidence, unusable: true };
}
