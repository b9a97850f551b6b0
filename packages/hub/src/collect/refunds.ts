import {
  CURRENCY_DECIMALS,
  deriveReference,
  formatAmount,
  invariant,
  LunasError,
  money,
  type Outcome,
  type RefundAnswer,
  type RefundIntent,
} from "@lunas/domain";
import type { Hub } from "../hub.ts";
import { armJob, jobKey, PRIORITY } from "../store/jobs.ts";
import type { Tx } from "../store/index.ts";
import { accountById, gatewayOf } from "./accounts.ts";
import { tellPayment } from "./apply.ts";
import { type Finding, keepAnswer } from "./answers.ts";
import { refuseOnHold } from "./ask.ts";
import { CALLS_OF_TWO_STEPS, MeteredHttp, takeCall } from "./budget.ts";
import { asTold, differenceOf, moveRefund, refundId } from "./refund-evidence.ts";
import { findPayment, lockOrder, type OrderBundle, type PaymentRow, type RefundRow, readBundle, readRefunds } from "./rows.ts";
import { paymentSubject } from "./subject.ts";

const REFUND_PATIENCE_MS = 60_000;
const DAY_MS = 86_400_000;

export interface NewRefund {
  /** Minor units; absent means all that is left. */
  readonly amount?: bigint | undefined;
  readonly reason?: string | undefined;
}

/**
 * Writes a refund down under the order's lock, so that the sum of all that have not failed never exceeds what was paid, and sends it.
 * A method without a refund call gets a `manual` one, which a person closes with proof.
 */
export async function createRefund(
  hub: Hub,
  shop_id: string,
  payment_id: string,
  wish: NewRefund,
  cause: string,
  begin: (tx: Tx, id: string) => Promise<void>,
): Promise<RefundRow> {
  refuseOnHold(hub);
  const written = await hub.store.write(async (tx) => {
    const found = await findPayment(tx, shop_id, payment_id);
    if (!found) throw new LunasError("not_found", { detail: `There is no payment ${payment_id} in this shop.` });
    const order = await lockOrder(hub.store, tx, found.order_id);
    const bundle = await readBundle(tx, order);
    const payment = bundle.payments.find((one) => one.id === payment_id);
    invariant(payment, "a payment belongs to its order");
    const refund = (await resumeLost(hub, tx, bundle, payment, wish)) ?? (await insertRefund(hub, tx, bundle, payment, wish));
    await begin(tx, refund.id);
    if (capabilityOf(hub, payment).refund !== "none") {
      await armJob(tx, {
        kind: "refund",
        subject_id: refund.id,
        account_id: payment.account_id,
        due_at: hub.clocks.business.now() + REFUND_PATIENCE_MS,
        priority: PRIORITY.money,
      });
      return refund;
    }
    return moveRefund(
      hub,
      tx,
      order,
      payment,
      refund,
      "by_hand",
      cause,
      null,
      undefined,
      "this method has no refund call: pay it back by hand and close it with proof",
    );
  });
  hub.signals.emit({ kind: "deliveries" });
  return written.status === "manual" ? written : sendRefund(hub, written.id, cause);
}

function capabilityOf(hub: Hub, payment: PaymentRow) {
  const capability = hub.providers.get(payment.provider)?.capabilities.methods[payment.method];
  invariant(capability, `method ${payment.method} of ${payment.provider} has no capability`);
  return capability;
}

/** What may still be refunded: collected, less what went or is going back. */
export function refundable(bundle: OrderBundle, payment: PaymentRow): bigint {
  const mine = bundle.refunds
    .filter((refund) => refund.payment_id === payment.id && refund.status !== "failed")
    .reduce((sum, refund) => sum + refund.amount, 0n);
  const gone = mine > payment.refunded ? mine : payment.refunded;
  return payment.collected - gone - payment.reversed;
}

/** Our keys of a payment's refunds follow from what they are of: a hub that was restored from an older copy makes the same again. */
function providerKey(bundle: OrderBundle, payment: PaymentRow, attempt: number): string {
  return deriveReference(
    { purpose: "refund", shop_id: payment.shop_id, order_reference: bundle.order.reference, line: payment.attempt, unit: 0, attempt },
    { max_length: 36, extra_characters: "-" },
  );
}

function refundsOf(bundle: OrderBundle, payment: PaymentRow): RefundRow[] {
  return bundle.refunds.filter((refund) => refund.payment_id === payment.id);
}

/**
 * A refund that was adopted from the gateway under the key that comes next is our own, sent before the database was restored from an
 * older copy. Asked for once more with the same amount, it is that one, and is not sent again.
 */
