import { useState } from "react";
import { actionOf, type Payment, type State } from "../contract.ts";
import { isHandheld } from "../device.ts";
import { useDeadline } from "../hooks.ts";
import { bankName, methodName } from "../methods.ts";
import { type Texts, useSpeech } from "../texts/index.ts";
import type { Checkout } from "../use-checkout.ts";
import { Deadline } from "./Deadline.tsx";
import { TurnIcon } from "./icons.tsx";
import { PayBill, PayCode, PayVirtualAccount } from "./PayNumber.tsx";
import { PayRedirect } from "./PayRedirect.tsx";
import { PayQr } from "./PayQr.tsx";
import { type Heading, Title } from "./Title.tsx";

interface PayProps {
  readonly checkout: Checkout;
  readonly state: State;
  readonly payment: Payment;
  readonly now_ms: number;
  readonly heading: Heading;
}

function deviceHints(): { userAgent: string; maxTouchPoints: number; mobile?: boolean } {
  const { userAgent, maxTouchPoints, userAgentData } = navigator as Navigator & { userAgentData?: { mobile?: boolean } };
  return { userAgent, maxTouchPoints, mobile: userAgentData?.mobile };
}

/** How to pay this payment, and whether it has arrived. */
export function Pay({ checkout, state, payment, now_ms, heading }: PayProps) {
  const { texts, language } = useSpeech();
  const [handheld] = useState(() => isHandheld(deviceHints()));
  const left_ms = useDeadline(payment.expires_at, now_ms, checkout.check);
  const name = methodName(state, payment.method, language);
  return (
    <section className="card stack" data-testid="status-pending">
      <div className="card-head">
        <Title heading={heading}>{payTitle(payment, name, handheld, texts)}</Title>
        <Deadline expires_at={payment.expires_at} left_ms={left_ms} />
      </div>
      {left_ms !== 0 && <Ways payment={payment} name={name} handheld={handheld} reference={state.order.reference} />}
      <Progress checkout={checkout} unconfirmed={payment.flags.includes("unconfirmed")} />
    </section>
  );
}

function payTitle(payment: Payment, name: string, handheld: boolean, { pay }: Texts): string {
  const number = actionOf(payment, "va_number");
  if (number) return pay.va(bankName(number.bank));
  if (handheld && actionOf(payment, "deeplink")) return pay.app(name);
  if (actionOf(payment, "qr")) return handheld ? pay.qris_phone : pay.scan(name);
  if (actionOf(payment, "redirect")) return pay.hosted;
  return pay.other(name);
}

export interface WaysProps {
  readonly payment: Payment;
  readonly name: string;
  readonly handheld: boolean;
  readonly reference: string;
}

/** All that the payment offers: unknown kinds of action are passed over. */
function Ways({ payment, name, handheld, reference }: WaysProps) {
  const number = actionOf(payment, "va_number");
  const bill = actionOf(payment, "bill");
  const code = actionOf(payment, "payment_code");
  const redirect = actionOf(payment, "redirect");
  return (
    <>
      {number && <PayVirtualAccount payment={payment} bank={number.bank} number={number.number} />}
      {bill && <PayBill payment={payment} biller_code={bill.biller_code} bill_key={bill.bill_key} />}
      {code && <PayCode payment={payment} store={code.store} code={code.code} />}
      <PayQr payment={payment} name={name} handheld={handheld} reference={reference} />
      {redirect && <PayRedirect url={redirect.url} />}
    </>
  );
}

/** The live status and what the buyer can do about it. */
function Progress({ checkout, unconfirmed }: { readonly checkout: Checkout; readonly unconfirmed: boolean }) {
  const { texts } = useSpeech();
  const { check } = checkout.model;
  const said = { idle: undefined, running: texts.pay.checking, not_yet: texts.pay.not_yet, failed: texts.pay.check_failed }[check];
  return (
    <div className="progress">
      <p className="waiting">
        <span className="pulse" aria-hidden="true" />
        <span>
          <span className="strong">{texts.pay.waiting}</span>{" "}
          <span className="quiet small">{unconfirmed ? texts.pay.unconfirmed : texts.pay.waiting_hint}</span>
        </span>
      </p>
      <div className="check">
        <button
          type="button"
          className="button button-soft"
          data-testid="refresh"
          aria-disabled={check === "running"}
          onClick={() => check !== "running" && checkout.check()}
        >
          {texts.pay.check}
        </button>
        <output className="small said" data-testid="check-result">
          {said}
        </output>
      </div>
      <button type="button" className="button button-quiet" data-testid="choose-another" onClick={checkout.chooseAgain}>
        <TurnIcon size={18} />
        {texts.pay.another}
      </button>
    </div>
  );
}
