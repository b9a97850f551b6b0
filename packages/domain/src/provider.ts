import type { Clock } from "./clock.ts";
import type { MakeEmulator } from "./emulator.ts";
import type { Http } from "./http.ts";
import type { Currency, Money } from "./money.ts";
import type { PaymentObservation } from "./payment.ts";
import type { ReferenceRule } from "./reference.ts";

// ---- what every call answers ----

/** One question or command and what came back, kept as evidence. Never holds credentials. */
export interface Exchange {
  readonly method: string;
  readonly url: string;
  readonly request_body?: string;
  /** HTTP status; absent where no answer came. */
  readonly status?: number;
  readonly response_body?: string;
  /** What stood in the way of an answer. */
  readonly fault?: string;
  /** Business time at which it was asked, and how long it took. */
  readonly asked_at: number;
  readonly elapsed_ms: number;
}

export type RefusalCode =
  | "invalid" // the request is not acceptable as it is; `fields` says why
  | "unauthorized" // credentials are wrong or lack a right
  | "not_found" // the provider does not know the subject
  | "conflict" // the reference is already in use
  | "state" // the subject's state does not allow it
  | "amount"
  | "declined" // a bank or wallet said no
  | "rate_limited"
  | "unsupported"; // the method has no such call, or the account does not have the method

export interface Refusal {
  readonly code: RefusalCode;
  /** For the operator: the provider's own words. */
  readonly message: string;
  /** For the caller of our API, where the caller can do something about it. */
  readonly fields?: readonly { readonly field: string; readonly message: string }[];
  readonly retry_after_s?: number;
}

/**
 * What a call to a provider came to. `did`: it answered and did as asked. `did_not`: it surely did nothing.
 * `unknown`: a timeout, a 5xx, a dropped connection, an unreadable or unrecognised body; never turned into a failure by itself.
 */
export type Outcome<T> =
  | { readonly certainty: "did"; readonly value: T; readonly exchanges: readonly Exchange[] }
  | { readonly certainty: "did_not"; readonly refusal: Refusal; readonly exchanges: readonly Exchange[] }
  | { readonly certainty: "unknown"; readonly reason: string; readonly exchanges: readonly Exchange[] };

// ---- payments ----

/** What the buyer does next. QR images are fetched by the hub and served from its own origin. */
export type PaymentAction =
  | { readonly type: "qr"; readonly image_url: string; readonly qr_string?: string }
  | { readonly type: "deeplink"; readonly url: string }
  | { readonly type: "redirect"; readonly url: string }
  | { readonly type: "va_number"; readonly bank: string; readonly number: string }
  | { readonly type: "bill"; readonly biller_code: string; readonly bill_key: string }
  | { readonly type: "payment_code"; readonly store: string; readonly code: string }
  | { readonly type: "snap_token"; readonly token: string };

/** One refund as the provider tells it. `key` is ours where it carries one; a refund made in the provider's dashboard has none of ours. */
export interface RefundEvidence {
  readonly key?: string;
  /** The provider's id of the refund. */
  readonly provider_id?: string;
  readonly amount: bigint;
  readonly status: "accepted" | "confirmed" | "refused";
  readonly reason?: string;
  /** UTC ms. */
  readonly created_at?: number;
}

/** What an answer says about a payment, in our words. Amounts in minor units of `currency`. */
export interface PaymentEvidence {
  readonly status: PaymentObservation;
  /** The provider's own word. */
  readonly provider_status: string;
  /** The provider's id of the transaction; absent while a hosted page has none yet. */
  readonly provider_id?: string;
  /** Our reference as the provider holds it. */
  readonly reference: string;
  readonly merchant_id?: string;
  readonly currency: string;
  /** What the buyer pays, fees imposed on the buyer taken off; absent where the answer says nothing of it. */
  readonly amount?: bigint;
  /** Fees that the provider put on top for the buyer. */
  readonly buyer_fee?: bigint;
  /** All that has been refunded so far. */
  readonly refunded?: bigint;
  /** What was taken back; absent with `reversed` means all of it. */
  readonly reversed?: bigint;
  readonly refunds?: readonly RefundEvidence[];
  /** The provider's own word for something that took money without its saying how much: no amount follows from it, a person must look. */
  readonly notice?: string;
  /** The method as the provider names it, once the buyer has chosen one. */
  readonly method?: string;
  /** UTC ms, from the provider's clock: for display, never for order. */
  readonly paid_at?: number;
  readonly expires_at?: number;
}

