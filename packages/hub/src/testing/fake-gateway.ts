import {
  type Customer,
  type Exchange,
  type Gateway,
  type GatewayContext,
  type OpenIntent,
  type OtherTransaction,
  type Outcome,
  type PaymentAction,
  type PaymentAnswer,
  type PaymentObservation,
  type PaymentSubject,
  type Provider,
  type RawCallback,
  type Refusal,
  type RefundAnswer,
  type RefundEvidence,
  type RefundIntent,
} from "@lunas/domain";
import { type FakeConfig, fakeProvider } from "./fake-provider.ts";

export type FakeOperation = "open" | "get" | "cancel" | "expire" | "refund" | "getRefund";

/** A transaction as the fake gateway holds it. Amounts in minor units. */
export interface FakeTransaction {
  readonly reference: string;
  readonly provider_id: string;
  readonly method: string;
  readonly amount: bigint;
  readonly currency: string;
  readonly customer: Customer;
  status: PaymentObservation;
  collected: bigint;
  refunded: bigint;
  readonly refunds: RefundEvidence[];
}

/** What a callback may say beside the status. Amounts in minor units. */
export interface FakeClaims {
  readonly provider_id?: string;
  readonly refunded?: number;
  readonly confirmed?: number;
}

/** How one call goes that does not go as asked: refused; unclear without having happened; unclear although it happened; never answered. */
export type FakeFault = { readonly refuse: Refusal } | { readonly unclear: "did_nothing" | "did_it" } | { readonly wait: Promise<unknown> };

/**
 * A gateway in memory, for tests: it does as it is told, remembers every call, and its buyers are played by the test.
 *
 * ```ts
 * const gateway = new FakeGateway();
 * gateway.next("open", { unclear: "did_it" });
 * gateway.pay(payment.provider_reference);
 * ```
 */
export class FakeGateway {
  /** By our reference: the newest of each. */
  readonly transactions = new Map<string, FakeTransaction>();
  /** Those before the newest, by their own id. */
  readonly older = new Map<string, FakeTransaction>();
  readonly calls: { readonly operation: FakeOperation; readonly reference: string }[] = [];
  /** What the gateway says to a refund that it takes. */
  refundStatus: RefundEvidence["status"] = "confirmed";
  readonly provider: Provider<FakeConfig>;
  #made = 0;
  #refunded = 0;
  #faults: { readonly operation: FakeOperation; readonly fault: FakeFault }[] = [];

  constructor(options: { readonly name?: string } = {}) {
    this.provider = fakeProvider(options.name ?? "fake", (context) => this.#gateway(context));
  }

  /** The next call of this kind goes like this; several stand in line. */
  next(operation: FakeOperation, fault: FakeFault): void {
    this.#faults.push({ operation, fault });
  }

  /** How often this was asked of it. */
  count(operation: FakeOperation): number {
    return this.calls.filter((call) => call.operation === operation).length;
  }

  /** The buyer pays, all of it unless told otherwise. @param id a reference, for its newest transaction, or a transaction's own id. @param amount minor units. */
  pay(id: string, amount?: bigint): void {
    const transaction = this.#require(id);
    transaction.status = "paid";
    transaction.collected = amount ?? transaction.amount;
  }

  /** The world moves on: `expired`, `failed`, `reversed`, … */
  set(id: string, status: PaymentObservation): void {
    this.#require(id).status = status;
  }

  /** The buyer tries again under the same reference: another transaction, which is the newest from now on. */
  again(reference: string): FakeTransaction {
    const before = this.#require(reference);
    this.older.set(before.provider_id, before);
    const { method, amount, currency, customer } = before;
    return this.#make({ reference, method, amount, currency, customer });
  }

  /** Somebody refunds in the gateway's own dashboard. @param amount minor units. */
  refundThere(id: string, amount: bigint, status: RefundEvidence["status"] = "confirmed"): void {
    const transaction = this.#require(id);
    this.#refunded += 1;
    transaction.refunds.push({ provider_id: `fake-there-${this.#refunded}`, amount, status });
    transaction.refunded += amount;
  }

  /** The bank confirms every refund of a transaction. */
  confirmRefunds(id: string): void {
    const { refunds } = this.#require(id);
    for (const [index, refund] of refunds.entries()) refunds[index] = { ...refund, status: "confirmed" };
  }

  /** A callback as this gateway sends it. @param proof the account's secret; another one is a forgery. */
  callback(reference: string, status: PaymentObservation, proof = "fake-secret", more: FakeClaims = {}): RawCallback {
    const body = Buffer.from(JSON.stringify({ reference, status, proof, ...more }));
    return { method: "POST", headers: { "content-type": "application/json" }, query: "", body };
  }

  #find(id: string): FakeTransaction | undefined {
    return this.transactions.get(id) ?? this.older.get(id) ?? [...this.transactions.values()].find((one) => one.provider_id === id);
  }

