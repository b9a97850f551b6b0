import { statusBody } from "./bodies.ts";
import type { Context } from "./context.ts";
import { textOf } from "./context.ts";
import { withQuery } from "./open.ts";
import { transactionOf } from "./snap.ts";
import type { StoredSnap, StoredTransaction } from "./transaction.ts";

export type SnapView = "choose" | "pending" | "success" | "failed" | "expired" | "canceled" | "revoked";

export function isDenied(transaction: StoredTransaction | undefined): boolean {
  return transaction?.status === "deny" && transaction.settled_at === undefined;
}

/** What the payer sees. A denied attempt may be followed by another on the same page, though not without end (midtrans.md §3, §4). */
export function viewOf(context: Context, snap: StoredSnap, transaction: StoredTransaction | undefined = transactionOf(context, snap)): SnapView {
  if (transaction?.status === "pending") return "pending";
  if (transaction && transaction.status !== "deny" && transaction.status !== "cancel" && transaction.status !== "expire") return "success";
  if (snap.state !== "open") return snap.state;
  if (transaction?.status === "expire") return "expired";
  if (transaction?.status === "cancel") return "canceled";
  if (isDenied(transaction) && (snap.denials ?? 0) + 1 >= context.switches.snap_denials) return "failed";
  return snap.page_expires_at <= context.world.business.now() ? "expired" : "choose";
}

/** With what the payer could also have typed: proof of nothing. Without a transaction there is no status to tell (midtrans.md §4). */
function redirect(address: string, snap: StoredSnap, transaction: StoredTransaction | undefined): string | undefined {
  if (!/^https?:$/.test(URL.parse(address)?.protocol ?? "")) return undefined;
  if (!transaction) return withQuery(address, { order_id: snap.order_id });
  const { status_code, transaction_status } = statusBody(transaction);
  return withQuery(address, { order_id: snap.order_id, status_code: textOf(status_code), transaction_status: textOf(transaction_status) });
}

type Target = (context: Context, snap: StoredSnap, transaction: StoredTransaction | undefined) => string | undefined;

const finishAddress = (context: Context, snap: StoredSnap): string => snap.finish_url ?? context.switches.dashboard_finish_url;

/** Where the browser goes when it is paid, or when a method was picked that is paid elsewhere. */
export const finishUrl: Target = (context, snap, transaction) => redirect(finishAddress(context, snap), snap, transaction);

/** Where the payer comes who goes back before paying. */
export const unfinishUrl: Target = (context, snap, transaction) =>
  redirect(context.switches.dashboard_unfinish_url || finishAddress(context, snap), snap, transaction);

const errorUrl: Target = (context, snap, transaction) =>
  redirect((snap.error_url ?? context.switches.dashboard_error_url) || finishAddress(context, snap), snap, transaction);

/** Where the page leads from what it shows (midtrans.md §4). */
export function leaveUrl(context: Context, snap: StoredSnap, view: SnapView, transaction: StoredTransaction | undefined): string | undefined {
  if (view === "choose") return unfinishUrl(context, snap, undefined);
  return view === "failed" ? errorUrl(context, snap, transaction) : finishUrl(context, snap, transaction);
}

const TOLD = [
  "status_code",
  "status_message",
  "transaction_id",
  "order_id",
  "gross_amount",
  "payment_type",
  "transaction_time",
  "transaction_status",
  "fraud_status",
  "va_numbers",
  "permata_va_number",
] as const;

/** The argument of the callbacks of snap.js: a part of the status answer. It carries no signature. */
export function snapResult(context: Context, snap: StoredSnap, transaction: StoredTransaction): Record<string, unknown> {
  const body = statusBody(transaction);
  const result = Object.fromEntries(TOLD.filter((name) => body[name] !== undefined).map((name) => [name, body[name]]));
  const bank = transaction.bank && transaction.bank !== "permata" ? { [`${transaction.bank}_va_number`]: transaction.va_number } : {};
  return { ...result, ...bank, finish_redirect_url: finishUrl(context, snap, transaction) };
}
