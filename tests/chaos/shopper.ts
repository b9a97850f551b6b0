import type { Random } from "@lunas/domain";
import type { Sandbox } from "../../packages/sandbox/src/index.ts";

/** What becomes of an order of the run. */
export type Fate = "pay" | "refund" | "expire" | "late" | "cancel";

export interface ChaosOrder {
  readonly reference: string;
  readonly amount: number;
  readonly fate: Fate;
  readonly keys: { readonly order: string; readonly payment: string; readonly refund: string };
  order_id?: string;
  payment_id?: string;
  provider_reference?: string;
  /** The shop has been told that its refund is under way. */
  refund_id?: string;
  gave_up?: string;
}

const API_KEY = "sk_test_lunas_dev";
const PATIENCE_MS = 60_000;
const RETRY_MS = 60;

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
    const dice = this.#random.float();
    const fate: Fate = dice < 0.5 ? "pay" : dice < 0.7 ? "refund" : dice < 0.8 ? "expire" : dice < 0.9 ? "late" : "cancel";
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
    if (order.fate === "cancel")
      await this.#post(`/v1/payments/${order.payment_id}/cancel`, {}, `c-${order.reference}`, (status) => status === 200 || status === 409);
    if (order.fate === "refund") await this.refund(order);
  }

  async place(order: ChaosOrder): Promise<void> {
    const created = await this.#post(
      "/v1/orders",
      { reference: order.reference, amount: order.amount, expires_in_s: 86_400 },
      order.keys.order,
      (status) => status === 201 || status === 409,
    );
    if (!created) return void (order.gave_up = "order");
    order.order_id = (created.body["id"] ?? created.body["existing_id"]) as string;
    const opened = await this.#post(`/v1/orders/${order.order_id}/payments`, { method: "gopay" }, order.keys.payment, (status) =>
      [201, 404, 409, 422].includes(status),
    );
    if (!opened || opened.status !== 201)
      return void (order.gave_up = `payment ${opened?.status ?? "without an answer"} ${JSON.stringify(opened?.body ?? {})}`);
    delete order.gave_up;
    order.payment_id = opened.body["id"] as string;
    order.provider_reference = opened.body["provider_reference"] as string;
  }

  async pay(order: ChaosOrder): Promise<void> {
    const answer = await fetch(`${this.#sandbox.url}/_control/midtrans/${order.provider_reference}/pay`, { method: "POST" });
    if (!answer.ok) this.problems.push(`paying ${order.provider_reference}: ${answer.status} ${await answer.text()}`);
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
      await pause(RETRY_MS);
    }
    return undefined;
  }
}
