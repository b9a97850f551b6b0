import { PageRequest, type Page } from "../pages.ts";
import { send, type Call, type TransportConfig } from "../transport.ts";
import type { CallOptions, MoneyCallOptions, PageParams } from "../types/params.ts";

/** An id as a part of a path. An empty one would ask for the list instead. */
export function idIn(id: string): string {
  if (typeof id !== "string" || id === "") throw new TypeError("An id is missing.");
  return encodeURIComponent(id);
}

/** What the resources share: the ways of calling. */
export class Caller {
  readonly #config: TransportConfig;

  constructor(config: TransportConfig) {
    this.#config = config;
  }

  // The shapes of answers are the hub's promise (its OpenAPI document), not checked again at run time.
  async #send<T>(call: Call): Promise<T> {
    return (await send(this.#config, call)) as T;
  }

  get<T>(path: string, options: CallOptions = {}): Promise<T> {
    return this.#send({ method: "GET", path, repeatable: true, signal: options.signal });
  }

  list<T>(path: string, params: PageParams, options: CallOptions = {}): PageRequest<T> {
    const load = (cursor: string | undefined): Promise<Page<T>> =>
      this.#send({ method: "GET", path, query: { ...params, cursor }, repeatable: true, signal: options.signal });
    return new PageRequest(load, params.cursor);
  }

  /** A POST that moves money: one key for the call and all of its repetitions. */
  money<T>(path: string, body: unknown, options: MoneyCallOptions = {}): Promise<T> {
    const idempotencyKey = options.idempotencyKey ?? crypto.randomUUID();
    return this.#send({ method: "POST", path, body, idempotencyKey, repeatable: true, signal: options.signal });
  }

  /** A POST whose repetition changes nothing more, such as a cancel. */
  command<T>(path: string, options: CallOptions = {}): Promise<T> {
    return this.#send({ method: "POST", path, body: {}, repeatable: true, signal: options.signal });
  }

  /** A POST that does something each time it is made. */
  once<T>(path: string, body: unknown, options: CallOptions = {}): Promise<T> {
    return this.#send({ method: "POST", path, body, repeatable: false, signal: options.signal });
  }

  patch<T>(path: string, body: unknown, options: CallOptions = {}): Promise<T> {
    return this.#send({ method: "PATCH", path, body, repeatable: true, signal: options.signal });
  }

  async remove(path: string, options: CallOptions = {}): Promise<void> {
    await this.#send({ method: "DELETE", path, repeatable: true, signal: options.signal });
  }
}
