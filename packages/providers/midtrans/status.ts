import type { PaymentObservation } from "@lunas/domain";

/** Every word of `transaction_status` (midtrans.md §10). */
export const TRANSACTION_STATUSES = [
  "pending",
  "authorize",
  "capture",
  "settlement",
  "deny",
  "cancel",
  "expire",
  "failure",
  "refund",
  "partial_refund",
  "chargeback",
  "partial_chargeback",
] as const;
export type TransactionStatus = (typeof TRANSACTION_STATUSES)[number];

export const FRAUD_STATUSES = ["accept", "challenge", "deny"] as const;
export type FraudStatus = (typeof FRAUD_STATUSES)[number];

interface StatusRow {
  readonly status: TransactionStatus;
  /** Body codes with which the word is believed, in answers and in notifications. */
  readonly code: RegExp;
  /** What fraud_status may be; an absent one is `-`. Without it, anything. */
  readonly fraud?: readonly (FraudStatus | "-")[];
  readonly means: PaymentObservation;
}

/**
 * Section 10 as a table. A tuple that stands in no row says nothing that we believe: the hash covers the code but not the word,
 * so a word beside a foreign code is either a forgery or something that this page does not know yet.
 */
export const STATUS_TABLE: readonly StatusRow[] = [
  { status: "pending", code: /^201$/, means: "pending" },
  { status: "authorize", code: /^20[01]$/, means: "authorized" },
  { status: "capture", code: /^200$/, fraud: ["accept", "-"], means: "paid" },
  // Under review: the money is reserved, and a person at the merchant approves or denies.
  { status: "capture", code: /^20[01]$/, fraud: ["challenge"], means: "authorized" },
  { status: "settlement", code: /^200$/, fraud: ["accept", "-"], means: "paid" },
  { status: "deny", code: /^20[02]$/, means: "failed" },
  { status: "cancel", code: /^20[02]$/, means: "canceled" },
  { status: "expire", code: /^(407|202)$/, means: "expired" },
  { status: "failure", code: /^(202|5\d\d)$/, means: "failed" },
  { status: "partial_refund", code: /^200$/, means: "partially_refunded" },
  { status: "refund", code: /^200$/, means: "refunded" },
  // The wire does not say how much it took (NOTICES): the rest is still there, and no money counts as gone that is not known to be gone.
  { status: "partial_chargeback", code: /^200$/, fraud: ["accept", "-"], means: "paid" },
  { status: "chargeback", code: /^200$/, means: "reversed" },
];

/** Words that took money without saying how much: a person must look. */
export const NOTICES: readonly string[] = ["partial_chargeback"];

/**
 * What the provider's words mean in ours, or undefined where they mean nothing known: no transition follows from that.
 * Whether a `deny` takes money back (settlement -> deny) is for the payment machine, which knows what was before.
 */
export function observationOf(transaction_status: string, fraud_status: string | undefined, status_code: string): PaymentObservation | undefined {
  const fraud = fraud_status ?? "-";
  for (const row of STATUS_TABLE) {
    if (row.status !== transaction_status || !row.code.test(status_code)) continue;
    if (!row.fraud || (row.fraud as readonly string[]).includes(fraud)) return row.means;
  }
  return undefined;
}

/** The body code that goes with a status, in status answers and in notifications (the last column of section 10). */
export function statusCodeOf(status: TransactionStatus, fraud: FraudStatus | undefined, where: "answer" | "notification"): string {
  switch (status) {
    case "pending":
      return "201";
    case "capture":
      return fraud === "challenge" ? "201" : "200";
    case "deny":
    case "failure":
      return "202";
    case "expire":
      return where === "answer" ? "407" : "202";
    case "cancel":
      return where === "answer" ? "200" : "202";
    default:
      return "200";
  }
}
