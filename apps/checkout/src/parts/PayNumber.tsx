import { useEffect, useRef, useState } from "react";
import { copyTextOf } from "../clipboard.ts";
import type { Payment } from "../contract.ts";
import { formatMoney, groupDigits } from "../format.ts";
import { bankName } from "../methods.ts";
import { useSpeech } from "../texts/index.ts";
import { CheckIcon, CopyIcon } from "./icons.tsx";
import { Steps } from "./Steps.tsx";

interface VirtualAccountProps {
  readonly payment: Payment;
  readonly bank: string;
  readonly number: string;
}

export function PayVirtualAccount({ payment, bank, number }: VirtualAccountProps) {
  const { texts } = useSpeech();
  const path = Object.entries(texts.va_paths).find(([key]) => key === bank.toLowerCase())?.[1] ?? texts.va_paths.other;
  return (
    <>
      <div className="numbers">
        <CopyNumber label={texts.pay.va_number(bankName(bank))} number={number} testid="va-number" copy_testid="copy-va" />
        <Exact payment={payment} />
      </div>
      <Steps steps={texts.steps.va(path)} />
    </>
  );
}

export function PayBill({ payment, biller_code, bill_key }: { readonly payment: Payment; readonly biller_code: string; readonly bill_key: string }) {
  const { texts } = useSpeech();
  return (
    <div className="numbers">
      <CopyNumber label={texts.pay.biller} number={biller_code} testid="biller-code" copy_testid="copy-biller" />
      <CopyNumber label={texts.pay.bill_key} number={bill_key} testid="bill-key" copy_testid="copy-bill-key" />
      <Exact payment={payment} />
    </div>
  );
}

export function PayCode({ payment, store, code }: { readonly payment: Payment; readonly store: string; readonly code: string }) {
  const { texts } = useSpeech();
  const shop = store.slice(0, 1).toUpperCase() + store.slice(1);
  return (
    <div className="numbers">
      <CopyNumber label={texts.pay.code(shop)} number={code} testid="payment-code" copy_testid="copy-code" />
      <Exact payment={payment} />
    </div>
  );
}

function Exact({ payment }: { readonly payment: Payment }) {
  const { texts, language } = useSpeech();
  return (
    <div className="number">
      <p>
        <span className="quiet small">{texts.pay.exact}</span>{" "}
        <span className="digits">{formatMoney(payment.amount, payment.currency, language)}</span>
      </p>
    </div>
  );
}

interface CopyNumberProps {
  readonly label: string;
  readonly number: string;
  readonly testid: string;
  readonly copy_testid: string;
}

/** How long "copied" stays, ms. */
const COPIED_MS = 4_000;

/** A number in groups of four for the eye; copied and selected it has no gaps. */
function CopyNumber({ label, number, testid, copy_testid }: CopyNumberProps) {
  const { texts } = useSpeech();
  const digits = useRef<HTMLSpanElement>(null);
  const [copied, setCopied] = useState<boolean>();
  useEffect(() => {
    if (copied !== true) return;
    const timer = setTimeout(() => setCopied(undefined), COPIED_MS);
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = async (): Promise<void> => {
    if (digits.current) setCopied(await copyTextOf(digits.current));
  };
  return (
    <div className="number">
      <p>
        <span className="quiet small">{label}</span>{" "}
        <span className="digits" ref={digits} data-testid={testid}>
          {groupDigits(number).map((group, index) => (
            <span key={`${index} ${group}`}>{group}</span>
          ))}
        </span>
      </p>
      <button
        type="button"
        className="button button-soft"
        data-testid={copy_testid}
        aria-label={`${texts.pay.copy}: ${label}`}
        onClick={() => void copy()}
      >
        {copied ? <CheckIcon size={18} /> : <CopyIcon size={18} />}
        {copied ? texts.pay.copied : texts.pay.copy}
      </button>
      <output aria-live="polite" className={copied === false ? "small wide" : "unseen"} data-testid={`${copy_testid}-status`}>
        {copied === true && texts.pay.copied}
        {copied === false && texts.pay.copy_failed}
      </output>
    </div>
  );
}