async function resumeLost(hub: Hub, tx: Tx, bundle: OrderBundle, payment: PaymentRow, wish: NewRefund): Promise<RefundRow | undefined> {
  const mine = refundsOf(bundle, payment);
  const key = providerKey(bundle, payment, mine.filter((refund) => refund.origin === "api").length + 1);
  const lost = mine.find((refund) => refund.origin === "provider" && refund.provider_key === key && refund.status !== "failed");
  if (!lost || lost.amount !== (wish.amount ?? payment.collected)) return undefined;
  const found: RefundRow = { ...lost, origin: "api", version: lost.version + 1, updated_at: hub.clocks.business.now() };
  await tx
    .updateTable("refunds")
    .set({ origin: found.origin, version: found.version, updated_at: found.updated_at })
    .where("id", "=", lost.id)
    .execute();
  return found;
}

/** The first key that no refund of this payment has. */
function freeKey(bundle: OrderBundle, payment: PaymentRow): string {
  const mine = refundsOf(bundle, payment);
  const taken = new Set(mine.map((refund) => refund.provider_key));
  for (let attempt = mine.filter((refund) => refund.origin === "api").length + 1; ; attempt += 1) {
    const key = providerKey(bundle, payment, attempt);
    if (!taken.has(key)) return key;
  }
}

async function insertRefund(hub: Hub, tx: Tx, bundle: OrderBundle, payment: PaymentRow, wish: NewRefund): Promise<RefundRow> {
  if (payment.status !== "paid" && payment.status !== "partially_refunded") {
    throw new LunasError("wrong_state", { detail: `The payment is ${payment.status}; only paid and partially_refunded payments can be refunded.` });
  }
  const available = refundable(bundle, payment);
  const amount = wish.amount ?? available;
  const capability = capabilityOf(hub, payment);
  const shown = { available: Number(formatAmount(money(available < 0n ? 0n : available, payment.currency))) };
  if (amount <= 0n || amount > available)
    throw new LunasError("refund_too_large", { detail: `At most ${shown.available} ${payment.currency} may still be refunded.`, extra: shown });
  if (capability.refund === "full" && amount !== payment.collected) {
    throw new LunasError("refund_too_large", {
      detail: `${payment.method} can only be refunded in full.`,
      extra: { available: Number(formatAmount(money(payment.collected, payment.currency))) },
    });
  }
  const provider = hub.providers.get(payment.provider);
  if (!provider?.capabilities.fractional_amounts && amount % 10n ** BigInt(CURRENCY_DECIMALS[payment.currency]) !== 0n) {
    throw new LunasError("amount_not_supported", { detail: `${provider?.label ?? payment.provider} refunds whole ${payment.currency} only.` });
  }
  const now = hub.clocks.business.now();
  const provider_key = freeKey(bundle, payment);
  const row: RefundRow = {
    id: refundId(payment, provider_key),
    shop_id: payment.shop_id,
    order_id: payment.order_id,
    payment_id: payment.id,
    provider_key,
    provider_id: null,
    amount,
    currency: payment.currency,
    reason: wish.reason ?? null,
    status: "created",
    origin: "api",
    needs_attention: null,
    proof: null,
    submitted_at: null,
    succeeded_at: null,
    waiting_for_quota_until: null,
    version: 1,
    created_at: now,
    updated_at: now,
  };
  await tx.insertInto("refunds").values(row).execute();
  return row;
}

export interface Sent {
  readonly refund: RefundRow;
  /** The account's budget was spent: nothing was sent, and from here on it is worth trying again. */
  readonly waiting_until?: number;
}

/** Of these the gateway has not yet said the last word. */
const OPEN_STATUSES: readonly RefundRow["status"][] = ["created", "submitted", "unknown"];

/**
 * Sends a refund, or asks about it when it was sent before without a clear answer: the same key, so that it never goes out twice. One that was made
 * in the gateway's dashboard is only asked about.
 */
export async function sendRefund(hub: Hub, refund_id: string, cause: string): Promise<RefundRow> {
  return (await trySendRefund(hub, refund_id, cause)).refund;
}

