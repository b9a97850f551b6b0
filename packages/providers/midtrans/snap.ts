import type { OpenIntent, Outcome, PaymentAction, PaymentAnswer, PaymentEvidence, PaymentSubject, Refusal } from "@lunas/domain";
import { snapRequest } from "./charge-request.ts";
import { addresses } from "./config.ts";
import type { Method } from "./methods.ts";
import type { Session } from "./session.ts";
import { answerOf, ask, askForAll, close, CLOSED, type Found, hasMoney, othersOf, outcomeOf } from "./transactions.ts";
import { snapCanceledSchema, snapCreatedSchema } from "./wire.ts";

/** Under this name a Snap token is kept in `PaymentSubject.handles`. */
export const SNAP_TOKEN_HANDLE = "snap_token";

/** Evidence about a page on which no method was chosen: the Core API knows no transaction (midtrans.md §3). */
function unchosen(subject: PaymentSubject, status: "pending" | "expired" | "canceled", provider_status: string): PaymentAnswer {
  return { evidence: { status, provider_status, reference: subject.reference, currency: subject.amount.currency } };
}

/**
 * Opens a hosted page. A page that was created again revokes the one before (midtrans.md §3), so continuing is safe:
 * it asks whether the buyer got as far as a transaction, and creates the page again if not.
 */
export async function openPage(session: Session, intent: OpenIntent, method: Method): Promise<Outcome<PaymentAnswer>> {
  if (intent.submitted_at !== undefined) {
    const found = await ask(session, intent);
    if (found.kind === "found") return session.did(withPage(found, intent, method));
    if (found.kind !== "absent")
      return session.unknown(found.kind === "unknown" ? found.reason : `the gateway would not say: ${found.refusal.message}`);
    if (session.context.business.now() >= intent.expires_at)
      return session.didNot({ code: "state", message: "the payment expired before its page was made" });
  }
  const built = snapRequest(intent, method, session.context.business.now());
  if (!built.ok) return session.didNot(built.refusal);
  const reply = await session.snap("/transactions", built.request);
  if (reply.kind === "unknown") return session.unknown(reply.reason);
  if (reply.kind === "refused") {
    if (reply.refusal.code !== "conflict") return session.didNot(reply.refusal);
    // The order_id was used and paid: whatever stands there is ours to know.
    const found = await ask(session, intent);
    if (found.kind === "found") return session.did(withPage(found, intent, method));
    return session.unknown(`the page was refused (${reply.refusal.message}), and the gateway does not say what stands under the order_id`);
  }
  const created = snapCreatedSchema.safeParse(reply.json);
  if (!created.success) return session.unknown("the answer is no Snap token");
  const { token, redirect_url } = created.data;
  const actions: PaymentAction[] = [
    { type: "snap_token", token },
    { type: "redirect", url: redirect_url },
  ];
  const { config } = session.context;
  // What a shop's page needs beside the token for `snap.pay` (midtrans.md §4).
  const handles = { [SNAP_TOKEN_HANDLE]: token, client_key: config.client_key, script_url: addresses(config).snap_script };
  return session.did({ ...unchosen(intent, "pending", "unchosen"), actions, handles });
}

/** A transaction that was found for a page. Without its token nobody can be sent to it. */
function withPage(found: Extract<Found, { kind: "found" }>, intent: OpenIntent, method: Method): PaymentAnswer {
  const { evidence } = answerOf(found.reading, method);
  if (evidence.status !== "pending" && evidence.status !== "authorized") return { evidence };
  const token = intent.handles[SNAP_TOKEN_HANDLE];
  return token ? { evidence, actions: [{ type: "snap_token", token }] } : { evidence, unusable: true };
}

/**
 * The transaction that a page is closed by: the one that has money, or else the newest, for a buyer may try again under the same order_id
 * after a denial.
 */
export async function askForPage(session: Session, subject: PaymentSubject): Promise<Found> {
  const { main, others } = await askForAll(session, subject, "newest");
  return hasMoney(main) ? main : (others.find(({ found }) => hasMoney(found))?.found ?? main);
}

/**
 * A page without a transaction waits for the buyer to choose. Its end is not announced (midtrans.md §2, page_expiry): past its time it is
 * still told as pending, without a provider_id, and `expire` closes it for certain. A page whose token nobody has waits for nobody:
 * told as pending it could neither be shown nor closed.
 */
export async function getPage(session: Session, subject: PaymentSubject, method: Method): Promise<Outcome<PaymentAnswer>> {
  const all = await askForAll(session, subject, "newest");
  const waiting = all.main.kind === "absent" && subject.provider_id === undefined && subject.handles[SNAP_TOKEN_HANDLE] !== undefined;
  const others = othersOf(all);
  if (!waiting) return outcomeOf(session, all.main, method, others);
  return session.did({ ...unchosen(subject, "pending", "unchosen"), ...(others.length > 0 ? { others } : {}) });
}

