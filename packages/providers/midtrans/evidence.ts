import { isCurrency, parseAmount, type PaymentAction, type PaymentEvidence, type PaymentSubject, type RefundEvidence } from "@lunas/domain";
import type { MidtransConfig } from "./config.ts";
import type { Method } from "./methods.ts";
import { verify } from "./signature.ts";
import { NOTICES, observationOf } from "./status.ts";
import { grossAmountInfoSchema, parseWib, transactionSchema, type RefundElement, type Transaction } from "./wire.ts";

/** What an answer says, or why it says nothing that we believe. */
export type Read<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: string };

export interface Reading {
  readonly evidence: PaymentEvidence;
  readonly transaction: Transaction;
}

const no = (problem: string): { readonly ok: false; readonly problem: string } => ({ ok: false, problem });

/** An amount as it stands on their wire, in minor units. */
function minorOf(amount: string | number | null | undefined, currency: string): bigint | undefined {
  if (amount === null || amount === undefined || !isCurrency(currency)) return undefined;
  const read = parseAmount(amount, currency);
  return read.ok ? read.money.minor : undefined;
}

/**
 * The fee that the buyer pays on top (midtrans.md, quirk 2): what is ours is the original amount.
 * Believed only where it fits the amount beside it, for whoever writes metadata could otherwise write any amount.
 */
function withoutBuyerFee(transaction: Transaction, gross: bigint, currency: string): { amount: bigint; buyer_fee?: bigint } {
  const metadata = transaction.metadata as { extra_info?: { gross_amount_info?: unknown } | null } | null | undefined;
  const info = grossAmountInfoSchema.safeParse(metadata?.extra_info?.gross_amount_info);
  if (!info.success) return { amount: gross };
  const original = minorOf(info.data.original_amount, currency);
  if (original === undefined || minorOf(info.data.gross_amount, currency) !== gross || original <= 0n || original > gross) return { amount: gross };
  return { amount: original, buyer_fee: gross - original };
}

/** One element of `refunds[]` (midtrans.md §6). Without `bank_confirmed_at` it is accepted and no more. */
function refundOf(element: RefundElement, currency: string): RefundEvidence | undefined {
  const amount = minorOf(element.refund_amount, currency);
  if (amount === undefined) return undefined;
  const provider_id = element.refund_chargeback_uuid ?? (element.refund_chargeback_id ?? undefined)?.toString();
  const created_at = element.created_at ? parseWib(element.created_at) : undefined;
  return {
    ...(element.refund_key ? { key: element.refund_key } : {}),
    ...(provider_id ? { provider_id } : {}),
    amount,
    // What the bank denied is listed with nothing in it.
    status: amount <= 0n ? "refused" : element.bank_confirmed_at ? "confirmed" : "accepted",
    ...(element.reason ? { reason: element.reason } : {}),
    ...(created_at === undefined ? {} : { created_at }),
  };
}

/** Why this transaction is not the one that was asked for, or must not be believed. */
function mismatch(transaction: Transaction, subject: PaymentSubject, config: MidtransConfig, provider_id: string | undefined): string | undefined {
  if (transaction.order_id !== subject.reference) return "the answer speaks of another order_id";
  if (provider_id !== undefined && transaction.transaction_id !== provider_id) return "the answer speaks of another transaction_id";
  if (config.merchant_id && transaction.merchant_id && transaction.merchant_id !== config.merchant_id) return "the answer speaks of another merchant";
  if (transaction.currency && transaction.currency !== subject.amount.currency) return `the answer is in ${transaction.currency}`;
  // Only status answers carry one (midtrans.md §5).
  if (transaction.signature_key && !verify(transaction, transaction.signature_key, config.server_key)) return "the answer's signature_key is wrong";
  return undefined;
}

/**
 * Reads a body as evidence about `subject`. An amount that differs from ours is evidence too: the hub flags it.
 * @param provider_id the transaction that was asked for, where it was asked for by this id.
 */
