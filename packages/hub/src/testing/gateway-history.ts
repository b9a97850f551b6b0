import { fc } from "./property.ts";
import type { PaymentObservation } from "@lunas/domain";
import { askGateway } from "../collect/ask.ts";
import type { PaymentRow } from "../collect/rows.ts";
import type { DrivenHub } from "./drive.ts";
import type { FakeClaims, FakeTransaction } from "./fake-gateway.ts";

/*
 * For ingest/gateway-history.test.ts: what may happen to the transactions of one hosted page, and what the hub has when it has asked for the last time.
 * The gateway is the fake one, the hub is the real one.
 */

export const AMOUNT = 4_400_000n;
const PART = 1_000_000n;
const TRANSACTIONS_MAX = 3;
const SECOND = 1_000;

/** One thing that happens next. Numbers choose among what is there at that moment. */
export type Act =
  | { readonly act: "gateway"; readonly which: number; readonly choice: number; readonly told: boolean }
  /** One of all notifications so far comes: late, early, again. Those never chosen are lost. */
  | { readonly act: "notification"; readonly which: number }
  | { readonly act: "ask" }
  | { readonly act: "no_answer"; readonly code: "timeout" | "rate_limited" }
  | { readonly act: "time"; readonly seconds: number };

const choice = fc.nat(59);
export const acts: fc.Arbitrary<Act[]> = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: fc.record({ act: fc.constant("gateway" as const), which: choice, choice, told: fc.boolean() }) },
    { weight: 3, arbitrary: fc.record({ act: fc.constant("notification" as const), which: choice }) },
    { weight: 2, arbitrary: fc.record({ act: fc.constant("ask" as const) }) },
    {
      weight: 1,
      arbitrary: fc.record({ act: fc.constant("no_answer" as const), code: fc.constantFrom("timeout" as const, "rate_limited" as const) }),
    },
    { weight: 2, arbitrary: fc.record({ act: fc.constant("time" as const), seconds: fc.constantFrom(1, 6, 31, 130, 1_000) }) },
  ),
  { maxLength: 30 },
);

interface Notification extends FakeClaims {
  readonly status: PaymentObservation;
}

/** What the gateway says of a transaction. */
export function truthOf({ status, refunded, collected }: FakeTransaction): PaymentObservation {
  if (status !== "paid" || refunded === 0n) return status;
  return refunded >= collected ? "refunded" : "partially_refunded";
}

/** What is in it now. */
export function heldBy(transaction: FakeTransaction): bigint {
  return transaction.status === "paid" ? transaction.collected - transaction.refunded : 0n;
}

export class Page {
  readonly hub: DrivenHub;
  readonly payment: PaymentRow;
  /** Those that were paid at some time. */
  readonly paid = new Set<string>();
  readonly #notifications: Notification[] = [];
  /** Its time is over: nobody tries again on it. Money may still come late. */
  #over = false;

  constructor(hub: DrivenHub, payment: PaymentRow) {
    this.hub = hub;
    this.payment = payment;
  }

  /** Oldest first; the last one is the newest. */
  get transactions(): FakeTransaction[] {
    return [...this.hub.gateway.older.values(), this.hub.gateway.transactions.get(this.payment.reference)!];
  }

  async play(script: readonly Act[]): Promise<void> {
    for (const act of script) await this.#do(act);
  }

  /** The last questions: nothing happens any more, and a doubt has its time. */
  async askToTheEnd(): Promise<void> {
    for (let round = 0; round < 4; round += 1) {
      await this.#ask();
      await this.hub.advance(31 * SECOND);
    }
    await this.#ask();
  }

  async #ask(): Promise<void> {
    await askGateway(this.hub.hub, this.payment.id, "get", "test", 0);
    await this.hub.settle();
  }

  async #do(act: Act): Promise<void> {
    const { gateway } = this.hub;
    if (act.act === "gateway") await this.#gateway(act);
    else if (act.act === "notification") await this.#notify(this.#notifications[act.which % Math.max(1, this.#notifications.length)]);
    else if (act.act === "ask") await this.#ask();
    else if (act.act === "time") await this.hub.advance(act.seconds * SECOND);
    else if (act.code === "timeout") gateway.next("get", { unclear: "did_nothing" });
    else gateway.next("get", { refuse: { code: "rate_limited", message: "not now", retry_after_s: 7 } });
  }

  async #notify(notification: Notification | undefined): Promise<void> {
    if (!notification) return;
    const { status, ...claims } = notification;
    await this.hub.notify(this.payment.reference, status, undefined, claims);
    await this.hub.settle();
  }

  async #gateway({ which, choice: chosen, told }: Extract<Act, { act: "gateway" }>): Promise<void> {
    const { gateway } = this.hub;
    const all = this.transactions;
    const newest = all.at(-1)!;
    const transaction = all[which % all.length]!;
    const { provider_id: id } = transaction;
    const moves: (() => void)[] = [];
    const pay = (): void => {
      gateway.pay(id);
      this.paid.add(id);
    };
    const expire = (): void => {
      gateway.set(id, "expired");
      this.#over = true;
    };
    if (transaction.status === "pending") moves.push(pay, () => gateway.set(id, "failed"), expire);
    else if (transaction.status === "paid") {
      moves.push(
        () => gateway.set(id, "failed"),
        () => gateway.set(id, "reversed"),
      );
      if (transaction.refunded + PART < transaction.collected) moves.push(() => gateway.refundThere(id, PART, "accepted"));
      moves.push(() => gateway.confirmRefunds(id));
    } else moves.push(pay);
    // A buyer tries again after a denial, and nothing else is open meanwhile.
    if (newest.status === "failed" && !this.#over && all.length < TRANSACTIONS_MAX) moves.push(() => void gateway.again(this.payment.reference));
    moves[chosen % moves.length]!();
    for (const one of new Set([transaction, this.transactions.at(-1)!])) {
      const notification = this.#said(one);
      this.#notifications.push(notification);
      if (told) await this.#notify(notification);
    }
  }

  #said(transaction: FakeTransaction): Notification {
    const { provider_id, refunded, refunds } = transaction;
    const confirmed = refunds.filter((refund) => refund.status === "confirmed").reduce((sum, refund) => sum + refund.amount, 0n);
    return { provider_id, status: truthOf(transaction), refunded: Number(refunded), confirmed: Number(confirmed) };
  }
}
