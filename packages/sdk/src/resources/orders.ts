import type { PageRequest } from "../pages.ts";
import type { Order, Payment } from "../types/objects.ts";
import type { CallOptions, MoneyCallOptions, OrderCreate, OrderList, PaymentCreate } from "../types/params.ts";
import { idIn, type Caller } from "./caller.ts";

/** What the shop is owed. */
export class Orders {
  readonly #caller: Caller;

  constructor(caller: Caller) {
    this.#caller = caller;
  }

  /**
   * States what is owed. Send the buyer to the answer's `checkout_url`, or open a payment with `createPayment`.
   *
   * ```ts
   * const order = await lunas.orders.create(
   *   { reference: "INV-1001", amount: 44000, return_url: "https://shop.example/orders/1001" },
   *   { idempotencyKey: "order-1001" },
   * );
   * ```
   *
   * @throws LunasError `reference_taken` with `problem.existing_id` where another call has made an order of this reference.
   */
  create(order: OrderCreate, options?: MoneyCallOptions): Promise<Order> {
    return this.#caller.money("/v1/orders", order, options);
  }

  get(id: string, options?: CallOptions): Promise<Order> {
    return this.#caller.get(`/v1/orders/${idIn(id)}`, options);
  }

  list(params: OrderList = {}, options?: CallOptions): PageRequest<Order> {
    return this.#caller.list("/v1/orders", params, options);
  }

  /** The order with this reference of the shop's own, or undefined. */
  async findByReference(reference: string, options?: CallOptions): Promise<Order | undefined> {
    if (!reference) throw new TypeError("A reference is missing.");
    const page = await this.list({ reference, limit: 1 }, options);
    return page.data[0];
  }

  /** Closes the order and its open payments. `wrong_state` where it is paid. */
  cancel(id: string, options?: CallOptions): Promise<Order> {
    return this.#caller.command(`/v1/orders/${idIn(id)}/cancel`, options);
  }

  /**
   * Opens a payment of the order; its `actions` are what the buyer does next. An older open payment of the order is canceled first.
   *
   * ```ts
   * const payment = await lunas.orders.createPayment(order.id, { method: "snap" });
   * const snap = payment.actions.find((action) => action.type === "snap_token");
   * ```
   *
   * @throws LunasError `gateway_refused` (nothing was collected), `gateway_unclear` (the hub is asking; read the payment again).
   */
  createPayment(id: string, payment: PaymentCreate, options?: MoneyCallOptions): Promise<Payment> {
    return this.#caller.money(`/v1/orders/${idIn(id)}/payments`, payment, options);
  }
}