export function readTransaction(body: unknown, subject: PaymentSubject, config: MidtransConfig, provider_id?: string): Read<Reading> {
  const parsed = transactionSchema.safeParse(body);
  if (!parsed.success)
    return no(`the answer is no transaction: ${parsed.error.issues[0]?.path.join(".") ?? ""} ${parsed.error.issues[0]?.message ?? ""}`);
  const transaction = parsed.data;
  const problem = mismatch(transaction, subject, config, provider_id);
  if (problem) return no(problem);
  const currency = subject.amount.currency;
  const gross = minorOf(transaction.gross_amount, currency);
  if (gross === undefined) return no("gross_amount is unreadable");
  const { transaction_status, status_code } = transaction;
  const status = observationOf(transaction_status, transaction.fraud_status ?? undefined, status_code);
  if (!status)
    return no(`transaction_status ${transaction_status} (fraud ${transaction.fraud_status ?? "-"}) with code ${status_code} has no known meaning`);
  const facts = factsOf(transaction, gross, currency);
  // All of ours went back; what the provider still calls partial is the fee that the buyer paid on top.
  const all_back = facts.buyer_fee !== undefined && facts.refunded !== undefined && facts.amount !== undefined && facts.refunded >= facts.amount;
  const ours = status === "partially_refunded" && all_back ? "refunded" : status;
  return { ok: true, value: { transaction, evidence: { status: ours, ...facts } } };
}

function factsOf(transaction: Transaction, gross: bigint, currency: string): Omit<PaymentEvidence, "status"> {
  const refunded = minorOf(transaction.refund_amount, currency);
  const settled = transaction.settlement_time ?? (transaction.transaction_status === "capture" ? transaction.transaction_time : undefined);
  const paid_at = settled ? parseWib(settled) : undefined;
  const expires_at = transaction.expiry_time ? parseWib(transaction.expiry_time) : undefined;
  return {
    provider_status: transaction.transaction_status,
    provider_id: transaction.transaction_id,
    ...(NOTICES.includes(transaction.transaction_status) ? { notice: transaction.transaction_status } : {}),
    reference: transaction.order_id,
    ...(transaction.merchant_id ? { merchant_id: transaction.merchant_id } : {}),
    currency,
    ...withoutBuyerFee(transaction, gross, currency),
    ...(refunded === undefined ? {} : { refunded }),
    ...(transaction.refunds ? { refunds: transaction.refunds.flatMap((element) => refundOf(element, currency) ?? []) } : {}),
    ...(transaction.payment_type ? { method: transaction.payment_type } : {}),
    ...(paid_at === undefined ? {} : { paid_at }),
    ...(expires_at === undefined ? {} : { expires_at }),
  };
}

const QR_URL = /^https?:\/\//i;
/** A deeplink may have any app's scheme, but none that runs or reads something in the buyer's browser. */
const SCRIPT_URL = /^\s*(javascript|data|vbscript|file|blob):/i;

/** How the buyer pays, from an answer of the Core API (midtrans.md §5.1, quirk 18). Empty where the answer does not say. */
export function actionsOf(transaction: Transaction, method: Method): readonly PaymentAction[] {
  if (method.bank === "permata") {
    return transaction.permata_va_number ? [{ type: "va_number", bank: "permata", number: transaction.permata_va_number }] : [];
  }
  if (method.bank) {
    const va = transaction.va_numbers?.find((number) => number.bank.toLowerCase() === method.bank);
    return va ? [{ type: "va_number", bank: method.bank, number: va.va_number }] : [];
  }
  if (transaction.payment_type !== method.payment_type) return [];
  const url = (name: string): string | undefined => transaction.actions?.find((action) => action.name === name)?.url;
  const actions: PaymentAction[] = [];
  const image_url = url("generate-qr-code") ?? url("generate-qr-code-v2");
  if (image_url && QR_URL.test(image_url))
    actions.push({ type: "qr", image_url, ...(transaction.qr_string ? { qr_string: transaction.qr_string } : {}) });
  const deeplink = url("deeplink-redirect");
  if (deeplink && !SCRIPT_URL.test(deeplink)) actions.push({ type: "deeplink", url: deeplink });
  return actions;
}
