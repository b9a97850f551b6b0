import type { PageRequest } from "../pages.ts";
import type { Delivery, Endpoint, EndpointWithSecret, Replayed } from "../types/objects.ts";
import type { CallOptions, EndpointCreate, EndpointUpdate, PageParams, ReplayParams } from "../types/params.ts";
import { idIn, type Caller } from "./caller.ts";

/** URLs of the shop that are told what happens. */
export class Endpoints {
  readonly #caller: Caller;

  constructor(caller: Caller) {
    this.#caller = caller;
  }

  /** The answer's `secret` is shown only here: keep it for `verifyWebhook`. */
  create(endpoint: EndpointCreate, options?: CallOptions): Promise<EndpointWithSecret> {
    return this.#caller.once("/v1/endpoints", endpoint, options);
  }

  get(id: string, options?: CallOptions): Promise<Endpoint> {
    return this.#caller.get(`/v1/endpoints/${idIn(id)}`, options);
  }

  list(params: PageParams = {}, options?: CallOptions): PageRequest<Endpoint> {
    return this.#caller.list("/v1/endpoints", params, options);
  }

  update(id: string, changes: EndpointUpdate, options?: CallOptions): Promise<Endpoint> {
    return this.#caller.patch(`/v1/endpoints/${idIn(id)}`, changes, options);
  }

  delete(id: string, options?: CallOptions): Promise<void> {
    return this.#caller.remove(`/v1/endpoints/${idIn(id)}`, options);
  }

  /** A new secret. For a while the hub signs with both: give `verifyWebhook` both until then. */
  rotate(id: string, options?: CallOptions): Promise<EndpointWithSecret> {
    return this.#caller.once(`/v1/endpoints/${idIn(id)}/rotate`, {}, options);
  }

  /** Nothing is sent until `resume`; events are kept. */
  pause(id: string, options?: CallOptions): Promise<Endpoint> {
    return this.#caller.command(`/v1/endpoints/${idIn(id)}/pause`, options);
  }

  /** Sends again, and all that was kept. */
  resume(id: string, options?: CallOptions): Promise<Endpoint> {
    return this.#caller.command(`/v1/endpoints/${idIn(id)}/resume`, options);
  }

  /** Sends past events again, each under its old id. */
  replay(id: string, params: ReplayParams = {}, options?: CallOptions): Promise<Replayed> {
    return this.#caller.once(`/v1/endpoints/${idIn(id)}/replay`, params, options);
  }

  /** Sends an `endpoint.test` event; the answer's id tells what became of it. */
  test(id: string, options?: CallOptions): Promise<Delivery> {
    return this.#caller.once(`/v1/endpoints/${idIn(id)}/test`, {}, options);
  }
}