type TokenCancel =
  | { readonly kind: "canceled" | "in_progress" }
  | { readonly kind: "not_found"; readonly refusal: Refusal }
  | { readonly kind: "outcome"; readonly outcome: Outcome<PaymentAnswer> };

/** POST /snap/v1/transactions/{token}/cancel (midtrans.md §3). */
async function cancelToken(session: Session, token: string): Promise<TokenCancel> {
  const reply = await session.snap(`/transactions/${encodeURIComponent(token)}/cancel`, {});
  if (reply.kind === "unknown") return { kind: "outcome", outcome: session.unknown(reply.reason) };
  if (reply.kind === "body") {
    if (snapCanceledSchema.safeParse(reply.json).success) return { kind: "canceled" };
    return { kind: "outcome", outcome: session.unknown("the answer says no canceled_at") };
  }
  const said = reply.messages.join(" | ").toLowerCase();
  if (said.includes("already canceled")) return { kind: "canceled" };
  if (said.includes("on progress")) return { kind: "in_progress" };
  if (said.includes("token not found")) return { kind: "not_found", refusal: { ...reply.refusal, code: "not_found" } };
  return { kind: "outcome", outcome: session.didNot(reply.refusal) };
}

/**
 * Closes a page: its token first, so that no method can be chosen any more, then the transaction if there is one. The gateway
 * refuses to cancel a token whose transaction is in progress: then the transaction goes first and the token after it,
 * or the buyer could try again. It is done only when both are known to be over.
 */
export async function closePage(
  session: Session,
  subject: PaymentSubject,
  operation: "cancel" | "expire",
  method: Method,
): Promise<Outcome<PaymentAnswer>> {
  const token = subject.handles[SNAP_TOKEN_HANDLE];
  const first = token === undefined ? undefined : await cancelToken(session, token);
  if (subject.provider_id === undefined) {
    if (first?.kind === "outcome") return first.outcome;
    if (first?.kind === "canceled") return session.did(unchosen(subject, operation === "cancel" ? "canceled" : "expired", "token_canceled"));
  }
  const found = await askForPage(session, subject);
  if (found.kind === "absent") return closedWithoutTransaction(session, subject, first, found.refusal);
  if (found.kind !== "found") return outcomeOf(session, found, method);
  const closed = await closeTransaction(session, subject, operation, method, found.reading.evidence);
  if (closed.certainty !== "did" || token === undefined) return closed;
  const last = first?.kind === "in_progress" ? await cancelToken(session, token) : first;
  if (isPageOver(session, subject, last)) return closed;
  return session.unknown(`its transaction is over (${closed.value.evidence.provider_status}), but whether its page is closed is not known`);
}

/**
 * Whether nobody can choose a method on the page any more. A transaction that is over does not say so: the buyer may try again
 * under the same order_id.
 */
function isPageOver(session: Session, subject: PaymentSubject, token: TokenCancel | undefined): boolean {
  return token?.kind === "canceled" || token?.kind === "not_found" || session.context.business.now() >= subject.expires_at;
}

function closedWithoutTransaction(
  session: Session,
  subject: PaymentSubject,
  token: TokenCancel | undefined,
  refusal: Refusal,
): Outcome<PaymentAnswer> {
  if (token?.kind === "outcome") return token.outcome;
  if (token?.kind === "in_progress") return session.unknown("the page is in progress, but no transaction is known yet");
  // No page, no transaction, and no time left in which either could come: that is the end of it, though nobody announced it.
  if (token?.kind === "not_found" && session.context.business.now() >= subject.expires_at) {
    return session.did(unchosen(subject, "expired", "token_not_found"));
  }
  // A page whose token nobody has was never shown to anyone.
  return session.didNot(token?.kind === "not_found" ? token.refusal : refusal);
}

async function closeTransaction(
  session: Session,
  subject: PaymentSubject,
  operation: "cancel" | "expire",
  method: Method,
  evidence: PaymentEvidence,
): Promise<Outcome<PaymentAnswer>> {
  if (CLOSED.includes(evidence.status)) return session.did({ evidence });
  if (evidence.status === "pending" || evidence.status === "authorized") return close(session, subject, operation, method, evidence.provider_id);
  // The gateway would void a captured card: money that came in is refunded by a decision, never cancelled on the way.
  return session.didNot({ code: "state", message: `the transaction is ${evidence.provider_status}` });
}
