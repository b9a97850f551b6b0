import { wholeUnits, type Customer, type Item, type Money, type OpenIntent, type Refusal } from "@lunas/domain";
import type { Method } from "./methods.ts";
import { formatWib, type ChargeRequest, type CustomerDetails, type ItemDetail, type SnapRequest } from "./wire.ts";

export type Built<T> = { readonly ok: true; readonly request: T } | { readonly ok: false; readonly refusal: Refusal };

// Limits of midtrans.md §2.
const AMOUNT_MAX = 99_999_999_999;
const NAME_MAX_CHARS = 50;
const TEXT_MAX_CHARS = 255;
const URL_MAX_CHARS = 255;
const PAGE_EXPIRY_MIN_MINUTES = 5;
const PAGE_EXPIRY_MAX_MINUTES = 7 * 24 * 60;
const MINUTE_MS = 60_000;

function refuse(code: Refusal["code"], field: string, message: string): { readonly ok: false; readonly refusal: Refusal } {
  return { ok: false, refusal: { code, message: `${field} ${message}`, fields: [{ field, message }] } };
}

/** Cuts to a number of UTF-16 units, which is what Java counts, and never through the middle of a character. */
export function cut(text: string, max_chars: number): string {
  if (text.length <= max_chars) return text;
  let kept = "";
  for (const character of text) {
    if (kept.length + character.length > max_chars) break;
    kept += character;
  }
  return kept;
}

/** Midtrans takes whole rupiah: a fraction is refused with the field that has it, never rounded. */
export function wholeRupiah(amount: Money, field: string): Built<number> {
  if (amount.currency !== "IDR") return refuse("amount", field, `is in ${amount.currency}, Midtrans takes IDR only`);
  const whole = wholeUnits(amount);
  if (whole === undefined) return refuse("amount", field, "has a fraction of a rupiah, Midtrans takes whole rupiah only");
  if (Math.abs(whole) > AMOUNT_MAX) return refuse("amount", field, `is larger than the largest amount of Midtrans, ${AMOUNT_MAX}`);
  return { ok: true, request: whole };
}

function itemDetail(item: Item, index: number): Built<ItemDetail> {
  const price = wholeRupiah(item.price, `items[${index}].price`);
  if (!price.ok) return price;
  if (!Number.isSafeInteger(item.quantity) || item.quantity < 1)
    return refuse("invalid", `items[${index}].quantity`, "must be a whole number from 1");
  const id = item.sku ? { id: cut(item.sku, NAME_MAX_CHARS) } : {};
  return { ok: true, request: { ...id, price: price.request, quantity: item.quantity, name: cut(item.name.trim(), NAME_MAX_CHARS) || "Item" } };
}

/**
 * The lines of a charge. The gateway refuses a charge whose lines do not sum to its amount (quirk 13), so a last line makes up
 * for shipping, discounts and fees that the shop did not list; a negative one is a discount.
 */
export function itemDetails(intent: OpenIntent, amount: number): Built<readonly ItemDetail[]> {
  const lines: ItemDetail[] = [];
  let sum = 0n;
  for (const [index, item] of intent.items.entries()) {
    const line = itemDetail(item, index);
    if (!line.ok) return line;
    lines.push(line.request);
    sum += BigInt(line.request.price) * BigInt(line.request.quantity);
  }
  if (lines.length === 0) {
    const name = cut((intent.description ?? "").trim(), NAME_MAX_CHARS) || cut(`Order ${intent.order_reference}`, NAME_MAX_CHARS);
    return { ok: true, request: [{ price: amount, quantity: 1, name }] };
  }
  const rest = BigInt(amount) - sum;
  if (rest === 0n) return { ok: true, request: lines };
  if (rest > BigInt(AMOUNT_MAX) || rest < -BigInt(AMOUNT_MAX)) {
    return refuse("amount", "amount", "is too far from the sum of the items for a line that makes up the difference");
  }
  return { ok: true, request: [...lines, { id: "adjustment", price: Number(rest), quantity: 1, name: rest < 0n ? "Discount" : "Other charges" }] };
}

/** First word and the rest: the gateway shows them joined. Undefined where nothing is known of the customer. */
export function customerDetails(customer: Customer, max_chars = TEXT_MAX_CHARS): CustomerDetails | undefined {
  const name = cut((customer.name ?? "").trim(), max_chars);
  const space = name.search(/\s/);
  const first_name = space < 0 ? name : name.slice(0, space);
  const last_name = space < 0 ? "" : name.slice(space).trim();
  const email = (customer.email ?? "").trim();
  const phone = (customer.phone ?? "").trim();
  const details = {
    ...(first_name ? { first_name } : {}),
    ...(last_name ? { last_name } : {}),
    // A cut address or number would be somebody else's.
    ...(email && email.length <= TEXT_MAX_CHARS ? { email } : {}),
    ...(phone && phone.length <= max_chars ? { phone } : {}),
  };
  return Object.keys(details).length > 0 ? details : undefined;
}

