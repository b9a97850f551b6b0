import type { Customer, DeliveryStatus, MethodName, OrderPaymentStatus, PaymentStatus } from "./objects.ts";
import type { EventType } from "./events.ts";

/** Major units: `44000`, or `"44000.50"` where the currency has decimals and the gateway takes them. */
export type AmountInput = number | string;

export interface OrderCreate {
  /** The shop's own name of the order, unique in the shop. */
  reference: string;
  amount: AmountInput;
  /** ISO 4217; the default is IDR. */
  currency?: string;
  /** What is bought. Where the items do not sum to `amount`, the hub adjusts with a line or refuses. */
  items?: readonly { name: string; quantity: number; price: AmountInput; sku?: string }[];
  customer?: Customer;
  description?: string;
  /** Where the hosted page sends the buyer back to. It decides nothing: ask your own backend there. */
  return_url?: string;
  /** Seconds in which the order can be paid. */
  expires_in_s?: number;
  /** The shop's own notes, at most 50. The hub keeps them and does not read them. */
  metadata?: Record<string, string | number | boolean | null>;
}

export interface PaymentCreate {
  method: MethodName;
  /** Slug of the account to collect with, where the shop has several for this method. */
  account?: string;
  /** Where the wallet app sends the buyer back to. */
  callback_url?: string;
}

export interface RefundCreate {
  /** Major units; absent means all that is left. */
  amount?: AmountInput;
  reason?: string;
}

export interface EndpointCreate {
  url: string;
  /** Types to be told; absent means all. */
  events?: readonly EventType[];
  description?: string;
}

/** Absent fields stay as they are; `events: null` means all. */
export interface EndpointUpdate {
  url?: string;
  events?: readonly EventType[] | null;
  description?: string | null;
}

export interface ReplayParams {
  /** RFC 3339: events from this time on. */
  since?: string;
  /** The default is `missing`: only what this endpoint has not got. */
  only?: "missing" | "all";
}

export interface AccountCreate {
  provider: string;
  /** Part of the callback URL, unique on the hub: 2 to 50 lower-case letters, digits and dashes. */
  slug: string;
  label?: string;
  credentials: Readonly<Record<string, string | null>>;
}

/** Absent fields stay as they are. */
export interface AccountUpdate {
  label?: string;
  status?: "active" | "disabled";
  /** Fields to change; null takes one away. */
  credentials?: Readonly<Record<string, string | null>>;
  /** Seconds, at most 604800, for which callbacks under the old credentials are still believed; the default of a change is 86400, 0 ends it at once. */
  previous_credentials_valid_s?: number;
}

export interface RefundClose {
  outcome: "succeeded" | "failed";
  /** What shows it, such as the number of the bank transfer. */
  proof: string;
}

export interface ResendParams {
  /** Absent: every endpoint that wants its type. */
  endpoint_id?: string;
}

export interface PageParams {
  /** Rows of one page, at most 100. Iterating goes on past it. */
  limit?: number;
  /** `next_cursor` of the page before. */
  cursor?: string;
}

export interface OrderList extends PageParams {
  reference?: string;
  payment_status?: OrderPaymentStatus;
}

export interface PaymentList extends PageParams {
  order_id?: string;
  status?: PaymentStatus;
}

export interface RefundList extends PageParams {
  payment_id?: string;
}

export interface EventList extends PageParams {
  type?: EventType;
  /** Id of the order, payment or refund that they are about. */
  subject_id?: string;
}

export interface DeliveryList extends PageParams {
  endpoint_id?: string;
  status?: DeliveryStatus;
  event_id?: string;
}

export interface NotificationList extends PageParams {
  /** Slug or id of the account. */
  account?: string;
  payment_id?: string;
  verdict?: "weak" | "forged" | "unreadable";
}

/** Of one call. */
export interface CallOptions {
  /** Ends the call and its retries. */
  signal?: AbortSignal;
}

/** Of one call that moves money. */
export interface MoneyCallOptions extends CallOptions {
  /**
   * 1 to 255 visible characters. Give one that belongs to the intent (such as your own order's id) where the
   * call may be repeated by another process or after a crash; otherwise the client makes one for each call.
   */
  idempotencyKey?: string;
}
