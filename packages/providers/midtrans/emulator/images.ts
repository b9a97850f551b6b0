import type { EmulatorRequest, EmulatorResponse } from "@lunas/domain";
import type { Context } from "./context.ts";
import { coreError } from "./context.ts";
import { lookUp } from "./ledger.ts";
import { qrPng } from "./qr.ts";

const PATHS: readonly RegExp[] = [/^\/v2\/(?:gopay|qris)\/([^/]+)\/qr-code$/, /^\/v4\/qris\/(?:gopay|shopeepay)\/([^/]+)\/qr-code$/];

/** The QR pictures of the actions. No authentication: the payer's browser fetches them (midtrans.md §5.1). */
export function qrImage(context: Context, request: EmulatorRequest): EmulatorResponse | undefined {
  const id = request.method === "GET" ? PATHS.map((path) => path.exec(request.path)?.[1]).find((found) => found !== undefined) : undefined;
  if (id === undefined) return undefined;
  const transaction = lookUp(context, id);
  if (!transaction || transaction.payment_type === "bank_transfer") return { ...coreError(context, 404, "Transaction doesn't exist."), status: 404 };
  return { status: 200, headers: { "content-type": "image/png", "cache-control": "no-store" }, body: qrPng(transaction.qr_string) };
}
