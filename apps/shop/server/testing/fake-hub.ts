import { signWebhook, type EventType, type Order, type OrderPaymentStatus, type Payment, type Refund } from "@lunas/sdk";
import Fastify, { type FastifyInstance } from "fastify";

export const SECRET = "whsec_bHVuYXMtZGVtby1zaG9wLWVuZHBvaW50LXNlY3JldA==";

type Body = Record<string, unknown>;

export interface FakeEvent extends Body {
  id: string;
  type: EventType;
  sequence: number;
}

/** What the hub says of the next calls instead of doing them. */
export interface Refusing {
  /** `POST /v1/orders`, `payments` or `refunds`. */
  on: "order" | "payment" | "refund";
  status: number;
  body: Body;
}

const AT = "2026-07-17T03:00:00.000Z";

/**
 * As much of a Lunas hub as a shop meets, in memory and by hand: it does what it is told and remembers what it was asked.
 * Its money moves only when a test says so.
 */
export class FakeHub {
  readonly app: FastifyInstance = Fastify();
  readonly orders = new Map<string, Order>();
  readonly asked: { call: string; key: string | undefined; body: unknown }[] = [];
  refusing: Refusing | undefined;
  url = "";
  #keys = new Map<string, unknown>();
  #sequences = new Map<string, number>();
  #count = 0;

  constructor() {
    this.app.addHook("preHandler", (request, reply, next) => {
      const key = request.headers["idempotency-key"] as string | undefined;
      this.asked.push({ call: `${request.method} ${request.url}`, key, body: request.body });
      if (key !== undefined && this.#keys.has(key)) return void reply.code(201).send(this.#keys.get(key));
      next();
    });
    this.app.post("/v1/orders", (request, reply) => {
      if (this.refusing?.on === "order") return this.#refuse(reply);
      const order = this.#newOrder(request.body as Body);
      return this.#answer(request.headers, reply, order);
    });
    this.app.get<{ Params: { id: string } }>("/v1/orders/:id", (request, reply) =>
      reply.send(this.orders.get(request.params.id) ?? { code: "not_found" }),
    );
    this.app.post<{ Params: { id: string } }>("/v1/orders/:id/payments", (request, reply) => {
      if (this.refusing?.on === "payment") return this.#refuse(reply);
      const payment = this.open(this.orders.get(request.params.id)!.reference, String((request.body as Body)["method"]));
      return this.#answer(request.headers, reply, payment);
    });
    this.app.post<{ Params: { id: string } }>("/v1/payments/:id/refunds", (request, reply) => {
      if (this.refusing?.on === "refund") return this.#refuse(reply);
      return this.#answer(request.headers, reply, this.#newRefund(request.params.id, request.body as Body));
    });
  }

  async listen(): Promise<this> {
    this.url = await this.app.listen({ host: "127.0.0.1", port: 0 });
    return this;
  }

  #id(prefix: string): string {
    this.#count += 1;
    return `${prefix}_${String(this.#count).padStart(22, "0")}`;
  }