/** As `sendRefund`, and says whether it had to wait. One that was answered for good is never sent again: what was refused could go out after all. */
export async function trySendRefund(hub: Hub, refund_id: string, cause: string): Promise<Sent> {
  refuseOnHold(hub);
  const { refund, payment } = await load(hub, refund_id);
  if (!OPEN_STATUSES.includes(refund.status)) return { refund };
  const account = await accountById(hub, payment.account_id);
  const calls = refund.submitted_at === null ? 1 : CALLS_OF_TWO_STEPS;
  const grant = await takeCall(hub, account, PRIORITY.money, calls);
  if (!grant.granted) return showWaiting(hub, refund, grant.until);
  const now = hub.clocks.business.now();
  // Written before the call: from here on nobody may think that it was never sent.
  if (refund.submitted_at === null)
    await hub.store.write((tx) => tx.updateTable("refunds").set({ submitted_at: now }).where("id", "=", refund_id).execute());
  const intent: RefundIntent = {
    id: refund.id,
    payment: paymentSubject(payment),
    key: refund.provider_key,
    ...(refund.provider_id === null ? {} : { provider_id: refund.provider_id }),
    amount: money(refund.amount, refund.currency),
    full: refund.amount === payment.collected,
    ...(refund.reason ? { reason: refund.reason } : {}),
    ...(refund.submitted_at === null ? {} : { submitted_at: refund.submitted_at }),
  };
  const network = new MeteredHttp(hub, account, PRIORITY.money, calls);
  const gateway = gatewayOf(hub, account, network.send);
  const over = windowIsOver(refund, now, account.provider.capabilities.refund_retry_days);
  const known = refund.status === "submitted" || refund.origin === "provider" || over;
  const operation = known ? "get_refund" : "refund";
  const outcome = await (known ? gateway.getRefund(intent) : gateway.refund(intent));
  const after = await applyRefundFinding(hub, refund_id, payment, { operation, outcome, cause, asked_at: now }, over);
  // Not before the answer is kept.
  await network.giveBack();
  if (network.waiting_until === undefined || outcome.certainty !== "unknown") return { refund: after };
  return showWaiting(hub, after, network.waiting_until);
}

/** The budget is spent: whoever looks sees until when, and the job comes back then. */
async function showWaiting(hub: Hub, refund: RefundRow, until: number): Promise<Sent> {
  const waiting = { waiting_for_quota_until: until };
  await hub.store.write(async (tx) => {
    await tx.updateTable("refunds").set(waiting).where("id", "=", refund.id).execute();
    await tx.updateTable("jobs").set({ due_at: until }).where("key", "=", jobKey("refund", refund.id)).execute();
  });
  return { refund: { ...refund, ...waiting }, waiting_until: until };
}

/** Whether its key may have been forgotten by the gateway: sent again, it could go out a second time. */
function windowIsOver(refund: RefundRow, now: number, retry_days: number): boolean {
  return refund.submitted_at !== null && now - refund.submitted_at >= retry_days * DAY_MS;
}

async function load(hub: Hub, refund_id: string): Promise<{ refund: RefundRow; payment: PaymentRow }> {
  return hub.store.read(async (db) => {
    const refund = await db.selectFrom("refunds").selectAll().where("id", "=", refund_id).executeTakeFirst();
    invariant(refund, `refund ${refund_id} is gone`);
    const payment = await findPayment(db, undefined, refund.payment_id);
    invariant(payment, `the payment of refund ${refund_id} is gone`);
    return { refund, payment };
  });
}

async function applyRefundFinding(
  hub: Hub,
  refund_id: string,
  asked: PaymentRow,
  finding: Finding<RefundAnswer>,
  window_is_over: boolean,
): Promise<RefundRow> {
  const after = await hub.store.write(async (tx) => {
    const order = await lockOrder(hub.store, tx, asked.order_id);
    const payment = await findPayment(tx, undefined, asked.id);
    const found = await tx.selectFrom("refunds").selectAll().where("id", "=", refund_id).executeTakeFirst();
    invariant(payment && found, `refund ${refund_id} is gone`);
    await tx.updateTable("refunds").set({ waiting_for_quota_until: null }).where("id", "=", refund_id).execute();
    const refund: RefundRow = { ...found, waiting_for_quota_until: null };
    const about = { shop_id: refund.shop_id, account_id: payment.account_id, subject: { type: "refund", id: refund.id } } as const;
    const answer_id = await keepAnswer(hub, tx, about, finding, finding.outcome.certainty === "did" ? "applied" : "kept");
    const { input, attention, provider_id } = readOutcome(finding.outcome, window_is_over);
    const told = finding.outcome.certainty === "did" ? asTold(refund, finding.outcome.value.refund) : refund;
    const moved = await moveRefund(
      hub,
      tx,
      order,
      payment,
      told,
      input,
      finding.cause,
      answer_id,
      provider_id,
      attention ?? differenceOf(refund, told),
    );
    // What it means for the payment is asked at once: a refund's answer does not tell all that has been refunded.
    await armJob(tx, {
      kind: "payment",
      subject_id: payment.id,
      account_id: payment.account_id,
      due_at: hub.clocks.business.now(),
      priority: PRIORITY.notified,
    });
    return moved;
  });
  hub.signals.emit({ kind: "order", order_id: asked.order_id });
  hub.signals.emit({ kind: "deliveries" });
  hub.signals.emit({ kind: "jobs" });
  return after;
}

