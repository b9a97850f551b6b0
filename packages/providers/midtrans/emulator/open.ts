import type { Context } from "./context.ts";
import { uuid } from "./context.ts";
import { insertTransaction } from "./ledger.ts";
import { qrisString } from "./qr.ts";
import type { Acquirer, Bank, Echoed, Merchant, PaymentType, StoredTransaction } from "./transaction.ts";
import { newVaNumber } from "./va-number.ts";

/** What a charge and the hosted page both come to. */
export interface Opening extends Echoed {
  readonly merchant: Merchant;
  readonly order_id: string;
  readonly amount: number;
  readonly payment_type: PaymentType;
  readonly bank?: Bank;
  readonly va_wish?: unknown;
  readonly acquirer?: Acquirer;
  readonly expires_at: number;
  readonly callback_url?: string;
  readonly finish_url?: string;
  readonly snap_token?: string;
  readonly override_urls?: readonly string[];
  readonly append_urls?: readonly string[];
}

const REFERENCE_BYTES = 9;

/** Adds parameters behind what an address has already, byte for byte (midtrans.md §5.1). */
export function withQuery(url: string, parameters: Readonly<Record<string, string>>): string {
  const mark = url.indexOf("#");
  const [address, fragment] = mark < 0 ? [url, ""] : [url.slice(0, mark), url.slice(mark)];
  const joint = address.includes("?") ? (/[?&]$/.test(address) ? "" : "&") : "?";
  return (
    address +
    joint +
    Object.entries(parameters)
      .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
      .join("&") +
    fragment
  );
}

/** A new pending transaction: kept, and notified as `pending` (midtrans.md §11.2). */
export function openTransaction(context: Context, opening: Opening): StoredTransaction {
  const now = context.world.business.now();
  const reference = Buffer.from(context.world.random.bytes(REFERENCE_BYTES)).toString("base64url").replace(/[-_]/g, "x");
  const { merchant, bank, va_wish, callback_url, ...rest } = opening;
  const transaction: StoredTransaction = {
    ...rest,
    ...merchant,
    transaction_id: uuid(context),
    gross_amount: opening.amount,
    status: "pending",
    created_at: now,
    changed_at: now,
    reference,
    qr_string: qrisString(opening.amount, reference),
    ...(bank ? { bank, va_number: newVaNumber(context, bank, va_wish) } : {}),
    ...(callback_url ? { callback_url: withQuery(callback_url, { order_id: opening.order_id }) } : {}),
    refunds: [],
    collected: 0,
    reversed: 0,
  };
  insertTransaction(context, transaction);
  return transaction;
}
