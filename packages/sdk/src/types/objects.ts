/** What the hub's `/v1` answers. Amounts are numbers in major units (44000 is Rp 44.000); times are RFC 3339 in UTC. */

export type OrderPaymentStatus =
  | "unpaid"
  | "pending"
  | "underpaid"
  | "paid"
  | "partially_refunded"
  | "refunded"
  | "reversed"
  | "expired"
  | "failed"
  | "canceled";

export type PaymentStatus =
  | "created"
  | "submitted"
  | "pending"
  | "authorized"
  | "paid"
  | "partially_refunded"
  | "refunded"
  | "failed"
  | "expired"
  | "canceled"
  | "reversed";

export type PaymentFlag = "late" | "underpaid" | "overpaid" | "duplicate" | "unconfirmed";
export type RefundStatus = "created" | "submitted" | "unknown" | "succeeded" | "failed" | "manual";
export type DeliveryStatus = "due" | "delivering" | "delivered" | "exhausted" | "paused";

/** A known word, or one that a newer hub may add. */
export type Open<Known extends string> = Known | (string & {});

/** Ways of paying that this version knows; `methods.list()` says which of them the shop's accounts offer. */
export type MethodName = Open<"gopay" | "qris" | "bca_va" | "bni_va" | "bri_va" | "permata_va" | "snap">;

export interface Item {
  name: string;
  quantity: number;
  /** Of one piece, in major units. */
  price: number;
  sku?: string | null;
}

export interface Customer {
  name?: string | null;
  email?: string | null;
  phone?: string | null;
}

/** What the buyer does next. */
export type Action =
  | { type: "qr"; image_url: string; qr_string: string | null }
  | { type: "deeplink"; url: string }
  | { type: "redirect"; url: string }
  | { type: "va_number"; bank: string; number: string }
  | { type: "bill"; biller_code: string; bill_key: string }
  | { type: "payment_code"; store: string; code: string }
  | { type: "snap_token"; token: string; client_key: string; script_url: string };

export interface Refund {
  id: string;
  object: "refund";
  payment_id: string;
  order_id: string;
  amount: number;
  currency: string;
  reason: string | null;
  status: RefundStatus;
  /** `provider`: made in the gateway's own dashboard. */
  origin: "api" | "provider";
  provider_reference: string;
  /** The account's budget of calls is spent; the hub goes on at this time. */
  waiting_for_quota_until: string | null;
  /** What a person has to do, where something has to be done. */
  needs_attention: string | null;
  created_at: string;
  succeeded_at: string | null;
}

export interface Payment {
  id: string;
  object: "payment";
  order_id: string;
  /** The shop's own reference of the order. */
  order_reference: string;
  status: PaymentStatus;
  flags: PaymentFlag[];
  method: MethodName;
  provider: string;
  /** Slug of the account that collects it. */
  account: string;
  /** What the gateway knows as its order id. */
  provider_reference: string;
  /** The gateway's own id of the transaction, once there is one. */
  provider_id: string | null;
  amount: number;
  currency: string;
  amount_paid: number;
  amount_refunded: number;
  amount_reversed: number;
  actions: Action[];
  expires_at: string;
  paid_at: string | null;
  /** The account's budget of calls is spent; the hub goes on at this time. */
  waiting_for_quota_until: string | null;
  needs_attention: string | null;
  created_at: string;
  updated_at: string;
  refunds: Refund[];
}

export interface Order {
  id: string;
  object: "order";
  /** The shop's own name of the order, unique in the shop. */
  reference: string;
  amount: number;
  currency: string;
  items: Item[];
  customer: Customer;
  description: string | null;
  return_url: string | null;
  /** The shop's own notes. The hub keeps them and does not read them. */
  metadata: Record<string, unknown>;
  /** Derived from the order's payments, never set. */
  payment_status: OrderPaymentStatus;
  /**
   * The shop canceled the order, or its time was over, before money came. It stays when money comes all the same: where it is not null, do
   * not deliver by yourself; a person decides whether to deliver or to pay back.
   */
  closed: "canceled" | "expired" | null;
  fulfillment_status: string;
  amount_paid: number;
  amount_refunded: number;
  amount_reversed: number;
  /** The hosted payment page of this order: send the buyer there. */
  checkout_url: string;
  expires_at: string;
  created_at: string;
  updated_at: string;
  payments: Payment[];
}

export interface TimelineEntry {
  at: string;
  kind: Open<"notification" | "answer" | "transition" | "event" | "attempt">;
  id: string;
  actor: string;
  summary: string;
  detail: unknown;
}

/** A URL of the shop that is told what happens. */
export interface Endpoint {
  id: string;
  object: "endpoint";
  url: string;
  description: string | null;
  /** The types it is told; null means all. */
  events: string[] | null;
  format: string;
  status: "active" | "paused" | "disabled";
  paused_reason: string | null;
  failures_in_row: number;
  last_success_at: string | null;
  created_at: string;
}

/** The only two answers that show an endpoint's signing secret: keep it. */
export interface EndpointWithSecret extends Endpoint {
  /** `whsec_…` */
  secret: string;
}

export interface Attempt {
  number: number;
  trigger: "schedule" | "resend" | "replay";
  started_at: string;
  elapsed_ms: number;
  /** The endpoint's HTTP status, where it answered. */
  status: number | null;
  fault: string | null;
  response_body: string | null;
}

/** One event on its way to one endpoint. */
export interface Delivery {
  id: string;
  object: "delivery";
  event_id: string;
  event_type: string;
  endpoint_id: string;
  status: DeliveryStatus;
  attempts: Attempt[];
  due_at: string | null;
  delivered_at: string | null;
}

/** What a replay has set going. */
export interface Replayed {
  /** Deliveries that were made again. */
  rearmed: number;
  /** Deliveries of events that this endpoint had not been told of. */
  created: number;
}

export interface PaymentMethod {
  method: MethodName;
  account: string;
  provider: string;
  kind: Open<"ewallet" | "qris" | "virtual_account" | "hosted">;
  label: { en: string; id: string };
}

/** Credentials of the shop at a provider. */
export interface Account {
  id: string;
  object: "account";
  provider: string;
  /** Callbacks arrive at `/callbacks/{slug}`. */
  slug: string;
  label: string;
  status: "active" | "disabled";
  /** Every field of the provider; secret ones are masked. */
  credentials: Record<string, string | null>;
  /** Whether these are the sandbox's made-up credentials. */
  sandbox: boolean;
  /** Set this at the provider. */
  callback_url: string;
  /** Until then callbacks under the credentials before these are believed, too; null where there are none. */
  previous_credentials_until: string | null;
  created_at: string;
  updated_at: string;
}

/** Something that a gateway sent. */
export interface Notification {
  id: string;
  object: "notification";
  /** Slug of the account that it came to. */
  account: string;
  /** `weak`: its proof holds, but covers little. The others change nothing. */
  verdict: Open<"weak" | "forged" | "unreadable">;
  route: Open<"new" | "routed" | "parked" | "quarantined" | "closed">;
  reference: string;
  provider_id: string | null;
  event_key: string;
  /** What it claims, in our words; never applied. */
  claim: string | null;
  payment_id: string | null;
  remote_address: string;
  received_at: string;
  last_received_at: string;
  /** How often it came again. */
  repeats: number;
}

export interface NotificationDetail extends Notification {
  /** As it arrived, masked; null once it was pruned. */
  raw: { method: string; query: string; headers: Record<string, string>; body: string } | null;
}
