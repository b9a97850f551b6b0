import type { Random } from "@lunas/domain";
import type { Sandbox } from "../../packages/sandbox/src/index.ts";

/** What becomes of an order of the run. `snap` is paid on Snap's page after a first attempt that the bank denies. */
export type Fate = "pay" | "refund" | "expire" | "late" | "cancel" | "snap";

/** Of ten orders that follow one another, so many have each fate: even a short run has them all. */
const FATES: readonly Fate[] = ["pay", "refund", "late", "snap", "pay", "cancel", "expire", "refund", "pay", "snap"];

export interface ChaosOrder {
  readonly reference: string;
  readonly amount: number;
  readonly fate: Fate;
  readonly keys: { readonly order: string; readonly payment: string; readonly refund: string };
  order_id?: string;
  payment_id?: string;
  provider_reference?: string;
  /** Snap's page for the buyer. */
  redirect_url?: string;
  /** The shop has been told that its refund is under way. */
  refund_id?: string;
  /** The hub's last word, where it is a no that the shop has to live with. */
  gave_up?: string;
}

type Action = { readonly type: string; readonly url?: string };

const API_KEY = "sk_test_lunas_dev";
/** Longer than the lease of an Idempotency-Key: on PostgreSQL a killed hub's request may still be at work in another one until that is over. */
const PATIENCE_MS = 150_000;
const RETRY_MS = 60;
/** Where the first request may still be at work, asking often brings nothing. */
const RUNNING_RETRY_MS = 1_500;

// timer: paces the load, the kills and the repeated looks; what is judged is waited for by its state.
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A shop that does its work whatever happens to the hub: it repeats each request, with the same key, until it has an answer. */
export class Shopper {
  readonly orders: ChaosOrder[] = [];
  readonly problems: string[] = [];
  #hub_url: string;
  #sandbox: Sandbox;
  #random: Random;

  constructor(hub_url: string, sandbox: Sandbox, random: Random) {
    this.#hub_url = hub_url;
    this.#sandbox = sandbox;
    this.#random = random;
  }

  plan(reference: string): ChaosOrder {
    const fate = FATES[this.orders.length % FATES.length]!;
    const order: ChaosOrder = {
      reference,
      amount: 10_000 + Math.floor(this.#random.float() * 90) * 1_000,
      fate,
      keys: { order: `o-${reference}`, payment: `p-${reference}`, refund: `r-${reference}` },
    };
    this.orders.push(order);
    return order;
  }

  /** Order, payment and what its fate says, as far as it can be done without time passing. */
  async run(order: ChaosOrder): Promise<void> {
    // A restored hub may have forgotten an order between two requests: the shop has not, and states again what it is owed.
    for (let tries = 0; tries < 5 && order.provider_reference === undefined; tries += 1) await this.place(order);
    if (order.payment_id === undefined || order.provider_reference === undefined) return;
    if (order.fate === "pay" || order.fate === "refund") await this.pay(order);
    if (order.fate === "snap") await this.payOnSnapsPage(order);
    if (order.fate === "cancel")
      await this.#post(
        `/v1/payments/${order.payment_id}/cancel`,
        {},
        `c-${order.reference}`,
        (status, code) => status === 200 || code === "wrong_state",
      );
    if (order.fate === "refund") await this.refund(order);
  }

