import type { PaymentEvidence } from "@lunas/domain";
import type { Hub } from "../hub.ts";
import type { Tx } from "../store/index.ts";
import { NOTICE_HANDLE } from "./claims.ts";
import { recordTransition } from "./emit.ts";
import type { PaymentRow } from "./rows.ts";

/**
 * The gateway says that something took a part of the money, and not how much: no amount follows from it, and a person is told, once.
 * @returns the payment as it is to be saved.
 */
export async function takeNotice(
  hub: Hub,
  tx: Tx,
  payment: PaymentRow,
  { notice }: PaymentEvidence,
  { cause, answer_id }: { readonly cause: string; readonly answer_id: string },
): Promise<PaymentRow> {
  if (notice === undefined || payment.handles[NOTICE_HANDLE] === notice) return payment;
  const needs_attention = `a part of it was taken back (${notice}), and the gateway does not say how much: find out in its dashboard; nothing is counted as gone`;
  await recordTransition(hub, tx, {
    shop_id: payment.shop_id,
    subject: { type: "payment", id: payment.id },
    from: payment.status,
    to: payment.status,
    flags: payment.flags,
    cause: `${cause}: ${notice}`,
    answer_id,
  });
  return { ...payment, needs_attention, handles: { ...payment.handles, [NOTICE_HANDLE]: notice } };
}
