import type { EmulatorRequest, EmulatorResponse } from "@lunas/domain";
import { commonFields, statusBody } from "./bodies.ts";
import type { Context } from "./context.ts";
import { coreError, json, unknownTransaction, uuid } from "./context.ts";
import { findTransaction, move } from "./ledger.ts";
import type { Merchant, StoredTransaction } from "./transaction.ts";

/** GET /v2/{id}/status (midtrans.md §6). */
export function status(context: Context, request: EmulatorRequest, merchant: Merchant, id: string): EmulatorResponse {
  const transaction = findTransaction(context, merchant, id);
  if (!transaction) return unknownTransaction(context);
  const { before } = transaction;
  const lagging = before && request.lags?.(context.world.business.now() - transaction.changed_at);
  return json(200, statusBody(lagging ? before : transaction), transaction);
}

export function notAllowed(context: Context, transaction: StoredTransaction): EmulatorResponse {
  return coreError(context, 412, "Transaction status cannot be updated.", { id: uuid(context) }, transaction);
}

/** POST /v2/{id}/cancel and /expire; an expire is a success with code 407 (midtrans.md §6). */
export function close(context: Context, merchant: Merchant, id: string, how: "cancel" | "expire"): EmulatorResponse {
  const transaction = findTransaction(context, merchant, id);
  if (!transaction) return unknownTransaction(context);
  const closed = move(context, transaction, how, { silent: !context.switches.notify_on_merchant_close });
  if (!closed) return notAllowed(context, transaction);
  const [status_code, status_message] = how === "cancel" ? ["200", "Success, transaction is canceled"] : ["407", "Success, transaction has expired"];
  return json(200, { status_code, status_message, ...commonFields(closed) }, closed);
}

/** POST /v2/{id}/approve and /deny are for challenged cards, which are not emulated: no state allows them. */
export function review(context: Context, merchant: Merchant, id: string): EmulatorResponse {
  const transaction = findTransaction(context, merchant, id);
  return transaction ? notAllowed(context, transaction) : unknownTransaction(context);
}