interface Common {
  readonly transaction_details: { readonly order_id: string; readonly gross_amount: number };
  readonly item_details: readonly ItemDetail[];
  readonly customer_details?: CustomerDetails;
  readonly custom_field1: string;
}

function common(intent: OpenIntent, method: Method): Built<Common> {
  const amount = wholeRupiah(intent.amount, "amount");
  if (!amount.ok) return amount;
  if (amount.request < 1) return refuse("amount", "amount", "must be at least 1 rupiah");
  const items = itemDetails(intent, amount.request);
  if (!items.ok) return items;
  const customer = customerDetails(intent.customer, method.customer_max_chars);
  return {
    ok: true,
    request: {
      transaction_details: { order_id: intent.reference, gross_amount: amount.request },
      item_details: items.request,
      ...(customer ? { customer_details: customer } : {}),
      custom_field1: cut(intent.order_reference, TEXT_MAX_CHARS),
    },
  };
}

/** When the order was placed: of the first call, so that a repeated call has the same body and the same end. */
function placedAt(intent: OpenIntent, now_ms: number): number {
  return intent.submitted_at ?? now_ms;
}

/** Body of POST /v2/charge. `custom_expiry` ends at `expires_at`, or sooner where the method allows less. */
export function chargeRequest(intent: OpenIntent, method: Method, now_ms: number): Built<ChargeRequest> {
  const base = common(intent, method);
  if (!base.ok) return base;
  const { min, max } = method.capability.expiry_s;
  const placed_at = placedAt(intent, now_ms);
  const duration_s = Math.min(Math.floor(intent.expires_at / 1000) - Math.floor(placed_at / 1000), max);
  if (duration_s < min) return refuse("state", "expires_at", `leaves less than the ${min} seconds that the method needs`);
  const whole_minutes = duration_s % 60 === 0;
  return {
    ok: true,
    request: {
      payment_type: method.payment_type!,
      ...base.request,
      custom_expiry: {
        order_time: `${formatWib(placed_at)} +0700`,
        expiry_duration: whole_minutes ? duration_s / 60 : duration_s,
        unit: whole_minutes ? "minute" : "second",
      },
      ...(method.payment_type === "gopay"
        ? { gopay: intent.callback_url ? { enable_callback: true, callback_url: intent.callback_url } : { enable_callback: false } }
        : {}),
      ...(method.payment_type === "qris" ? { qris: { acquirer: "gopay" as const } } : {}),
      ...(method.bank ? { bank_transfer: { bank: method.bank } } : {}),
    },
  };
}

/**
 * Body of POST /snap/v1/transactions. Snap counts whole minutes: the start is chosen so that they end at `expires_at`.
 * The page itself is closed as near to that as its least of five minutes allows; by default it would close after a day,
 * whatever the payment's own end.
 */
export function snapRequest(intent: OpenIntent, method: Method, now_ms: number): Built<SnapRequest> {
  const base = common(intent, method);
  if (!base.ok) return base;
  const { min, max } = method.capability.expiry_s;
  const ends_at = Math.min(intent.expires_at, now_ms + max * 1000);
  if (ends_at - now_ms < min * 1000) return refuse("state", "expires_at", `leaves less than the ${min} seconds that the method needs`);
  if (intent.return_url && intent.return_url.length > URL_MAX_CHARS)
    return refuse("invalid", "return_url", `is longer than ${URL_MAX_CHARS} characters`);
  const minutes = Math.ceil((ends_at - now_ms) / MINUTE_MS);
  return {
    ok: true,
    request: {
      ...base.request,
      expiry: { start_time: `${formatWib(ends_at - minutes * MINUTE_MS)} +0700`, duration: minutes, unit: "minutes" },
      page_expiry: { duration: Math.min(Math.max(minutes, PAGE_EXPIRY_MIN_MINUTES), PAGE_EXPIRY_MAX_MINUTES), unit: "minutes" },
      ...(intent.return_url ? { callbacks: { finish: intent.return_url } } : {}),
      ...(intent.callback_url ? { gopay: { enable_callback: true, callback_url: intent.callback_url } } : {}),
    },
  };
}

/** The amount of a refund as it goes on the wire. */
export function refundAmount(amount: Money): Built<number> {
  const whole = wholeRupiah(amount, "amount");
  if (whole.ok && whole.request < 1) return refuse("amount", "amount", "must be at least 1 rupiah");
  return whole;
}
