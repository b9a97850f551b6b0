import { CURRENCY_DECIMALS, EVENT_TYPES, ORDER_PAYMENT_STATUSES, PAYMENT_STATUSES } from "@lunas/domain";
import { z } from "zod";

/** What the API takes. An unknown field is an error: a misspelled one must not be lost in silence. */

const DAY_S = 86_400;
// oxlint-disable-next-line no-control-regex -- control characters are exactly what is refused.
const ONE_LINE = /^[^\u0000-\u001f\u007f]+$/;

const line = (max: number) => z.string().min(1).max(max).regex(ONE_LINE, "must be one line without control characters");
const text = (max: number) => z.string().max(max);

export const amount = z
  .union([z.number(), z.string().max(40)], { error: 'must be a number or a decimal string in major units, such as 44000 or "44000.50"' })
  .describe('Major units: `44000` or `"44000.50"`.');

const webUrl = z.url({ protocol: /^https?$/, error: "must be an http or https URL" }).max(2_000);
/** An app's own scheme is allowed, one that runs code is not. */
const anyUrl = z
  .url({ error: "must be a URL" })
  .max(2_000)
  .refine((value) => !/^(javascript|data|vbscript|file|blob):/i.test(value), "must be an http or https URL or an app's own scheme");

const item = z.strictObject({
  name: line(255),
  quantity: z.int().min(1).max(100_000),
  price: amount.describe("Of one piece."),
  sku: line(100).nullish(),
});

const customer = z.strictObject({ name: line(255).nullish(), email: z.email().max(254).nullish(), phone: line(32).nullish() });

export const orderCreate = z.strictObject({
  reference: line(100).describe("The shop's own name of the order, unique in the shop."),
  amount,
  currency: z.enum(Object.keys(CURRENCY_DECIMALS) as [keyof typeof CURRENCY_DECIMALS]).default("IDR"),
  items: z.array(item).max(100).default([]),
  customer: customer.nullish(),
  description: text(500).nullish(),
  return_url: webUrl.nullish().describe("Where the hosted page sends the buyer back to. It decides nothing."),
  expires_in_s: z
    .int()
    .min(60)
    .max(180 * DAY_S)
    .default(DAY_S),
  metadata: z
    .record(line(100), z.union([z.string().max(1_000), z.number(), z.boolean(), z.null()]))
    .refine((value) => Object.keys(value).length <= 50, "has more than 50 keys")
    .nullish(),
});

export const paymentCreate = z.strictObject({
  method: line(50).describe("One of `GET /v1/methods`."),
  account: line(60).optional().describe("Slug of the account to collect with."),
  callback_url: anyUrl.optional().describe("Where the wallet app sends the buyer back to."),
});

export const refundCreate = z.strictObject({ amount: amount.optional().describe("Absent means all that is left."), reason: line(255).optional() });

export const refundClose = z.strictObject({
  outcome: z.enum(["succeeded", "failed"]),
  proof: line(1_000).describe("What shows it, such as the number of the bank transfer."),
});

const eventTypes = z
  .array(z.enum(Object.keys(EVENT_TYPES) as [string, ...string[]]))
  .min(1)
  .max(100);

export const endpointCreate = z.strictObject({
  url: z.string().max(2_000),
  events: eventTypes.nullish().describe("Types to be told; absent or null means all."),
  description: text(500).nullish(),
});

export const endpointUpdate = z.strictObject({
  url: z.string().max(2_000).optional(),
  events: eventTypes.nullish(),
  description: text(500).nullish(),
});

export const replay = z.strictObject({
  since: z.iso.datetime({ offset: true, error: "must be RFC 3339, such as 2026-07-17T03:00:00Z" }).optional(),
  only: z.enum(["missing", "all"]).default("missing"),
});

export const resend = z.strictObject({ endpoint_id: z.string().max(60).optional() });

const credentials = z.record(z.string().max(100), z.string().max(4_000).nullable());

export const accountCreate = z.strictObject({
  provider: line(50),
  slug: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{1,49}$/, "must be 2 to 50 lower-case letters, digits and dashes")
    .describe("Part of the callback URL, unique on this hub."),
  label: text(100).optional(),
  credentials,
});

export const accountUpdate = z.strictObject({
  label: text(100).optional(),
  status: z.enum(["active", "disabled"]).optional(),
  credentials: credentials.optional().describe("Fields to change; null takes one away. The old ones verify callbacks for a while."),
  previous_credentials_valid_s: z
    .int()
    .min(0)
    .max(604_800)
    .optional()
    .describe("Seconds for which the old credentials still verify callbacks, from now on; 0 ends it at once. Default of a change: 86400."),
});

export const checkoutPayment = z.strictObject({ method: line(50), account: line(60).optional() });

const id = z.string().max(60).optional();
export const orderFilter = { reference: z.string().max(100).optional(), payment_status: z.enum(ORDER_PAYMENT_STATUSES).optional() };
export const paymentFilter = { order_id: id, status: z.enum(PAYMENT_STATUSES).optional() };
export const refundFilter = { payment_id: id };
export const eventFilter = { type: z.enum(Object.keys(EVENT_TYPES) as [string, ...string[]]).optional(), subject_id: id };
export const deliveryFilter = { endpoint_id: id, status: z.enum(["due", "delivering", "delivered", "exhausted", "paused"]).optional(), event_id: id };
export const notificationFilter = {
  account: z.string().max(60).optional(),
  payment_id: id,
  verdict: z.enum(["weak", "forged", "unreadable"]).optional(),
};