/** Another transaction under the same reference. Without evidence: the provider surely has none of this payment under that id. */
export interface OtherTransaction {
  readonly provider_id: string;
  readonly evidence?: PaymentEvidence;
}

export interface PaymentAnswer {
  readonly evidence: PaymentEvidence;
  /** What the same question found of the other transactions under the reference. One that is missing got no clear answer. */
  readonly others?: readonly OtherTransaction[];
  readonly actions?: readonly PaymentAction[];
  /** Handles to keep with the payment and to give back in `PaymentSubject.handles`. */
  readonly handles?: Readonly<Record<string, string>>;
  /** The transaction exists but the buyer cannot be shown how to pay it: it must be cancelled, and only then another opened. */
  readonly unusable?: boolean;
}

export interface Item {
  readonly name: string;
  readonly quantity: number;
  /** Of one piece. */
  readonly price: Money;
  readonly sku?: string;
}

export interface Customer {
  readonly name?: string;
  readonly email?: string;
  readonly phone?: string;
}

/** What a gateway needs in order to find a payment of ours. */
export interface PaymentSubject {
  /** Our id (`pay_…`). */
  readonly id: string;
  /** The reference under which the gateway knows it. */
  readonly reference: string;
  /** The gateway's id of the transaction, once known. A reference may be used again after cancel or expire, this one never. */
  readonly provider_id?: string;
  /** Ids of other transactions that were seen under the reference and may have money: a question asks about each of them too. */
  readonly transactions?: readonly string[];
  /** Other handles that the gateway gave, such as a Snap token. */
  readonly handles: Readonly<Record<string, string>>;
  readonly method: string;
  readonly amount: Money;
  /** Business time after which the buyer can no longer pay. */
  readonly expires_at: number;
}

export interface OpenIntent extends PaymentSubject {
  readonly order_reference: string;
  readonly items: readonly Item[];
  readonly customer: Customer;
  readonly description?: string;
  /** Where the wallet app sends the buyer back to. */
  readonly callback_url?: string;
  /** Where a hosted page sends the buyer back to. */
  readonly return_url?: string;
  /** Business time of the first call; absent on the first. With it, the gateway *continues*: it never charges blindly a second time. */
  readonly submitted_at?: number;
}

export interface RefundIntent {
  readonly id: string;
  readonly payment: PaymentSubject;
  /** Our key of this refund at the gateway. */
  readonly key: string;
  /** The gateway's id of it, once known: one that was made in its dashboard may have no key. */
  readonly provider_id?: string;
  readonly amount: Money;
  /** The whole of what was collected. */
  readonly full: boolean;
  readonly reason?: string;
  /** Business time of the first call; absent on the first. */
  readonly submitted_at?: number;
}

export interface RefundAnswer {
  readonly refund: RefundEvidence;
  /** What the same answer said about the payment. */
  readonly payment?: PaymentEvidence;
}

export interface Gateway {
  /** Opens the payment, or continues to after an unknown outcome when `submitted_at` is set. */
  open(intent: OpenIntent): Promise<Outcome<PaymentAnswer>>;
  /** Asks. `did_not` with `not_found` means that the gateway surely does not know it. A method that is none of its own is no hindrance. */
  get(subject: PaymentSubject): Promise<Outcome<PaymentAnswer>>;
  cancel(subject: PaymentSubject): Promise<Outcome<PaymentAnswer>>;
  expire(subject: PaymentSubject): Promise<Outcome<PaymentAnswer>>;
  refund(intent: RefundIntent): Promise<Outcome<RefundAnswer>>;
  getRefund(intent: RefundIntent): Promise<Outcome<RefundAnswer>>;
}

