import {
  DELIVERY_STATUSES,
  ERRORS,
  EVENT_TYPES,
  ORDER_FULFILLMENT_STATUSES,
  ORDER_PAYMENT_STATUSES,
  PAYMENT_FLAGS,
  PAYMENT_STATUSES,
  REFUND_STATUSES,
} from "@lunas/domain";
import { z } from "zod";
import { name } from "./registry.ts";

/** What the API answers. Amounts are numbers in major units, times RFC 3339 in UTC. */

const time = z.string().describe("RFC 3339, UTC.");
const amount = z.number().describe("In major units: 44000 is Rp 44.000.");
const currency = z.string().describe("ISO 4217.");
const attention = z.string().nullable().describe("What a person has to do, where something has to be done.");

export const action = name(
  "Action",
  z
    .discriminatedUnion("type", [
      z.object({ type: z.literal("qr"), image_url: z.string(), qr_string: z.string().nullable() }),
      z.object({ type: z.literal("deeplink"), url: z.string() }),
      z.object({ type: z.literal("redirect"), url: z.string() }),
      z.object({ type: z.literal("va_number"), bank: z.string(), number: z.string() }),
      z.object({ type: z.literal("bill"), biller_code: z.string(), bill_key: z.string() }),
      z.object({ type: z.literal("payment_code"), store: z.string(), code: z.string() }),
      z.object({ type: z.literal("snap_token"), token: z.string(), client_key: z.string(), script_url: z.string() }),
    ])
    .describe("What the buyer does next."),
);

export const refund = name(
  "Refund",
  z.object({
    id: z.string(),
    object: z.literal("refund"),
    payment_id: z.string(),
    order_id: z.string(),
    amount,
    currency,
    reason: z.string().nullable(),
    status: z.enum(REFUND_STATUSES),
    origin: z.enum(["api", "provider"]).describe("`provider`: made in the gateway's own dashboard."),
    provider_reference: z.string(),
    waiting_for_quota_until: time.nullable().describe("The account's budget of calls is spent; the hub goes on at this time."),
    needs_attention: attention,
    created_at: time,
    succeeded_at: time.nullable(),
  }),
);

export const payment = name(
  "Payment",
  z.object({
    id: z.string(),
    object: z.literal("payment"),
    order_id: z.string(),
    order_reference: z.string(),
    status: z.enum(PAYMENT_STATUSES),
    flags: z.array(z.enum(PAYMENT_FLAGS)),
    method: z.string(),
    provider: z.string(),
    account: z.string().describe("Slug of the account that collects it."),
    provider_reference: z.string().describe("What the gateway knows as its order id."),
    provider_id: z.string().nullable(),
    amount,
    currency,
    amount_paid: amount,
    amount_refunded: amount,
    amount_reversed: amount,
    actions: z.array(action),
    expires_at: time,
    paid_at: time.nullable(),
    waiting_for_quota_until: time.nullable(),
    needs_attention: attention,
    created_at: time,
    updated_at: time,
    refunds: z.array(refund),
  }),
);

const item = z.object({ name: z.string(), quantity: z.number(), price: amount, sku: z.string().nullable() });

export const order = name(
  "Order",
  z.object({
    id: z.string(),
    object: z.literal("order"),
    reference: z.string(),
    amount,
    currency,
    items: z.array(item),
    customer: z.object({ name: z.string().optional(), email: z.string().optional(), phone: z.string().optional() }),
    description: z.string().nullable(),
    return_url: z.string().nullable(),
    metadata: z.record(z.string(), z.unknown()),
    payment_status: z.enum(ORDER_PAYMENT_STATUSES).describe("Derived from the order's payments, never set."),
    closed: z
      .enum(["canceled", "expired"])
      .nullable()
      .describe(
        "The shop canceled the order, or its time was over, before money came. It stays when money comes all the same: then a person decides whether to deliver.",
      ),
    fulfillment_status: z.enum(ORDER_FULFILLMENT_STATUSES),
    amount_paid: amount,
    amount_refunded: amount,
    amount_reversed: amount,
    checkout_url: z.string().describe("The hosted payment page of this order."),
    expires_at: time,
    created_at: time,
    updated_at: time,
    payments: z.array(payment),
  }),
);

export const event = name(
  "Event",
  z.object({
    id: z.string().describe("Also the `webhook-id` of its deliveries."),
    type: z.enum(Object.keys(EVENT_TYPES) as [string, ...string[]]),
    version: z.number(),
    timestamp: time,
    sequence: z.number().describe("Counts up within one subject."),
    subject: z.object({ type: z.enum(["order", "payment", "refund", "money", "endpoint"]), id: z.string() }),
    data: z.record(z.string(), z.unknown()),
  }),
);

