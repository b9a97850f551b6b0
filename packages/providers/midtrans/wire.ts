import { z } from "zod";

/**
 * Bodies as they stand on the wire, for both ends. Unknown fields may appear at any time and null means absent (midtrans.md §2),
 * so every object is open and every field that a method can lack is optional. Signed strings stay strings.
 */

const text = z.string();
const maybe = z.string().nullish();
/** Numbers come as numbers or as strings, depending on the method and the generation of the page. */
const loose = z.union([z.string(), z.number()]).nullish();

// ---- what we send ----

export interface ItemDetail {
  readonly id?: string;
  /** Whole rupiah; a discount is negative. */
  readonly price: number;
  readonly quantity: number;
  readonly name: string;
}

export interface CustomerDetails {
  readonly first_name?: string;
  readonly last_name?: string;
  readonly email?: string;
  readonly phone?: string;
}

export interface TransactionDetails {
  readonly order_id: string;
  /** Whole rupiah. */
  readonly gross_amount: number;
}

/** POST /v2/charge (midtrans.md §5). */
export interface ChargeRequest {
  readonly payment_type: "gopay" | "qris" | "bank_transfer";
  readonly transaction_details: TransactionDetails;
  readonly item_details: readonly ItemDetail[];
  readonly customer_details?: CustomerDetails;
  readonly custom_expiry: { readonly order_time: string; readonly expiry_duration: number; readonly unit: "second" | "minute" };
  readonly custom_field1: string;
  readonly gopay?: { readonly enable_callback: boolean; readonly callback_url?: string };
  readonly qris?: { readonly acquirer: "gopay" };
  readonly bank_transfer?: { readonly bank: "bca" | "bni" | "bri" | "permata" };
}

/** POST /snap/v1/transactions (midtrans.md §3). */
export interface SnapRequest {
  readonly transaction_details: TransactionDetails;
  readonly item_details: readonly ItemDetail[];
  readonly customer_details?: CustomerDetails;
  readonly expiry: { readonly start_time: string; readonly duration: number; readonly unit: "minutes" };
  readonly page_expiry: { readonly duration: number; readonly unit: "minutes" };
  readonly custom_field1: string;
  readonly callbacks?: { readonly finish: string };
  readonly gopay?: { readonly enable_callback: boolean; readonly callback_url: string };
}

/** POST /v2/{id}/refund and /refund/online/direct (midtrans.md §6). */
export interface RefundRequest {
  readonly refund_key: string;
  /** Whole rupiah. */
  readonly amount: number;
  readonly reason?: string;
}

// ---- what we get ----

export const actionSchema = z.looseObject({ name: text, url: text, method: maybe });

export const refundElementSchema = z.looseObject({
  refund_chargeback_id: loose,
  refund_chargeback_uuid: maybe,
  refund_amount: z.union([z.string(), z.number()]),
  created_at: maybe,
  reason: maybe,
  refund_key: maybe,
  refund_method: maybe,
  bank_confirmed_at: maybe,
});
export type RefundElement = z.infer<typeof refundElementSchema>;

/** With a fee that the buyer pays, gross_amount is larger than what was charged, and here is the original (midtrans.md, quirk 2). */
export const grossAmountInfoSchema = z.looseObject({ original_amount: z.string(), gross_amount: z.string(), customer_imposed_payment_fee: maybe });

/** A transaction as charge, status, cancel, expire and refund answer it, and as a notification carries it (midtrans.md §5, §6, §11.2). */
export const transactionSchema = z.looseObject({
  status_code: text,
  status_message: z.union([z.string(), z.array(z.string())]).nullish(),
  transaction_id: text,
  order_id: text,
  merchant_id: maybe,
  gross_amount: text,
  currency: maybe,
  payment_type: maybe,
  transaction_time: maybe,
  transaction_status: text,
  fraud_status: maybe,
  settlement_time: maybe,
  expiry_time: maybe,
  signature_key: maybe,
  actions: z.array(actionSchema).nullish(),
  qr_string: maybe,
  acquirer: maybe,
  va_numbers: z.array(z.looseObject({ bank: text, va_number: text })).nullish(),
  permata_va_number: maybe,
  bill_key: maybe,
  biller_code: maybe,
  payment_code: maybe,
  store: maybe,
  refunds: z.array(refundElementSchema).nullish(),
  refund_amount: loose,
  refund_key: maybe,
  refund_chargeback_id: loose,
  refund_chargeback_uuid: maybe,
  custom_field1: maybe,
  metadata: z.unknown().optional(),
});
export type Transaction = z.infer<typeof transactionSchema>;

/** The least that every body of the Core API has: the code by which it is judged, before the HTTP status (midtrans.md §9). */
export const coreBodySchema = z.looseObject({
  status_code: text,
  status_message: z.union([z.string(), z.array(z.string())]).nullish(),
  validation_messages: z.array(z.string()).nullish(),
  id: maybe,
});
export type CoreBody = z.infer<typeof coreBodySchema>;

export const snapCreatedSchema = z.looseObject({ token: z.string().min(1).max(255), redirect_url: z.url({ protocol: /^https?$/ }) });
export const snapCanceledSchema = z.looseObject({ canceled_at: text });
export const snapErrorSchema = z.looseObject({ error_messages: z.array(z.string()).min(1) });

// ---- times ----

const WIB_OFFSET_MS = 7 * 3_600_000;
const WIB = /^(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)(?:\.\d+)?$/;

/** `yyyy-MM-dd HH:mm:ss`, a wall clock at GMT+7 without offset (midtrans.md §5), in UTC ms; undefined where it is no such time. */
export function parseWib(value: string): number | undefined {
  const match = WIB.exec(value);
  if (!match) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [number, number, number, number, number, number];
  const local = Date.UTC(year, month - 1, day, hour, minute, second);
  // A day such as the 31st of June would roll over silently.
  return formatWib(local - WIB_OFFSET_MS) === value.slice(0, 19) ? local - WIB_OFFSET_MS : undefined;
}

/** A time in UTC ms as the same wall clock, cut to the second. */
export function formatWib(at_ms: number): string {
  return new Date(at_ms + WIB_OFFSET_MS).toISOString().slice(0, 19).replace("T", " ");
}
