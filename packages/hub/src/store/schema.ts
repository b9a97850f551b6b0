import type {
  Currency,
  DeliveryStatus,
  EventType,
  OrderFulfillmentStatus,
  OrderPaymentStatus,
  PaymentAction,
  PaymentFlag,
  PaymentObservation,
  PaymentStatus,
  RefundStatus,
} from "@lunas/domain";
import type { ColumnType, Generated } from "kysely";

/** Text of JSON in the database, a value in our hands. Written as a string, so that no driver guesses. */
type Json<T> = ColumnType<T, string, string>;

/** Times are business time in UTC milliseconds. Money is minor units. */
export interface ShopsTable {
  id: string;
  name: string;
  created_at: number;
}

export interface ApiKeysTable {
  id: string;
  shop_id: string;
  /** SHA-256 of the key. */
  hash: Uint8Array;
  label: string;
  last4: string;
  created_at: number;
  revoked_at: number | null;
}

export interface AccountsTable {
  id: string;
  shop_id: string;
  provider: string;
  slug: string;
  label: string;
  /** Sealed JSON list of credentials: the current ones first, then those that still count for callbacks. */
  credentials: Uint8Array;
  credentials_version: number;
  /** Business time until which the older ones count; null where there are none. */
  previous_until: number | null;
  status: "active" | "disabled";
  created_at: number;
  updated_at: number;
}

export interface OrderItem {
  name: string;
  quantity: number;
  /** Decimal string in major units. */
  price: string;
  sku: string | null;
}

export interface OrdersTable {
  id: string;
  shop_id: string;
  reference: string;
  amount: bigint;
  currency: Currency;
  items: Json<OrderItem[]>;
  customer: Json<{ name?: string; email?: string; phone?: string }>;
  description: string | null;
  return_url: string | null;
  metadata: Json<Record<string, unknown>>;
  expires_at: number;
  closed: "expired" | "canceled" | null;
  /** First 16 bytes of SHA-256 of the checkout token. */
  checkout_hash: Uint8Array;
  amount_paid: bigint;
  amount_refunded: bigint;
  amount_reversed: bigint;
  payment_status: OrderPaymentStatus;
  fulfillment_status: OrderFulfillmentStatus;
  version: number;
  created_at: number;
  updated_at: number;
}

export interface PaymentsTable {
  id: string;
  shop_id: string;
  order_id: string;
  account_id: string;
  provider: string;
  method: string;
  attempt: number;
  reference: string;
  provider_id: string | null;
  handles: Json<Record<string, string>>;
  actions: Json<PaymentAction[]>;
  amount: bigint;
  currency: Currency;
  status: PaymentStatus;
  flags: Json<PaymentFlag[]>;
  collected: bigint;
  refunded: bigint;
  reversed: bigint;
  buyer_fee: bigint;
  callback_url: string | null;
  expires_at: number;
  submitted_at: number | null;
  opened_at: number | null;
  paid_at: number | null;
  last_asked_at: number | null;
  /** What we want of the gateway beside asking. */
  wanted: "open" | "cancel" | "expire" | null;
  /** Opened in place of this payment, which could not be shown to the buyer. */
  replaces: string | null;
  waiting_for_quota_until: number | null;
  needs_attention: string | null;
  /** Until when a call that goes on with its opening may be on its way. */
  opening_until: number | null;
  /** When its gateway said of a command of ours that it is closed: of a hosted page nothing else says so. */
  closed_at: number | null;
  version: number;
  created_at: number;
  updated_at: number;
}

export interface PaymentTransactionsTable {
  payment_id: string;
  /** The gateway's id of it; '' for notifications that name none. */
  provider_id: string;
  /** What the gateway said of it last, while it was not the one that the payment is known by. */
  status: PaymentObservation | null;
  /** 1: the gateway surely has no such transaction of this payment. */
  absent: number;
  /** What verified notifications say of it, the furthest of them, while no answer has confirmed it. */
  claim: string | null;
  seen_at: number;
  asked_at: number | null;
}

