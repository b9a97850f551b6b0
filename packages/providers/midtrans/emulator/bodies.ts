import { sign } from "../signature.ts";
import { statusCodeOf } from "../status.ts";
import { formatWib } from "../wire.ts";
import type { StoredRefund, StoredTransaction } from "./transaction.ts";
import { refundedAmount, rupiah } from "./transaction.ts";

type Told = Omit<StoredTransaction, "before">;
type Body = Record<string, unknown>;

/** What an answer to a charge, a cancel or an expire carries. It has no signature (midtrans.md §5). */
export function commonFields(transaction: Told): Body {
  return {
    transaction_id: transaction.transaction_id,
    order_id: transaction.order_id,
    merchant_id: transaction.merchant_id,
    gross_amount: rupiah(transaction.gross_amount),
    currency: "IDR",
    payment_type: transaction.payment_type,
    transaction_time: formatWib(transaction.created_at),
    transaction_status: transaction.status,
    fraud_status: "accept",
  };
}

/** Permata's number stands in a field of its own (midtrans.md, quirk 18). */
export function numberFields(transaction: Told): Body {
  if (!transaction.va_number) return {};
  if (transaction.bank === "permata") return { permata_va_number: transaction.va_number };
  return { va_numbers: [{ bank: transaction.bank, va_number: transaction.va_number }] };
}

/** Who paid a QRIS code, and by which references the acquirer knows it (midtrans.md §11.2). */
function scannedFields({ acquirer, on_us = false, reference, transaction_id }: Told): Body {
  return {
    transaction_type: on_us ? "on-us" : "off-us",
    issuer: on_us ? acquirer : "lunas sandbox",
    merchant_cross_reference_id: reference,
    ...(acquirer === "airpay shopee" ? { shopeepay_reference_number: reference, reference_id: transaction_id } : {}),
  };
}

/** Fields of section 11.2 that differ by method; they appear with the money. */
function methodFields(transaction: Told): Body {
  const paid = transaction.settled_at !== undefined;
  switch (transaction.payment_type) {
    case "gopay":
      return paid ? { payment_option_type: "GOPAY_WALLET" } : {};
    case "qris": {
      return { acquirer: transaction.acquirer, ...(paid ? scannedFields(transaction) : {}) };
    }
    case "bank_transfer": {
      if (transaction.bank === "permata") return numberFields(transaction);
      const amounts =
        transaction.bank === "bni" && transaction.settled_at !== undefined
          ? [{ paid_at: formatWib(transaction.settled_at), amount: rupiah(transaction.collected) }]
          : [];
      return { ...numberFields(transaction), payment_amounts: amounts };
    }
  }
}

/** An element of `refunds[]` (midtrans.md §6). Nulls are left out. */
export function refundElement(refund: StoredRefund): Body {
  return {
    refund_chargeback_id: refund.id,
    refund_chargeback_uuid: refund.uuid,
    refund_amount: rupiah(refund.amount),
    created_at: formatWib(refund.created_at),
    reason: refund.reason,
    refund_key: refund.key,
    refund_method: refund.method,
    bank_confirmed_at: refund.bank_confirmed_at === undefined ? undefined : formatWib(refund.bank_confirmed_at),
  };
}

function lateFields(transaction: Told): Body {
  const { settled_at, refunds, custom_field1, custom_field2, custom_field3, metadata } = transaction;
  return {
    settlement_time: settled_at === undefined ? undefined : formatWib(settled_at),
    expiry_time: formatWib(transaction.expires_at),
    custom_field1,
    custom_field2,
    custom_field3,
    metadata,
    ...(refunds.length > 0 ? { refund_amount: rupiah(refundedAmount(transaction)), refunds: refunds.map(refundElement) } : {}),
  };
}

function signed(transaction: Told, status_code: string): Body {
  const gross_amount = rupiah(transaction.gross_amount);
  return { status_code, signature_key: sign({ order_id: transaction.order_id, status_code, gross_amount }, transaction.server_key) };
}

/** GET /v2/{id}/status: the code reflects the state, and the signature is over this code (midtrans.md §6, §11.3). */
export function statusBody(transaction: Told): Body {
  const code = statusCodeOf(transaction.status, "accept", "answer");
  return {
    ...signed(transaction, code),
    status_message: "Success, transaction is found",
    ...commonFields(transaction),
    ...methodFields(transaction),
    ...lateFields(transaction),
  };
}

/** The body of a notification (midtrans.md §11.2). */
export function notificationBody(transaction: Told): Body {
  const code = statusCodeOf(transaction.status, "accept", "notification");
  return {
    ...signed(transaction, code),
    status_message: "midtrans payment notification",
    ...commonFields(transaction),
    ...methodFields(transaction),
    ...lateFields(transaction),
  };
}
