import type { EmulatorNotification, ForgeryKind } from "@lunas/domain";
import { sign } from "../signature.ts";
import type { Context } from "./context.ts";
import type { StoredTransaction } from "./transaction.ts";

interface Body {
  readonly transaction_id: string;
  readonly transaction_status: string;
  readonly order_id: string;
  readonly status_code: string;
  readonly gross_amount: string;
  readonly signature_key: string;
}

/** Of a merchant that is not the account's. */
export const FOREIGN_MERCHANT_ID = "G999999999";

const PAID: readonly string[] = ["settlement", "partial_refund", "refund"];

/**
 * Of the money that is there, it says that it went back: same code, so the genuine signature fits as it is (midtrans.md §11.3).
 * Of money that is not there, it says that it came.
 */
function otherStatus(body: Body): Partial<Body> & Record<string, unknown> {
  if (body.transaction_status === "settlement") return { transaction_status: "refund" };
  if (PAID.includes(body.transaction_status)) return { transaction_status: "settlement" };
  return { transaction_status: "settlement", status_code: "200", settlement_time: (body as Body & { transaction_time: string }).transaction_time };
}

function changes(body: Body, kind: ForgeryKind): Partial<Body> & Record<string, unknown> {
  switch (kind) {
    case "forge-signature":
      return { signature_key: sign(body, "not the key of this merchant") };
    case "forge-status":
      return otherStatus(body);
    case "wrong-amount":
      return { gross_amount: body.gross_amount === "1.00" ? "2.00" : "1.00" };
    case "foreign-merchant":
      return { merchant_id: FOREIGN_MERCHANT_ID };
  }
}

/** The same notification, forged. But for `forge-signature` the signature fits what it says, made with the account's own key. */
export function forge(context: Context, notification: EmulatorNotification, kind: ForgeryKind): EmulatorNotification {
  const body = JSON.parse(notification.body) as Body;
  const forged: Body = { ...body, ...changes(body, kind) };
  const key = context.world.store.get<StoredTransaction>("transaction", body.transaction_id)?.server_key ?? "";
  const signature_key = kind === "forge-signature" ? forged.signature_key : sign(forged, key);
  return { ...notification, body: JSON.stringify({ ...forged, signature_key }) };
}