export interface RefundsTable {
  id: string;
  shop_id: string;
  order_id: string;
  payment_id: string;
  provider_key: string;
  provider_id: string | null;
  amount: bigint;
  currency: Currency;
  reason: string | null;
  status: RefundStatus;
  origin: "api" | "provider";
  needs_attention: string | null;
  /** What a person gave as proof when closing it by hand: the gateway does not know of it. */
  proof: string | null;
  submitted_at: number | null;
  succeeded_at: number | null;
  /** The account's budget of calls is spent: it is sent, or asked about, at this time. */
  waiting_for_quota_until: number | null;
  version: number;
  created_at: number;
  updated_at: number;
}

export type SubjectType = "order" | "payment" | "refund" | "money" | "endpoint";

export interface AnswersTable {
  id: string;
  shop_id: string;
  account_id: string;
  subject_type: SubjectType;
  subject_id: string;
  operation: string;
  certainty: "did" | "did_not" | "unknown";
  /** What it says in our words, without customers' data: shown in the timeline. */
  summary: Json<Record<string, unknown>>;
  /** Sealed exchanges: requests and answers as they went over the wire. */
  exchange: Uint8Array;
  cause: string;
  verdict: "applied" | "same" | "stale" | "superseded" | "refused" | "kept";
  asked_at: number;
  answered_at: number;
}

export interface TransitionsTable {
  id: string;
  shop_id: string;
  subject_type: SubjectType;
  subject_id: string;
  sequence: number;
  from_status: string;
  to_status: string;
  flags: Json<string[]>;
  cause: string;
  answer_id: string | null;
  at: number;
}

export interface EventsTable {
  id: string;
  shop_id: string;
  type: EventType;
  subject_type: SubjectType;
  subject_id: string;
  sequence: number;
  order_id: string | null;
  payment_id: string | null;
  /** Where it stands in the shop's list: sorts by time of making. */
  position: string;
  /** The exact text that is sent and signed. */
  body: string;
  occurred_at: number;
}

export interface EndpointsTable {
  id: string;
  shop_id: string;
  url: string;
  description: string | null;
  events: Json<EventType[] | null>;
  format: string;
  status: "active" | "paused" | "disabled" | "deleted";
  paused_reason: string | null;
  /** Sealed JSON list of `{secret, expires_at}`: the current one first. */
  secrets: Uint8Array;
  failures_in_row: number;
  first_failure_at: number | null;
  last_success_at: number | null;
  version: number;
  created_at: number;
  updated_at: number;
}

export interface DeliveriesTable {
  id: string;
  shop_id: string;
  event_id: string;
  endpoint_id: string;
  /** Under way is what is `due` and has a lease: see `deliveryStatus`. */
  status: Exclude<DeliveryStatus, "delivering">;
  attempts: number;
  /** Attempts since the last re-arm: its place on the schedule. */
  step: number;
  trigger: "schedule" | "resend" | "replay";
  due_at: number;
  lease_until: number | null;
  /** Grows with each wish for a repetition: the result of an attempt from before it does not fulfil it. */
  generation: Generated<number>;
  delivered_at: number | null;
  created_at: number;
  /** The first attempt, when it was made soon: see `readAttempts`. */
  first_trigger: AttemptsTable["trigger"] | null;
  /** Business time of its beginning. */
  first_at: number | null;
  first_elapsed_ms: number | null;
  first_status: number | null;
  first_fault: string | null;
  first_body: string | null;
}

export interface AttemptsTable {
  id: string;
  delivery_id: string;
  number: number;
  trigger: "schedule" | "resend" | "replay";
  started_at: number;
  elapsed_ms: number;
  status: number | null;
  fault: string | null;
  response_body: string | null;
}

/** Where a notification is on its way: 0 new, 1 routed to a payment, 2 parked, 3 quarantined (not believed), 4 closed without a subject. */
export const ROUTE = { new: 0, routed: 1, parked: 2, quarantined: 3, closed: 4 } as const;
/** 0 weak (the proof holds but covers little), 1 forged, 2 unreadable (not what the provider is known to send: nothing could be proved). */
export const VERDICT = { weak: 0, forged: 1, unreadable: 2 } as const;

