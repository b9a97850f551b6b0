import type { PageRequest } from "../pages.ts";
import type { Notification, NotificationDetail } from "../types/objects.ts";
import type { CallOptions, NotificationList } from "../types/params.ts";
import { idIn, type Caller } from "./caller.ts";

/** What gateways sent. None of it changes anything by itself: the hub asks the gateway. */
export class Notifications {
  readonly #caller: Caller;

  constructor(caller: Caller) {
    this.#caller = caller;
  }

  /** As it arrived, with secrets and customers' data masked. */
  get(id: string, options?: CallOptions): Promise<NotificationDetail> {
    return this.#caller.get(`/v1/notifications/${idIn(id)}`, options);
  }

  /** A page of what is rare may be short, even empty, and still have a `next_cursor`: iterating goes on. */
  list(params: NotificationList = {}, options?: CallOptions): PageRequest<Notification> {
    return this.#caller.list("/v1/notifications", params, options);
  }
}
