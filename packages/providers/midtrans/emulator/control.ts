import type { EmulatorResponse } from "@lunas/domain";
import { statusBody } from "./bodies.ts";
import type { Context, Fields } from "./context.ts";
import { json } from "./context.ts";
import { lookUp, move } from "./ledger.ts";
import { confirmRefunds, makeRefund } from "./refund.ts";
import type { StoredTransaction } from "./transaction.ts";
import { refundedAmount } from "./transaction.ts";

export interface PayOptions {
  /** Whole rupiah that came, where it is not what was charged. */
  readonly amount?: number;
  /** Put on top for the payer (midtrans.md, quirk 2). */
  readonly fee?: number;
}

/** The payer pays. After the transaction was closed it is late money, and the transaction settles all the same. */
export function pay(context: Context, transaction: StoredTransaction, { amount, fee = 0 }: PayOptions = {}): StoredTransaction | undefined {
  const paid = amount ?? transaction.amount + fee;
  const info = { original_amount: `${transaction.amount}.00`, gross_amount: `${paid}.00`, customer_imposed_payment_fee: `${fee}.00` };
  const metadata = fee > 0 ? { ...transaction.metadata, extra_info: { gross_amount_info: info } } : transaction.metadata;
  const changes = {
    gross_amount: paid,
    collected: transaction.collected + paid,
    settled_at: context.world.business.now(),
    ...(transaction.payment_type === "qris" ? { on_us: context.switches.qris_on_us } : {}),
    ...(metadata ? { metadata } : {}),
  };
  return move(context, transaction, transaction.status === "pending" ? "pay" : "pay_late", { changes });
}

/** The wallet or the bank says no. A wallet's failure leaves the transaction pending, as with the real one, unless the switch says otherwise. */
export function deny(context: Context, transaction: StoredTransaction): StoredTransaction | undefined {
  const wallet = transaction.payment_type === "gopay" || transaction.payment_type === "qris";
  if (wallet && !context.switches.wallet_failure_denies) return transaction.status === "pending" ? transaction : undefined;
  return move(context, transaction, "deny");
}

/** The bank undoes a settlement some minutes later: it becomes a `deny` (midtrans.md §10). */
function reverse(context: Context, transaction: StoredTransaction): StoredTransaction | undefined {
  return move(context, transaction, "reverse", { changes: { reversed: transaction.collected } });
}

function chargeBack(context: Context, transaction: StoredTransaction, amount: number | undefined): StoredTransaction | undefined {
  const left = transaction.collected - refundedAmount(transaction) - transaction.reversed;
  const taken = amount ?? left;
  if (taken <= 0 || taken > left) return undefined;
  return move(context, transaction, taken === left ? "charge_back" : "charge_back_part", { changes: { reversed: transaction.reversed + taken } });
}

function dashboardRefund(context: Context, transaction: StoredTransaction, input: Fields): StoredTransaction | undefined {
  const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);
  const result = makeRefund(context, transaction, {
    origin: "dashboard",
    direct: input.direct === true,
    amount: amountOf(input.amount),
    reason: text(input.reason) ?? "by the merchant, in the dashboard",
    key: text(input.refund_key),
  });
  return result.ok ? result.transaction : undefined;
}

function amountOf(value: unknown): number | undefined {
  return typeof value === "number" || typeof value === "string" ? Number(value) : undefined;
}

type Act = (context: Context, transaction: StoredTransaction, input: Fields) => StoredTransaction | undefined;

const ACTS: Readonly<Record<string, Act>> = {
  pay: (context, transaction, input) => pay(context, transaction, { amount: amountOf(input.amount), fee: amountOf(input.fee) }),
  deny: deny,
  expire: (context, transaction) => move(context, transaction, "expire"),
  cancel: (context, transaction) => move(context, transaction, "cancel"),
  refund: dashboardRefund,
  "refund-confirm": (context, transaction) => (transaction.refunds.length > 0 ? confirmRefunds(context, transaction) : undefined),
  reverse: reverse,
  chargeback: (context, transaction, input) => chargeBack(context, transaction, amountOf(input.amount)),
};

export const CONTROL_ACTIONS: readonly string[] = Object.keys(ACTS);

/** What a person or a test does at the provider. Answers with the transaction's status body, without its signature; 409 where its state does not allow it. */
export function control(context: Context, subject: string, action: string, input: Fields): EmulatorResponse {
  const act = Object.hasOwn(ACTS, action) ? ACTS[action] : undefined;
  if (!act) return json(404, { error: `no action ${action}`, actions: CONTROL_ACTIONS });
  for (const name of ["amount", "fee"]) {
    const amount = amountOf(input[name]);
    if (input[name] !== undefined && !(Number.isInteger(amount) && amount! > 0))
      return json(400, { error: `${name} must be a whole number of rupiah above 0` });
  }
  const transaction = lookUp(context, subject);
  if (!transaction) return json(404, { error: "no such transaction: a Snap order is none before the payer has picked a method" });
  const after = act(context, transaction, input);
  if (!after)
    return json(409, { error: `not possible: the transaction is ${transaction.status}`, transaction_status: transaction.status }, transaction);
  const { signature_key: _, ...body } = statusBody(after);
  return json(200, body, after);
}
