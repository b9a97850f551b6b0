import type { LedgerEntry } from "@lunas/domain";
import type { Store } from "../../packages/hub/src/store/index.ts";
import type { Sandbox } from "../../packages/sandbox/src/index.ts";

/** Minor units of a whole rupiah. */
const RUPIAH = 100n;

/** What the gateway's ledger says of one reference. A denied attempt on Snap's page is followed by another transaction of the same one. */
interface Told {
  readonly collected: bigint;
  readonly refunded: bigint;
  readonly reversed: bigint;
  /** Of the newest transaction, in the gateway's word. */
  readonly status: string;
}

/** What a payment must be called that stands so in the ledger. Written anew here: the judge shares no table with whom it judges. */
const PAYMENT_WORD: Readonly<Record<string, string>> = {
  settlement: "paid",
  partial_refund: "partially_refunded",
  refund: "refunded",
  expire: "expired",
  cancel: "canceled",
  deny: "failed",
};
const WITHOUT_MONEY = ["failed", "expired", "canceled"];

function toldOf(entries: readonly LedgerEntry[]): Told {
  const sum = (of: (entry: LedgerEntry) => number): bigint => BigInt(entries.reduce((total, entry) => total + of(entry), 0)) * RUPIAH;
  return {
    collected: sum((entry) => entry.collected),
    refunded: sum((entry) => entry.refunded),
    reversed: sum((entry) => entry.reversed),
    status: entries.at(-1)?.status ?? "",
  };
}

/** What an order must be called when all its time is over. */
function orderWord(amount: bigint, told: readonly Told[]): string {
  const sum = (of: (one: Told) => bigint): bigint => told.reduce((total, one) => total + of(one), 0n);
  const [collected, refunded, reversed] = [sum((one) => one.collected), sum((one) => one.refunded), sum((one) => one.reversed)];
  if (collected === 0n) return told.some((one) => one.status === "pending") ? "pending" : "expired";
  const kept = collected - refunded - reversed;
  if (kept >= amount) return "paid";
  if (kept <= 0n) return reversed >= refunded ? "reversed" : "refunded";
  return refunded > 0n && reversed === 0n ? "partially_refunded" : "underpaid";
}

/** No order is paid that the sandbox did not collect, none that it collected is left unpaid, nothing is refunded twice; every status is what the ledger says. */
export async function wrongMoney(store: Store, sandbox: Sandbox): Promise<string[]> {
  const problems: string[] = [];
  const payments = await store.read((db) => db.selectFrom("payments").selectAll().orderBy("created_at").orderBy("id").execute());
  const unmatched = await store.read((db) => db.selectFrom("unmatched_money").selectAll().execute());
  const orders = await store.read((db) => db.selectFrom("orders").selectAll().execute());
  const ledger = Map.groupBy(sandbox.ledger(), (entry) => entry.order_id);
  for (const [reference, entries] of ledger) {
    problems.push(...refundedTwice(reference, entries));
    if (payments.some((payment) => payment.reference === reference)) continue;
    const { collected } = toldOf(entries);
    const known = entries.some((entry) => unmatched.some((one) => one.provider_id === entry.transaction_id));
    if (collected > 0n && !known) problems.push(`${reference}: the sandbox collected ${collected / RUPIAH}, the hub does not know of it`);
  }
  for (const payment of payments) {
    const told = toldOf(ledger.get(payment.reference) ?? []);
    for (const what of ["collected", "refunded", "reversed"] as const)
      if (payment[what] !== told[what])
        problems.push(`${payment.reference}: the sandbox ${what} ${told[what] / RUPIAH}, the hub says ${payment[what] / RUPIAH} (${payment.status})`);
    const expected = told.status === "" ? WITHOUT_MONEY : [PAYMENT_WORD[told.status] ?? told.status];
    if (!expected.includes(payment.status))
      problems.push(`${payment.reference}: ${payment.status} in the hub, ${told.status || "unknown"} at the gateway`);
  }
  for (const order of orders) {
    const own = payments.filter((payment) => payment.order_id === order.id).map((payment) => toldOf(ledger.get(payment.reference) ?? []));
    const expected = orderWord(order.amount, own);
    if (order.payment_status !== expected) problems.push(`order ${order.reference}: ${order.payment_status} in the hub, ${expected} by the ledger`);
    const collected = own.reduce((total, one) => total + one.collected, 0n);
    if (order.amount_paid !== collected)
      problems.push(`order ${order.reference}: the sandbox collected ${collected / RUPIAH} for it, the hub says ${order.amount_paid / RUPIAH}`);
  }
  return problems;
}

function refundedTwice(reference: string, entries: readonly LedgerEntry[]): string[] {
  const keys = entries.flatMap((entry) => entry.refunds.map((refund) => refund.key));
  if (new Set(keys).size !== keys.length) return [`${reference}: refunded twice under one key`];
  return keys.length > 1 ? [`${reference}: refunded ${keys.length} times, one was asked for`] : [];
}
