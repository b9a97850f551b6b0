import { statusBody } from "./bodies.ts";
import type { Context } from "./context.ts";
import { textOf } from "./context.ts";
import { withQuery } from "./open.ts";
import { transactionOf } from "./snap.ts";
import type { StoredSnap, StoredTransaction } from "./transaction.ts";

export type SnapView = "choose" | "pending" | "success" | "expired" | "canceled" | "revoked";

/** What the payer sees. A denied attempt may be followed by another on the same page (midtrans.md §3). */
export function viewOf(context: Context, snap: StoredSnap, transaction: StoredTransaction | undefined = transactionOf(context, snap)): SnapView {
  if (transaction?.status === "pending") return "pending";
  if (transaction && transaction.status !== "deny" && transaction.status !== "cancel" && transaction.status !== "expire") return "success";
  if (snap.state !== "open") return snap.state;
  if (transaction?.status === "expire") return "expired";
  if (transaction?.status === "cancel") return "canceled";
  return snap.page_expires_at <= context.world.business.now() ? "expired" : "choose";
}

/** Where the browser goes when it is done, with what the payer could also have typed: proof of nothing (midtrans.md §4). */
export function finishUrl(context: Context, snap: StoredSnap, transaction: StoredTransaction | undefined): string | undefined {
  const address = snap.finish_url ?? context.switches.dashboard_finish_url;
  if (!address || !/^https?:$/.test(URL.parse(address)?.protocol ?? "")) return undefined;
  const body = transaction ? statusBody(transaction) : { status_code: "201", transaction_status: "pending" };
  const { status_code, transaction_status } = body;
  return withQuery(address, { order_id: snap.order_id, status_code: textOf(status_code), transaction_status: textOf(transaction_status) });
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