  #answer(headers: Record<string, unknown>, reply: { code(status: number): { send(body: unknown): unknown } }, body: unknown): unknown {
    this.#keys.set(String(headers["idempotency-key"]), structuredClone(body));
    return reply.code(201).send(body);
  }

  #refuse(reply: { code(status: number): { send(body: unknown): unknown } }): unknown {
    return reply.code(this.refusing!.status).send(this.refusing!.body);
  }

  #newOrder(body: Body): Order {
    const id = this.#id("ord");
    const order: Order = {
      id,
      object: "order",
      reference: String(body["reference"]),
      amount: Number(body["amount"]),
      currency: "IDR",
      items: [],
      customer: {},
      description: null,
      return_url: String(body["return_url"]),
      metadata: {},
      payment_status: "unpaid",
      closed: null,
      fulfillment_status: "none",
      amount_paid: 0,
      amount_refunded: 0,
      amount_reversed: 0,
      checkout_url: `${this.url}/pay/${id}`,
      expires_at: AT,
      created_at: AT,
      updated_at: AT,
      payments: [],
    };
    this.orders.set(id, order);
    return order;
  }

  #newRefund(payment_id: string, body: Body): Refund {
    const order = [...this.orders.values()].find((each) => each.payments.some((payment) => payment.id === payment_id))!;
    const payment = order.payments.find((each) => each.id === payment_id)!;
    const refund: Refund = {
      id: this.#id("rfd"),
      object: "refund",
      payment_id,
      order_id: order.id,
      amount: Number(body["amount"] ?? payment.amount_paid),
      currency: "IDR",
      reason: (body["reason"] as string | undefined) ?? null,
      status: "submitted",
      origin: "api",
      provider_reference: "r",
      waiting_for_quota_until: null,
      needs_attention: null,
      created_at: AT,
      succeeded_at: null,
    };
    payment.refunds.push(refund);
    return refund;
  }

  byReference(reference: string): Order {
    return [...this.orders.values()].find((order) => order.reference === reference)!;
  }

  /** Opens a payment of an order, as the hosted page does. */
  open(reference: string, method: string): Payment {
    const order = this.byReference(reference);
    const id = this.#id("pay");
    const payment: Payment = {
      id,
      object: "payment",
      order_id: order.id,
      order_reference: reference,
      status: "pending",
      flags: [],
      method,
      provider: "midtrans",
      account: "midtrans",
      provider_reference: `${reference}-1`,
      provider_id: `gateway-${id}`,
      amount: order.amount,
      currency: "IDR",
      amount_paid: 0,
      amount_refunded: 0,
      amount_reversed: 0,
      expires_at: AT,
      paid_at: null,
      waiting_for_quota_until: null,
      needs_attention: null,
      created_at: AT,
      updated_at: AT,
      refunds: [],
      actions:
        method === "snap" ? [{ type: "snap_token", token: `tok-${id}`, client_key: "SB-Mid-client-x", script_url: `${this.url}/snap.js` }] : [],
    };
    order.payments.push(payment);
    return payment;
  }

  /** An event about the order as it is now. Each one made is the next of its subject. */
  event(type: EventType, order: Order, more: { payment?: Payment; refund?: Refund } = {}): FakeEvent {
    const kind = type.split(".")[0]!;
    const id = kind === "order" ? order.id : kind === "payment" ? more.payment!.id : more.refund!.id;
    const sequence = (this.#sequences.get(id) ?? 0) + 1;
    this.#sequences.set(id, sequence);
    const { payments: _payments, ...orderOnly } = order;
    return structuredClone({
      id: this.#id("evt"),
      type,
      version: 1,
      timestamp: AT,
      sequence,
      subject: { type: kind, id },
      data: { ...more, order: orderOnly },
    });
  }

  /** Sets what an order says of itself and gives the event that tells it. */
  become(reference: string, status: OrderPaymentStatus, money: { paid?: number; refunded?: number } = {}): FakeEvent {
    const order = this.byReference(reference);
    order.payment_status = status;
    order.amount_paid = money.paid ?? order.amount_paid;
    order.amount_refunded = money.refunded ?? order.amount_refunded;
    return this.event(`order.${status}` as EventType, order);
  }

  /** The buyer pays the order's last payment (a new GoPay one, where there is none): both events of it. */
  pay(reference: string): { payment: FakeEvent; order: FakeEvent } {
    const order = this.byReference(reference);
    const payment = order.payments.at(-1) ?? this.open(reference, "gopay");
    payment.status = "paid";
    payment.amount_paid = payment.amount;
    return { payment: this.event("payment.paid", order, { payment }), order: this.become(reference, "paid", { paid: order.amount }) };
  }
}

/** Sends an event as the hub would, under its own id. */
export function deliver(shop: FastifyInstance, event: FakeEvent, options: { secret?: string; now?: number } = {}): Promise<{ statusCode: number }> {
  const payload = JSON.stringify(event);
  const headers = signWebhook(payload, options.secret ?? SECRET, { id: event.id, now: options.now });
  return shop.inject({ method: "POST", url: "/api/payments/notification", payload, headers: { ...headers, "content-type": "application/json" } });
}
