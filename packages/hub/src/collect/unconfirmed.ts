import { COLLECTED_STATUSES, HOUR_MS, invariant } from "@lunas/domain";
import type { Hub } from "../hub.ts";
import type { Tx } from "../store/index.ts";
import { type Claim, writeClaim } from "./claims.ts";
import { emitEvent, recordTransition } from "./emit.ts";
import { findPayment, lockOrder, type PaymentRow, readBundle, readRefunds } from "./rows.ts";
import { openClaims, readTransactions, UNNAMED } from "./transactions.ts";
import { orderOnly, paymentView } from "./views.ts";

/** What nothing has confirmed begins so: over when an answer says it after all, or when the gateway goes on saying otherwise. */
const UNCONFIRMED = "a notification says";
const SINCE_HANDLE = "unconfirmed_since";
/** An answer this long after the last planned question, which still says nothing of it, is the gateway's last word. */
export const UNCONFIRMED_FOR_MS: number = HOUR_MS;

/** What a claim of one transaction says, for people. */
function wordsOf(claim: Claim, provider_id: string): string {
  return `"${writeClaim(claim) ?? ""}"${provider_id === UNNAMED ? "" : ` of ${provider_id}`}`;
}

/**
 * A verified notification says more than the gateway's answers do, after all the questions that are planned: a person should look. What is claimed is
 * followed no further, unless another notification comes.
 */
export async function flagUnconfirmed(hub: Hub, payment_id: string, cause: string): Promise<void> {
  await hub.store.write(async (tx) => {
    const found = await findPayment(tx, undefined, payment_id);
    invariant(found, `payment ${payment_id} is gone`);
    const order = await lockOrder(hub.store, tx, found.order_id);
    const bundle = await readBundle(tx, order);
    const payment = bundle.payments.find((one) => one.id === payment_id);
    invariant(payment, `payment ${payment_id} is gone`);
    const claims = openClaims(payment, bundle.refunds, await readTransactions(tx, [payment_id])).filter(({ claim }) => !isOldNews(payment, claim));
    await tx.updateTable("payment_transactions").set({ claim: null }).where("payment_id", "=", payment_id).execute();
    const [first] = claims;
    if (first === undefined) return;
    const flags = [...new Set([...payment.flags, "unconfirmed" as const])];
    const said = claims.map(({ claim, provider_id }) => wordsOf(claim, provider_id)).join(" and ");
    const needs_attention = `${UNCONFIRMED} ${said}, the gateway's answers do not (${cause})`.slice(0, 500);
    const now = hub.clocks.business.now();
    const handles = { ...payment.handles, [SINCE_HANDLE]: String(now) };
    const known = payment.flags.includes("unconfirmed");
    const after = { ...payment, flags, handles, needs_attention, version: payment.version + (known ? 0 : 1), updated_at: now };
    await tx
      .updateTable("payments")
      .set({ flags: JSON.stringify(flags), handles: JSON.stringify(handles), needs_attention, version: after.version, updated_at: now })
      .where("id", "=", payment_id)
      .execute();
    if (known) return;
    await emitEvent(hub, tx, {
      shop_id: payment.shop_id,
      type: "payment.unconfirmed",
      subject: { type: "payment", id: payment_id },
      order_id: order.id,
      payment_id,
      data: { payment: paymentView(hub, bundle, after), order: orderOnly(hub, order), claim: first.claim.observation },
    });
  });
  hub.signals.emit({ kind: "deliveries" });
}

/** That it was paid is known of a payment whose money was taken back: a notification of then may come late. */
function isOldNews(payment: PaymentRow, claim: Claim): boolean {
  return payment.status === "reversed" && COLLECTED_STATUSES.includes(claim.observation);
}

/** Until when the flag stands although nothing more is asked; undefined where it is not set, or may go with any answer. */
export function unconfirmedUntil(payment: PaymentRow): number | undefined {
  const since = payment.handles[SINCE_HANDLE];
  return payment.flags.includes("unconfirmed") && since !== undefined ? Number(since) + UNCONFIRMED_FOR_MS : undefined;
}

/** The payment without the flag, and without what waited for a person because of it. */
export function withoutUnconfirmed(payment: PaymentRow): Pick<PaymentRow, "flags" | "handles" | "needs_attention"> {
  const { [SINCE_HANDLE]: _since, ...handles } = payment.handles;
  const { needs_attention } = payment;
  const flags = payment.flags.filter((flag) => flag !== "unconfirmed");
  return { flags, handles, needs_attention: needs_attention?.startsWith(UNCONFIRMED) ? null : needs_attention };
}

/**
 * An answer repeats what we know, long after what a notification claimed was given up, and nothing else is in doubt: it stands, or a single
 * forged word would hold a payment back for ever.
 * @returns the payment as it is to be saved.
 */
export async function settleUnconfirmed(
  hub: Hub,
  tx: Tx,
  payment: PaymentRow,
  { cause, answer_id, asked_at }: { readonly cause: string; readonly answer_id: string; readonly asked_at: number },
): Promise<PaymentRow> {
  if (!payment.flags.includes("unconfirmed") || asked_at < (unconfirmedUntil(payment) ?? 0)) return payment;
  const { id } = await lockOrder(hub.store, tx, payment.order_id);
  const refunds = await readRefunds(tx, id);
  if (openClaims(payment, refunds, await readTransactions(tx, [payment.id])).length > 0) return payment;
  const settled = { ...payment, ...withoutUnconfirmed(payment) };
  await recordTransition(hub, tx, {
    shop_id: payment.shop_id,
    subject: { type: "payment", id: payment.id },
    from: payment.status,
    to: payment.status,
    flags: settled.flags,
    cause: `${cause}: the gateway goes on saying so, what was claimed is not confirmed`,
    answer_id,
  });
  return settled;
}