const endpointFields = {
  id: z.string(),
  object: z.literal("endpoint"),
  url: z.string(),
  description: z.string().nullable(),
  events: z.array(z.string()).nullable().describe("The types it is told; null means all."),
  format: z.string(),
  status: z.enum(["active", "paused", "disabled"]),
  paused_reason: z.string().nullable(),
  failures_in_row: z.number(),
  last_success_at: time.nullable(),
  created_at: time,
};
export const endpoint = name("Endpoint", z.object(endpointFields));
export const endpointWithSecret = name(
  "EndpointWithSecret",
  z.object({ ...endpointFields, secret: z.string().describe("`whsec_…`, shown only here.") }),
);

const trigger = z.enum(["schedule", "resend", "replay"]);
const attempt = z.object({
  number: z.number(),
  trigger,
  started_at: time,
  elapsed_ms: z.number(),
  status: z.number().nullable(),
  fault: z.string().nullable(),
  response_body: z.string().nullable(),
});

export const delivery = name(
  "Delivery",
  z.object({
    id: z.string(),
    object: z.literal("delivery"),
    event_id: z.string(),
    event_type: z.string(),
    endpoint_id: z.string(),
    status: z.enum(DELIVERY_STATUSES),
    attempts: z.array(attempt),
    due_at: time.nullable(),
    delivered_at: time.nullable(),
  }),
);

export const account = name(
  "Account",
  z.object({
    id: z.string(),
    object: z.literal("account"),
    provider: z.string(),
    slug: z.string(),
    label: z.string(),
    status: z.enum(["active", "disabled"]),
    credentials: z.record(z.string(), z.string().nullable()).describe("Secret fields are masked."),
    sandbox: z.boolean().describe("Whether these are the sandbox's made-up credentials."),
    callback_url: z.string().describe("Set this at the provider."),
    previous_credentials_until: time.nullable().describe("Until then callbacks under the credentials before these are believed, too."),
    created_at: time,
    updated_at: time,
  }),
);

const notificationFields = {
  id: z.string(),
  object: z.literal("notification"),
  account: z.string(),
  verdict: z
    .enum(["weak", "forged", "unreadable"])
    .describe(
      "`weak`: its proof holds, but covers little; state follows the gateway's answers only. The others are kept for a week and change nothing.",
    ),
  route: z.enum(["new", "routed", "parked", "quarantined", "closed"]),
  reference: z.string(),
  provider_id: z.string().nullable(),
  event_key: z.string(),
  claim: z.string().nullable().describe("What it claims, in our words; never applied."),
  payment_id: z.string().nullable(),
  remote_address: z.string(),
  received_at: time,
  last_received_at: time,
  repeats: z.number(),
};
export const notification = name("Notification", z.object(notificationFields));
export const notificationDetail = name(
  "NotificationDetail",
  z.object({
    ...notificationFields,
    raw: z
      .object({ method: z.string(), query: z.string(), headers: z.record(z.string(), z.string()), body: z.string() })
      .nullable()
      .describe("As it arrived, secrets and customers' data masked; null once it was pruned."),
  }),
);

export const timelineEntry = name(
  "TimelineEntry",
  z.object({
    at: time,
    kind: z.enum(["notification", "answer", "transition", "event", "attempt"]),
    id: z.string(),
    actor: z.string(),
    summary: z.string(),
    detail: z.unknown(),
  }),
);

const label = z.object({ en: z.string(), id: z.string() });
const kind = z.enum(["ewallet", "qris", "virtual_account", "hosted"]);
export const method = name("Method", z.object({ method: z.string(), account: z.string(), provider: z.string(), kind, label }));

export const problem = name(
  "Problem",
  z
    .looseObject({
      type: z.string(),
      title: z.string(),
      status: z.number(),
      code: z.enum(Object.keys(ERRORS) as [string, ...string[]]),
      detail: z.string().optional(),
      errors: z.array(z.object({ field: z.string(), message: z.string() })).optional(),
      request_id: z.string(),
    })
    .describe("RFC 9457 problem details; the codes are explained at `/docs/errors`."),
);

export const state = name(
  "CheckoutState",
  z.object({
    order: z.object({
      reference: z.string(),
      amount,
      currency,
      description: z.string().nullable(),
      items: z.array(item),
      shop_name: z.string(),
      payment_status: z.enum(ORDER_PAYMENT_STATUSES),
      return_url: z.string().nullable(),
      expires_at: time,
    }),
    methods: z.array(z.object({ method: z.string(), account: z.string(), kind, label })).describe("Empty where the order takes no further payment."),
    payment: z
      .object({
        id: z.string(),
        status: z.enum(PAYMENT_STATUSES),
        flags: z.array(z.enum(PAYMENT_FLAGS)),
        method: z.string(),
        actions: z.array(action),
        expires_at: time,
        amount,
        currency,
      })
      .nullable(),
    server_time: time,
    sandbox: z.boolean(),
    simulator_url: z.string().nullable(),
  }),
);

export const listOf = <T extends z.ZodType>(one: T) => z.object({ data: z.array(one), next_cursor: z.string().nullable() });