/** A method of payment as data. Times in seconds. */
export interface MethodCapability {
  readonly label: { readonly en: string; readonly id: string };
  /** The groups of the checkout page. */
  readonly kind: "ewallet" | "qris" | "virtual_account" | "hosted";
  readonly refund: "full_and_partial" | "full" | "none";
  readonly refund_window_days?: number;
  readonly expiry_s: { readonly min: number; readonly max: number; readonly default: number };
  /** How long after "paid" it may still be taken back. */
  readonly firm_after_s: number;
  /** Which schedule of questions fits its life. */
  readonly polls: "wallet" | "va";
}

export interface GatewayCapabilities {
  readonly methods: Readonly<Record<string, MethodCapability>>;
  readonly currencies: readonly Currency[];
  readonly fractional_amounts: boolean;
  readonly reference: ReferenceRule;
  /** How long a refund may be sent again under the same key. */
  readonly refund_retry_days: number;
}

// ---- callbacks ----

/** A callback as it arrived: bytes first, everything else beside. Header names in lower case. */
export interface RawCallback {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly query: string;
  readonly body: Uint8Array;
  readonly topic?: string;
}

export type Verdict = "weak" | "forged";

export interface Verification {
  readonly verdict: Verdict;
  /** Which of the given credentials matched. */
  readonly credential_index?: number;
}

/** What a callback claims. It only triggers a question. */
export interface Hint {
  readonly observation?: PaymentObservation;
  readonly provider_status: string;
  readonly provider_id?: string;
  /** All that it says has been refunded so far, and how much of that the bank has confirmed. Minor units. */
  readonly refunded?: bigint;
  readonly confirmed?: bigint;
  /** As `PaymentEvidence.notice`. */
  readonly notice?: string;
}

/** A callback that could be read: parsed once, then asked. Pure. */
export interface ReadableCallback<C> {
  readonly readable: true;
  /** Our reference, or the provider's id, of what it speaks of. */
  readonly subject: { readonly kind: "payment" | "refund" | "payout" | "other"; readonly reference: string; readonly provider_id?: string };
  /** An index for people and reports, not the key by which repetitions are told. */
  readonly event_key: string;
  verify(credentials: readonly C[]): Verification;
  translate(): Hint;
}

export type CallbackReading<C> = ReadableCallback<C> | { readonly readable: false; readonly problem: string };

export type CallbackOutcome = "stored" | "repeated" | "forged" | "unreadable" | "storage_down" | "unknown_account" | "too_large";

export interface Callbacks<C> {
  read(raw: RawCallback): CallbackReading<C>;
  reply(outcome: CallbackOutcome): { readonly status: number; readonly body: string; readonly content_type: string };
  /** What the proof covers, for people: "order_id, status_code, gross_amount". */
  readonly proof_covers: string;
}

// ---- the provider itself ----

export interface ConfigField {
  readonly name: string;
  readonly label: string;
  readonly description: string;
  readonly secret: boolean;
  readonly required: boolean;
  readonly default?: string;
}

export type ConfigResult<C> =
  | { readonly ok: true; readonly config: C }
  | { readonly ok: false; readonly problems: readonly { readonly field: string; readonly message: string }[] };

export interface GatewayContext<C> {
  readonly config: C;
  readonly http: Http;
  readonly business: Clock;
  readonly wall: Clock;
}

export interface Provider<C = unknown> {
  readonly name: string;
  readonly label: string;
  readonly roles: readonly ("gateway" | "payouts" | "supplier" | "storefront")[];
  readonly config: {
    readonly fields: readonly ConfigField[];
    parse(input: Readonly<Record<string, unknown>>): ConfigResult<C>;
    /** The sandbox's own made-up credentials for an emulator at this address, such as `http://127.0.0.1:8090/midtrans`. */
    sandbox(base_url: string): Readonly<Record<string, string>>;
    /** Production refuses to start with one of these. */
    isSandbox(config: C): boolean;
  };
  /** Calls that one account may make. */
  readonly budget: { readonly per_second: number; readonly burst: number; readonly per_day?: number };
  readonly capabilities: GatewayCapabilities;
  gateway(context: GatewayContext<C>): Gateway;
  readonly callbacks: Callbacks<C>;
  /** The other end of its wire, for the sandbox. Loaded only there: a hub that collects money has no use for it. */
  readonly emulator?: () => Promise<MakeEmulator>;
}
