import type { EmulatedStatus } from "./machine.ts";

export type PaymentType = "gopay" | "qris" | "bank_transfer";
export const BANKS = ["bca", "bni", "bri", "cimb", "permata"] as const;
export type Bank = (typeof BANKS)[number];
export const ACQUIRERS = ["gopay", "airpay shopee"] as const;
export type Acquirer = (typeof ACQUIRERS)[number];

export interface Merchant {
  readonly server_key: string;
  readonly merchant_id: string;
}

export interface StoredRefund {
  readonly id: number;
  readonly uuid: string;
  /** Whole rupiah. */
  readonly amount: number;
  readonly key: string;
  readonly reason?: string;
  readonly created_at: number;
  readonly method: "online" | "offline";
  readonly origin: "api" | "dashboard";
  readonly bank_confirmed_at?: number;
}

/** What of the merchant's request comes back in status answers and notifications. */
export interface Echoed {
  readonly custom_field1?: string;
  readonly custom_field2?: string;
  readonly custom_field3?: string;
  readonly metadata?: Readonly<Record<string, unknown>>;
}

/** A transaction as the emulator keeps it. Amounts are whole rupiah, times business UTC ms. */
export interface StoredTransaction extends Merchant, Echoed {
  readonly transaction_id: string;
  readonly order_id: string;
  readonly payment_type: PaymentType;
  readonly bank?: Bank;
  readonly acquirer?: Acquirer;
  /** What the merchant charged. */
  readonly amount: number;
  /** What stands in `gross_amount`: with a fee imposed on the payer it is more, and where the payer paid another amount it is that. */
  readonly gross_amount: number;
  readonly status: EmulatedStatus;
  readonly created_at: number;
  readonly changed_at: number;
  readonly expires_at: number;
  readonly settled_at?: number;
  /** QRIS that was paid with the acquirer's own wallet. */
  readonly on_us?: boolean;
  /** Of the wallet: in deeplinks and QR addresses. */
  readonly reference: string;
  /** Of the second generation of QR addresses. */
  readonly qr_string: string;
  readonly va_number?: string;
  readonly callback_url?: string;
  readonly finish_url?: string;
  readonly snap_token?: string;
  readonly refunds: readonly StoredRefund[];
  /** All that the payer paid, ever. */
  readonly collected: number;
  readonly reversed: number;
  readonly override_urls?: readonly string[];
  readonly append_urls?: readonly string[];
  /** As it was before the last change of status: what a lagging status answer tells. */
  readonly before?: Omit<StoredTransaction, "before">;
}

export type SnapState = "open" | "canceled" | "revoked";

/** An order at the hosted page. It is no transaction until the payer picks a method (midtrans.md §3). */
export interface StoredSnap extends Merchant, Echoed {
  readonly token: string;
  readonly order_id: string;
  readonly amount: number;
  readonly items: readonly { readonly name: string; readonly quantity: number; readonly price: number }[];
  readonly methods: readonly SnapMethod[];
  readonly state: SnapState;
  readonly created_at: number;
  readonly page_expires_at: number;
  /** Of the transaction to come: its start, where the request fixed it, and its length; absent for the method's default. */
  readonly expiry?: { readonly start_at?: number; readonly length_ms: number };
  readonly transaction_id?: string;
  readonly canceled_at?: number;
  readonly finish_url?: string;
  readonly error_url?: string;
  /** Numbers that the merchant would like, by bank. */
  readonly va_wishes?: Readonly<Partial<Record<Bank, unknown>>>;
  /** Attempts that were denied before the one under way. */
  readonly denials?: number;
  readonly gopay_callback_url?: string;
  readonly override_urls?: readonly string[];
  readonly append_urls?: readonly string[];
}

export type SnapMethod = "gopay" | "qris" | `${Bank}_va`;

export function refundedAmount(transaction: Pick<StoredTransaction, "refunds">): number {
  return transaction.refunds.reduce((sum, refund) => sum + refund.amount, 0);
}

/** `44000` as `"44000.00"`. */
export function rupiah(amount: number): string {
  return amount.toFixed(2);
}