  async place(order: ChaosOrder): Promise<void> {
    const created = await this.#post(
      "/v1/orders",
      { reference: order.reference, amount: order.amount, expires_in_s: 86_400 },
      order.keys.order,
      (status, code) => status === 201 || code === "reference_taken",
    );
    if (!created) return this.#giveUp(order, "the order was not answered in time");
    const order_id = (created.body["id"] ?? created.body["existing_id"]) as string;
    order.order_id = order_id;
    const opened = await this.#post(
      `/v1/orders/${order_id}/payments`,
      { method: order.fate === "snap" ? "snap" : "gopay" },
      order.keys.payment,
      (status, code) => [201, 404, 422].includes(status) || code === "wrong_state",
    );
    if (!opened) return this.#giveUp(order, "the payment was not answered in time");
    // `wrong_state` says: read the order again. A hub that was restored may know by now that it is paid.
    const payment = opened.status === 201 ? opened.body : opened.body["code"] === "wrong_state" ? await this.#lastPayment(order_id) : undefined;
    // A no about the order of before a restore, while the shop has stated it again: what becomes of that one counts.
    if (!payment && order.order_id !== order_id) return;
    if (!payment) return void (order.gave_up = `payment ${opened.status} ${String(opened.body["code"])}: ${String(opened.body["detail"])}`);
    delete order.gave_up;
    order.payment_id = payment["id"] as string;
    order.provider_reference = payment["provider_reference"] as string;
    order.redirect_url = (payment["actions"] as Action[] | undefined)?.find((action) => action.type === "redirect")?.url ?? order.redirect_url;
  }

  async #lastPayment(order_id: string): Promise<Record<string, unknown> | undefined> {
    const answer = await fetch(`${this.#hub_url}/v1/orders/${order_id}`, { headers: { authorization: `Bearer ${API_KEY}` } }).catch(() => undefined);
    const told = (await answer?.json().catch(() => undefined)) as { payments?: Record<string, unknown>[] } | undefined;
    return told?.payments?.at(-1);
  }

  /** Silence for so long, whatever is being killed meanwhile, is the hub's fault and not the gateway's. */
  #giveUp(order: ChaosOrder, why: string): void {
    order.gave_up = why;
    this.problems.push(`${order.reference}: ${why}`);
  }

  async pay(order: ChaosOrder): Promise<void> {
    const answer = await fetch(`${this.#sandbox.url}/_control/midtrans/${order.provider_reference}/pay`, { method: "POST" });
    if (!answer.ok) this.problems.push(`paying ${order.provider_reference}: ${answer.status} ${await answer.text()}`);
  }

  /** The buyer's bank says no to the first attempt; the second, by another method on the same page, is paid. */
  async payOnSnapsPage(order: ChaosOrder): Promise<void> {
    const press = async (path: "choose" | "act", form: Record<string, string>): Promise<void> => {
      const answer = await fetch(`${order.redirect_url}/${path}`, { method: "POST", body: new URLSearchParams(form) });
      if (!answer.ok) this.problems.push(`${order.reference}: Snap's page answered ${answer.status} to ${path} ${JSON.stringify(form)}`);
    };
    await press("choose", { method: "bca_va" });
    await press("act", { action: "deny" });
    await press("choose", { method: "gopay" });
    await this.pay(order);
  }

  /** Asks for a refund once. The hub may not know yet that the payment is paid: then it is asked for again when time has passed. */
  async refund(order: ChaosOrder): Promise<void> {
    const body = { amount: Math.floor(order.amount / 2), reason: "chaos" };
    const refunded = await this.#post(
      `/v1/payments/${order.payment_id}/refunds`,
      body,
      order.keys.refund,
      (status, code) => status === 201 || status === 404 || status === 422 || code === "wrong_state",
    );
    if (refunded?.status === 201) order.refund_id = refunded.body["id"] as string;
  }

  /** Repeats until `done`; a status of the hub's own mistakes (500) is a problem of the run. */
  async #post(
    path: string,
    body: unknown,
    key: string,
    done: (status: number, code: unknown) => boolean,
  ): Promise<{ status: number; body: Record<string, unknown> } | undefined> {
    const deadline = Date.now() + PATIENCE_MS;
    while (Date.now() < deadline) {
      const answer = await fetch(`${this.#hub_url}${path}`, {
        method: "POST",
        headers: { authorization: `Bearer ${API_KEY}`, "content-type": "application/json", "idempotency-key": key },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(30_000),
      }).catch(() => undefined);
      const told = (await answer?.json().catch(() => undefined)) as Record<string, unknown> | undefined;
      if (answer && told) {
        if (answer.status === 500) this.problems.push(`${path}: 500 ${JSON.stringify(told)}`);
        if (answer.status < 500 && done(answer.status, told["code"])) return { status: answer.status, body: told };
      }
      await pause(told?.["code"] === "idempotency_running" ? RUNNING_RETRY_MS : RETRY_MS);
    }
    return undefined;
  }
}
