import type { PageRequest } from "../pages.ts";
import type { Account } from "../types/objects.ts";
import type { AccountCreate, AccountUpdate, CallOptions, PageParams } from "../types/params.ts";
import { idIn, type Caller } from "./caller.ts";

/** The shop's credentials at providers. Secret fields are masked in every answer. */
export class Accounts {
  readonly #caller: Caller;

  constructor(caller: Caller) {
    this.#caller = caller;
  }

  /** Set the answer's `callback_url` at the provider. */
  create(account: AccountCreate, options?: CallOptions): Promise<Account> {
    return this.#caller.once("/v1/accounts", account, options);
  }

  get(id: string, options?: CallOptions): Promise<Account> {
    return this.#caller.get(`/v1/accounts/${idIn(id)}`, options);
  }

  list(params: PageParams = {}, options?: CallOptions): PageRequest<Account> {
    return this.#caller.list("/v1/accounts", params, options);
  }

  /** New credentials are used at once; callbacks under the old ones are believed until `previous_credentials_until`. */
  update(id: string, changes: AccountUpdate, options?: CallOptions): Promise<Account> {
    return this.#caller.patch(`/v1/accounts/${idIn(id)}`, changes, options);
  }

  /** No new payments, no callbacks; its payments stay. `update` with `status: "active"` enables it again. */
  disable(id: string, options?: CallOptions): Promise<void> {
    return this.#caller.remove(`/v1/accounts/${idIn(id)}`, options);
  }
}