function readOutcome(
  outcome: Outcome<RefundAnswer>,
  window_is_over: boolean,
): {
  input: "accepted" | "confirmed" | "refused" | "unclear" | "by_hand";
  attention?: string;
  provider_id?: string;
} {
  if (outcome.certainty === "unknown") return { input: "unclear" };
  if (outcome.certainty === "did") {
    const { status, provider_id } = outcome.value.refund;
    return { input: status, ...(provider_id ? { provider_id } : {}) };
  }
  const { code, message } = outcome.refusal;
  // The call of then may not have gone in at all, or may be missing from a list that lags: the hub can neither send it again nor call it failed.
  if (code === "not_found" && window_is_over)
    return { input: "by_hand", attention: `${message}: find out at the gateway whether it went out, pay it back if not, and close it with proof` };
  if (code === "rate_limited" || code === "unauthorized" || code === "not_found") return { input: "unclear" };
  if (code === "unsupported")
    return { input: "by_hand", attention: `the gateway has no refund call for it (${message}): pay it back by hand and close it with proof` };
  return { input: "refused", attention: message };
}

/** A person closes a manual refund with proof. The gateway knows nothing of it, so the hub counts it itself. */
export async function closeManualRefund(
  hub: Hub,
  shop_id: string,
  refund_id: string,
  outcome: "succeeded" | "failed",
  proof: string,
): Promise<RefundRow> {
  const closed = await hub.store.write(async (tx) => {
    const found = await tx.selectFrom("refunds").selectAll().where("id", "=", refund_id).where("shop_id", "=", shop_id).executeTakeFirst();
    if (!found) throw new LunasError("not_found", { detail: `There is no refund ${refund_id} in this shop.` });
    const order = await lockOrder(hub.store, tx, found.order_id);
    const refund = await tx.selectFrom("refunds").selectAll().where("id", "=", refund_id).executeTakeFirst();
    const payment = await findPayment(tx, shop_id, found.payment_id);
    invariant(refund && payment, `refund ${refund_id} is gone`);
    if (refund.status !== "manual" && refund.status !== "unknown") {
      throw new LunasError("wrong_state", { detail: `The refund is ${refund.status}; only manual and unknown ones are closed by hand.` });
    }
    await tx.updateTable("refunds").set({ proof }).where("id", "=", refund_id).execute();
    const moved = await moveRefund(
      hub,
      tx,
      order,
      payment,
      { ...refund, proof },
      outcome === "succeeded" ? "confirmed" : "refused",
      "closed by hand",
      null,
    );
    if (moved.status === "succeeded") await countByHand(hub, tx, payment, moved);
    return moved;
  });
  hub.signals.emit({ kind: "order", order_id: closed.order_id });
  hub.signals.emit({ kind: "deliveries" });
  return closed;
}

/** Where the gateway knows the refund, its own count has it already, or will. */
async function countByHand(hub: Hub, tx: Tx, payment: PaymentRow, refund: RefundRow): Promise<void> {
  const order = await lockOrder(hub.store, tx, payment.order_id);
  const refunds = await readRefunds(tx, order.id);
  const succeeded = refunds.filter((one) => one.payment_id === payment.id && one.status === "succeeded").reduce((sum, one) => sum + one.amount, 0n);
  const counted = refund.provider_id === null ? payment.refunded + refund.amount : succeeded > payment.refunded ? succeeded : payment.refunded;
  const refunded = counted > payment.collected ? payment.collected : counted;
  const money = refunded >= payment.collected ? ("refunded" as const) : ("partially_refunded" as const);
  const status = payment.status === "reversed" ? payment.status : money;
  if (status === payment.status && refunded === payment.refunded) return;
  const after: PaymentRow = { ...payment, refunded, status, version: payment.version + 1, updated_at: hub.clocks.business.now() };
  await tx
    .updateTable("payments")
    .set({ refunded, status, version: after.version, updated_at: after.updated_at })
    .where("id", "=", payment.id)
    .execute();
  await tellPayment(hub, tx, order, payment, after, "refund closed by hand", null);
}