  #require(id: string): FakeTransaction {
    const transaction = this.#find(id);
    if (!transaction) throw new Error(`the fake gateway has no transaction ${id}`);
    return transaction;
  }

  #make(of: Pick<FakeTransaction, "reference" | "method" | "amount" | "currency" | "customer">): FakeTransaction {
    this.#made += 1;
    const made: FakeTransaction = { ...of, provider_id: `fake-${this.#made}`, status: "pending", collected: 0n, refunded: 0n, refunds: [] };
    this.transactions.set(of.reference, made);
    return made;
  }

  #gateway(context: GatewayContext<FakeConfig>): Gateway {
    const run = async <T>(operation: FakeOperation, reference: string, act: () => Outcome<T>): Promise<Outcome<T>> => {
      this.calls.push({ operation, reference });
      const exchanges = [this.#exchange(operation, reference, context)];
      const index = this.#faults.findIndex((one) => one.operation === operation);
      const fault = index === -1 ? undefined : this.#faults.splice(index, 1)[0]!.fault;
      if (!fault) return { ...act(), exchanges };
      if ("refuse" in fault) return { certainty: "did_not", refusal: fault.refuse, exchanges };
      if ("wait" in fault) {
        await fault.wait;
        return { ...act(), exchanges };
      }
      if (fault.unclear === "did_it") act();
      return { certainty: "unknown", reason: "timeout", exchanges };
    };
    const close = (to: PaymentObservation) => (subject: PaymentSubject) => () => this.#close(subject, to);
    return {
      open: (intent) => run("open", intent.reference, () => this.#open(intent)),
      get: (subject) => run("get", subject.reference, () => this.#answerOfAll(subject)),
      cancel: (subject) => run("cancel", subject.reference, close("canceled")(subject)),
      expire: (subject) => run("expire", subject.reference, close("expired")(subject)),
      refund: (intent) => run("refund", intent.payment.reference, () => this.#refund(intent)),
      getRefund: (intent) => run("getRefund", intent.payment.reference, () => this.#getRefund(intent)),
    };
  }

  #exchange(operation: string, reference: string, { config, business }: GatewayContext<FakeConfig>): Exchange {
    const customer = this.transactions.get(reference)?.customer;
    return {
      method: "POST",
      url: `${config.base_url ?? "https://fake.invalid"}/${operation}/${reference}`,
      asked_at: business.now(),
      elapsed_ms: 1,
      status: 200,
      request_body: JSON.stringify({ reference, customer_details: customer }),
      response_body: JSON.stringify({ reference, signature_key: "s3cret-signature" }),
    };
  }

  #open(intent: OpenIntent): Outcome<PaymentAnswer> {
    const { reference, method, amount } = intent;
    const known = this.transactions.get(reference);
    if (known && intent.submitted_at === undefined) return refused("conflict", "the reference is in use");
    if (!known) this.#make({ reference, method, amount: amount.minor, currency: amount.currency, customer: intent.customer });
    return this.#answer(reference);
  }

  /** The newest answers for the reference; of the others those that it was asked about. */
  #answerOfAll(subject: PaymentSubject): Outcome<PaymentAnswer> {
    const stranger = subject.method === "unknown" && subject.provider_id !== undefined ? subject.provider_id : subject.reference;
    const answer = this.#answer(stranger);
    if (answer.certainty !== "did") return answer;
    const ids = new Set([...(subject.provider_id ? [subject.provider_id] : []), ...(subject.transactions ?? [])]);
    ids.delete(answer.value.evidence.provider_id ?? "");
    const others = [...ids].map((provider_id): OtherTransaction => {
      const other = this.#answer(provider_id);
      const ours = other.certainty === "did" && other.value.evidence.reference === subject.reference;
      return ours ? { provider_id, evidence: other.value.evidence } : { provider_id };
    });
    return { ...answer, value: { ...answer.value, ...(others.length > 0 ? { others } : {}) } };
  }

  /** @param id a reference, for its newest transaction, or a transaction's own id. */
  #answer(id: string): Outcome<PaymentAnswer> {
    const found = this.#find(id);
    if (!found) return refused("not_found", "no such transaction");
    const { reference, provider_id, currency, amount, collected, refunded, refunds } = found;
    const status = found.status === "paid" && refunded > 0n ? (refunded >= collected ? "refunded" : "partially_refunded") : found.status;
    const money = collected > 0n ? { amount: collected, refunded, refunds: [...refunds] } : { amount };
    const evidence = { status, provider_status: status, provider_id, reference, currency, ...money };
    const handles = found.method === "snap" ? { client_key: "fake-client-key", script_url: "https://fake.invalid/snap.js" } : undefined;
    return { certainty: "did", value: { evidence, actions: actionsOf(found), ...(handles ? { handles } : {}) }, exchanges: [] };
  }

  #close(subject: PaymentSubject, to: PaymentObservation): Outcome<PaymentAnswer> {
    const found = this.transactions.get(subject.reference);
    // A hosted page is closed also after a denial, which stays what it was.
    const denied_page = found?.method === "snap" && found.status === "failed";
    if (found && found.status !== "pending" && found.status !== to && !denied_page) return refused("state", `it is ${found.status}`);
    if (found && !denied_page) found.status = to;
    return this.#answer(subject.reference);
  }

  #refund(intent: RefundIntent): Outcome<RefundAnswer> {
    const found = this.#require(intent.payment.provider_id ?? intent.payment.reference);
    const known = found.refunds.find((refund) => refund.key === intent.key);
    if (known) return { certainty: "did", value: { refund: known }, exchanges: [] };
    if (found.collected - found.refunded < intent.amount.minor) return refused("amount", "more than was collected");
    const refund: RefundEvidence = {
      key: intent.key,
      provider_id: `fake-refund-${intent.key}`,
      amount: intent.amount.minor,
      status: this.refundStatus,
    };
    found.refunds.push(refund);
    if (refund.status !== "refused") found.refunded += refund.amount;
    return { certainty: "did", value: { refund }, exchanges: [] };
  }

  #getRefund(intent: RefundIntent): Outcome<RefundAnswer> {
    const refund = this.#find(intent.payment.provider_id ?? intent.payment.reference)?.refunds.find(
      (one) => (one.key ?? one.provider_id) === intent.key,
    );
    return refund ? { certainty: "did", value: { refund }, exchanges: [] } : refused("not_found", "no such refund");
  }
}

function refused(code: Refusal["code"], message: string): Extract<Outcome<never>, { certainty: "did_not" }> {
  return { certainty: "did_not", refusal: { code, message }, exchanges: [] };
}

function actionsOf({ method, reference, provider_id }: FakeTransaction): PaymentAction[] {
  switch (method) {
    case "bca_va":
      return [{ type: "va_number", bank: "bca", number: "12345678901" }];
    case "snap":
      return [
        { type: "snap_token", token: `snap-${reference}` },
        { type: "redirect", url: `https://fake.invalid/snap/${reference}` },
      ];
    case "qris":
      return [{ type: "qr", image_url: `https://fake.invalid/qr/${provider_id}`, qr_string: "00020101FAKE" }];
    default:
      return [
        { type: "qr", image_url: `https://fake.invalid/qr/${provider_id}` },
        { type: "deeplink", url: `gojek://gopay/${provider_id}` },
      ];
  }
}
