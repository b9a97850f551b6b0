import type { GatewayCapabilities, MethodCapability } from "@lunas/domain";

const MINUTE_S = 60;
const DAY_S = 86_400;

/** Settled VA money of Permata (and, behind Snap, of Mandiri Bill and Indomaret) may flip to deny 1 to 5 minutes later (midtrans.md §10). */
const REVERSAL_WINDOW_S = 6 * MINUTE_S;

/** How a method is asked for on the wire, and how its refund is. */
export interface Method {
  readonly api: "core" | "snap";
  readonly payment_type?: "gopay" | "qris" | "bank_transfer";
  readonly bank?: "bca" | "bni" | "bri" | "permata";
  /** Permata VA does not honour an Idempotency-Key: a repeated charge asks first (midtrans.md §12). */
  readonly idempotent: boolean;
  /** `direct` goes through to the wallet at once; `queued` is confirmed later; `chosen` depends on what the buyer picked on the page (§6). */
  readonly refund: "direct" | "queued" | "chosen" | "none";
  /** Longest name and phone that the bank takes, where it is stricter than Midtrans (§5.1). */
  readonly customer_max_chars?: number;
  readonly capability: MethodCapability;
}

const wallet = { min: 20, max: 7 * DAY_S, default: 15 * MINUTE_S };
const va = { min: 20, max: 180 * DAY_S, default: DAY_S };

function vaMethod(bank: "bca" | "bni" | "bri" | "permata", name: string, differences: Partial<Method> = {}, firm_after_s = 0): Method {
  return {
    api: "core",
    payment_type: "bank_transfer",
    bank,
    idempotent: true,
    refund: "none",
    ...differences,
    capability: {
      label: { en: `${name} virtual account`, id: `Virtual account ${name}` },
      kind: "virtual_account",
      refund: "none",
      expiry_s: va,
      firm_after_s,
      polls: "va",
    },
  };
}

/** Methods by our names (midtrans.md §5 for requests and expiry, §6 for refunds and their windows). */
export const METHODS: Readonly<Record<string, Method>> = {
  gopay: {
    api: "core",
    payment_type: "gopay",
    idempotent: true,
    refund: "direct",
    capability: {
      label: { en: "GoPay", id: "GoPay" },
      kind: "ewallet",
      refund: "full_and_partial",
      refund_window_days: 45,
      expiry_s: wallet,
      firm_after_s: 0,
      polls: "wallet",
    },
  },
  qris: {
    api: "core",
    payment_type: "qris",
    idempotent: true,
    refund: "queued",
    capability: {
      // 45 days where the buyer's wallet is the acquirer's own, 7 otherwise; the gateway refuses what is too late.
      label: { en: "QRIS", id: "QRIS" },
      kind: "qris",
      refund: "full_and_partial",
      refund_window_days: 45,
      expiry_s: wallet,
      firm_after_s: 0,
      polls: "wallet",
    },
  },
  bca_va: vaMethod("bca", "BCA"),
  bni_va: vaMethod("bni", "BNI", { customer_max_chars: 30 }),
  bri_va: vaMethod("bri", "BRI"),
  permata_va: vaMethod("permata", "Permata", { idempotent: false }, REVERSAL_WINDOW_S),
  snap: {
    api: "snap",
    idempotent: false,
    refund: "chosen",
    capability: {
      label: { en: "Other methods", id: "Metode lain" },
      kind: "hosted",
      refund: "full_and_partial",
      expiry_s: { min: MINUTE_S, max: 7 * DAY_S, default: DAY_S },
      firm_after_s: REVERSAL_WINDOW_S,
      polls: "va",
    },
  },
};

/** The method of this name, or undefined where it is none of ours. */
export function methodOf(name: string): Method | undefined {
  return Object.hasOwn(METHODS, name) ? METHODS[name] : undefined;
}

/** How a transaction of this payment_type is refunded, for those that a hosted page chose (midtrans.md §6). */
export const REFUND_OF_PAYMENT_TYPE: Readonly<Record<string, "direct" | "queued">> = {
  credit_card: "queued",
  gopay: "direct",
  shopeepay: "direct",
  dana: "direct",
  ovo: "direct",
  qris: "queued",
  kredivo: "queued",
  akulaku: "queued",
};

export const capabilities: GatewayCapabilities = {
  methods: Object.fromEntries(Object.entries(METHODS).map(([name, method]) => [name, method.capability])),
  currencies: ["IDR"],
  fractional_amounts: false,
  // An order_id would take `~` and `.` too, a refund_key not (midtrans.md §2): one rule for both.
  reference: { max_length: 50, extra_characters: "-_" },
  refund_retry_days: 7,
};

/** Limits of the provider are unpublished (midtrans.md §21): modest enough for every account seen so far, our decision. */
export const budget = { per_second: 20, burst: 40 } as const;