export interface NotificationsTable {
  seq: Generated<number>;
  account_id: string;
  shop_id: string;
  verdict: number;
  route: number;
  /** First 16 bytes of SHA-256 over account, verdict and raw body. */
  dedupe: Uint8Array;
  reference: string;
  provider_id: string | null;
  event_key: string;
  /** What it claims, in our words; never applied. */
  claim: string | null;
  payment_id: string | null;
  remote_address: string;
  received_at: number;
  last_received_at: number;
  repeats: number;
  /** Where its raw bytes are: a row of `notification_batches`, which may be past its time, and the place in it. */
  batch: number | null;
  place: number | null;
}

/** Raw callbacks, those of one commit together. */
export interface NotificationBatchesTable {
  id: Generated<number>;
  keep_until: number;
  /** The account of a body that stands alone, as all did before there were batches. */
  single_of: string | null;
  sealed: Uint8Array;
}

export interface JobsTable {
  /** One row per thing to do: `payment.ask:pay_…`. */
  key: string;
  kind: string;
  subject_id: string;
  account_id: string | null;
  due_at: number;
  lease_until: number | null;
  /** The earliest time asked for since a worker took it. */
  rearmed_for: number | null;
  /** Grows with each re-arming, so that a worker does not overwrite what came while it worked. */
  generation: number;
  attempts: number;
  /** Lower is sooner: 0 money, 1 verified notification, 2 a waiting buyer, 3 poll, 4 unverified. */
  priority: number;
  payload: Json<Record<string, unknown>>;
}

export interface IdempotencyTable {
  /** First 16 bytes of SHA-256 over shop, method, path and key. */
  scope: Uint8Array;
  fingerprint: Uint8Array;
  lease_until: number | null;
  status: number | null;
  /** Sealed answer. */
  answer: Uint8Array | null;
  /** What the first run has begun: the retry continues it. */
  intent: string | null;
  created_at: number;
}

export interface BudgetsTable {
  account_id: string;
  /** Thousandths of a call. */
  tokens_milli: number;
  refilled_at: number;
  day: number;
  used_today: number;
}

export interface UnmatchedMoneyTable {
  id: string;
  shop_id: string;
  account_id: string;
  reference: string;
  provider_id: string;
  amount: bigint | null;
  currency: string;
  /** What the gateway said of it last. */
  status: Generated<PaymentObservation>;
  refunded: bigint | null;
  answer_id: string;
  payment_id: string | null;
  found_at: number;
  asked_at: number | null;
  matched_at: number | null;
}

export interface MetaTable {
  name: string;
  value: string;
}

export interface Database {
  shops: ShopsTable;
  api_keys: ApiKeysTable;
  accounts: AccountsTable;
  orders: OrdersTable;
  payments: PaymentsTable;
  payment_transactions: PaymentTransactionsTable;
  refunds: RefundsTable;
  answers: AnswersTable;
  transitions: TransitionsTable;
  events: EventsTable;
  endpoints: EndpointsTable;
  deliveries: DeliveriesTable;
  attempts: AttemptsTable;
  notifications: NotificationsTable;
  notification_batches: NotificationBatchesTable;
  jobs: JobsTable;
  idempotency: IdempotencyTable;
  budgets: BudgetsTable;
  unmatched_money: UnmatchedMoneyTable;
  meta: MetaTable;
}

/** Columns that are money: bigint in our hands. Every other integer is a number. */
export const MONEY_COLUMNS: ReadonlySet<string> = new Set([
  "amount",
  "amount_paid",
  "amount_refunded",
  "amount_reversed",
  "collected",
  "refunded",
  "reversed",
  "buyer_fee",
]);

export const JSON_COLUMNS: ReadonlySet<string> = new Set([
  "items",
  "customer",
  "metadata",
  "handles",
  "actions",
  "flags",
  "summary",
  "events",
  "payload",
]);
