import type { Gateway, GatewayContext, Outcome, PaymentAnswer, PaymentSubject } from "@lunas/domain";
import { openCharge } from "./charge.ts";
import type { MidtransConfig } from "./config.ts";
import { methodOf, type Method } from "./methods.ts";
import { getRefund, refund } from "./refunds.ts";
import { Session } from "./session.ts";
import { closePage, getPage, openPage } from "./snap.ts";
import { ask, askForAll, close, othersOf, outcomeOf } from "./transactions.ts";

/**
 * Calls Midtrans for one account. Each operation says in its own file how it continues after an unknown outcome:
 * charges in charge.ts, hosted pages in snap.ts, cancel and expire in transactions.ts, refunds in refunds.ts.
 */
export function gateway(context: GatewayContext<MidtransConfig>): Gateway {
  /** One session per operation, or a refusal where the method is none of ours. */
  const run = <T>(name: string, operation: (session: Session, method: Method) => Promise<Outcome<T>>): Promise<Outcome<T>> => {
    const session = new Session(context);
    const method = methodOf(name);
    if (!method)
      return Promise.resolve(
        session.didNot({
          code: "unsupported",
          message: `Midtrans has no method ${name}`,
          fields: [{ field: "method", message: "is not a method of Midtrans" }],
        }),
      );
    return operation(session, method);
  };
  const closing =
    (operation: "cancel" | "expire") =>
    (subject: PaymentSubject): Promise<Outcome<PaymentAnswer>> =>
      run(subject.method, (session, method) =>
        method.api === "snap" ? closePage(session, subject, operation, method) : close(session, subject, operation, method, subject.provider_id),
      );
  return {
    open: (intent) =>
      run(intent.method, (session, method) => (method.api === "snap" ? openPage(session, intent, method) : openCharge(session, intent, method))),
    get: (subject) =>
      methodOf(subject.method)
        ? run(subject.method, (session, method) =>
            method.api === "snap" ? getPage(session, subject, method) : getTransaction(session, subject, method),
          )
        : askForStranger(new Session(context), subject),
    cancel: closing("cancel"),
    expire: closing("expire"),
    refund: (intent) => run(intent.payment.method, (session, method) => refund(session, intent, method)),
    getRefund: (intent) => run(intent.payment.method, (session, method) => getRefund(session, intent, method)),
  };
}

async function getTransaction(session: Session, subject: PaymentSubject, method: Method): Promise<Outcome<PaymentAnswer>> {
  const all = await askForAll(session, subject, "known");
  return outcomeOf(session, all.main, method, othersOf(all));
}

/** A transaction that somebody else has opened, or a database that was lost: its method is not known, and the question needs none. */
async function askForStranger(session: Session, subject: PaymentSubject): Promise<Outcome<PaymentAnswer>> {
  const found = await ask(session, subject, subject.provider_id);
  if (found.kind === "found") return session.did({ evidence: found.reading.evidence });
  return found.kind === "unknown" ? session.unknown(found.reason) : session.didNot(found.refusal);
}
