import type { PageRequest } from "../pages.ts";
import type { Refund } from "../types/objects.ts";
import type { CallOptions, RefundClose, RefundList } from "../types/params.ts";
import { idIn, type Caller } from "./caller.ts";

/** Money going back. It is started with `payments.refund`. */
export class Refunds {
  readonly #caller: Caller;

  constructor(caller: Caller) {
    this.#caller = caller;
  }

  get(id: string, options?: CallOptions): Promise<Refund> {
    return this.#caller.get(`/v1/refunds/${idIn(id)}`, options);
  }

  list(params: RefundList = {}, options?: CallOptions): PageRequest<Refund> {
    return this.#caller.list("/v1/refunds", params, options);
  }

  /** Closes a `manual` refund by a person's word: what became of it, and what proves it. */
  close(id: string, closing: RefundClose, options?: CallOptions): Promise<Refund> {
    return this.#caller.once(`/v1/refunds/${idIn(id)}/close`, closing, options);
  }
}
