import type { PageRequest } from "../pages.ts";
import type { Payment, Refund, TimelineEntry } from "../types/objects.ts";
import type { CallOptions, MoneyCallOptions, PaymentList, RefundCreate } from "../types/params.ts";
import { idIn, type Caller } from "./caller.ts";

/** Attempts to collect an order. */
export class Payments {
  readonly #caller: Caller;

  constructor(caller: Caller) {
    this.#caller = caller;
  }

  get(id: string, options?: CallOptions): Promise<Payment> {
    return this.#caller.get(`/v1/payments/${idIn(id)}`, options);
  }

  list(params: PaymentList = {}, options?: CallOptions): PageRequest<Payment> {
    return this.#caller.list("/v1/payments", params, options);
  }

  /** Lets the hub ask the gateway now, within the account's budget of calls. */
  refresh(id: string, options?: CallOptions): Promise<Payment> {
    return this.#caller.command(`/v1/payments/${idIn(id)}/refresh`, options);
  }

  cancel(id: string, options?: CallOptions): Promise<Payment> {
    return this.#caller.command(`/v1/payments/${idIn(id)}/cancel`, options);
  }

  expire(id: string, options?: CallOptions): Promise<Payment> {
    return this.#caller.command(`/v1/payments/${idIn(id)}/expire`, options);
  }

  /**
   * Sends money back. `submitted` is the gateway's yes, `succeeded` the bank's: wait for the event `refund.succeeded`.
   *
   * ```ts
   * await lunas.payments.refund(payment.id, { amount: 10000, reason: "one cup broken" }, { idempotencyKey: `refund-${return_id}` });
   * ```
   *
   * @throws LunasError `refund_too_large` with `problem.available`, `wrong_state` where nothing was collected.
   */
  refund(id: string, refund: RefundCreate = {}, options?: MoneyCallOptions): Promise<Refund> {
    return this.#caller.money(`/v1/payments/${idIn(id)}/refunds`, refund, options);
  }

  /** Everything that was heard, asked, answered, changed and told about the payment, in order. */
  async timeline(id: string, options?: CallOptions): Promise<TimelineEntry[]> {
    const answer = await this.#caller.get<{ data: TimelineEntry[] }>(`/v1/payments/${idIn(id)}/timeline`, options);
    return answer.data;
  }
}
