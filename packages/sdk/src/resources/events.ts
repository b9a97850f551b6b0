import type { PageRequest } from "../pages.ts";
import type { LunasEvent } from "../types/events.ts";
import type { Delivery, PaymentMethod } from "../types/objects.ts";
import type { CallOptions, DeliveryList, EventList, ResendParams } from "../types/params.ts";
import { idIn, type Caller } from "./caller.ts";

/** What happened: the bodies of all webhooks, to be read again at any time. */
export class Events {
  readonly #caller: Caller;

  constructor(caller: Caller) {
    this.#caller = caller;
  }

  get(id: string, options?: CallOptions): Promise<LunasEvent> {
    return this.#caller.get(`/v1/events/${idIn(id)}`, options);
  }

  list(params: EventList = {}, options?: CallOptions): PageRequest<LunasEvent> {
    return this.#caller.list("/v1/events", params, options);
  }

  /** Sends it again, under the same `webhook-id`, to one endpoint or to all that want its type. */
  async resend(id: string, params: ResendParams = {}, options?: CallOptions): Promise<Delivery[]> {
    const answer = await this.#caller.once<{ data: Delivery[] }>(`/v1/events/${idIn(id)}/resend`, params, options);
    return answer.data;
  }
}

/** Events on their way to endpoints, with every attempt. */
export class Deliveries {
  readonly #caller: Caller;

  constructor(caller: Caller) {
    this.#caller = caller;
  }

  get(id: string, options?: CallOptions): Promise<Delivery> {
    return this.#caller.get(`/v1/deliveries/${idIn(id)}`, options);
  }

  list(params: DeliveryList = {}, options?: CallOptions): PageRequest<Delivery> {
    return this.#caller.list("/v1/deliveries", params, options);
  }
}

/** Ways of paying that the shop's accounts offer. */
export class Methods {
  readonly #caller: Caller;

  constructor(caller: Caller) {
    this.#caller = caller;
  }

  async list(options?: CallOptions): Promise<PaymentMethod[]> {
    const answer = await this.#caller.get<{ data: PaymentMethod[] }>("/v1/methods", options);
    return answer.data;
  }
}
