import { Accounts } from "./resources/accounts.ts";
import { Caller } from "./resources/caller.ts";
import { Endpoints } from "./resources/endpoints.ts";
import { Deliveries, Events, Methods } from "./resources/events.ts";
import { Notifications } from "./resources/notifications.ts";
import { Orders } from "./resources/orders.ts";
import { Payments } from "./resources/payments.ts";
import { Refunds } from "./resources/refunds.ts";
import { sleep, type FetchLike, type TransportConfig } from "./transport.ts";

export interface LunasOptions {
  /** `sk_…`. It can move money: keep it on the server, never in a page. */
  apiKey: string;
  /** Where the hub is, such as `https://pay.shop.example`. */
  baseUrl: string;
  /** Instead of the global `fetch`. */
  fetch?: FetchLike;
  /** Of one try, in milliseconds; the default is 30 000: a gateway may take its time. */
  timeoutMs?: number;
  /** Tries after the first, where repeating is safe and may help; the default is 3. */
  maxRetries?: number;
  /** How it waits between tries and where its randomness comes from: for tests. */
  runtime?: Partial<Pick<TransportConfig, "sleep" | "random">>;
}

/**
 * A client of one Lunas hub.
 *
 * ```ts
 * import { Lunas } from "@lunas/sdk";
 *
 * const lunas = new Lunas({ apiKey: process.env.LUNAS_API_KEY!, baseUrl: "http://localhost:8080" });
 * const order = await lunas.orders.create({ reference: "INV-1001", amount: 44000 });
 * redirect(order.checkout_url);
 * ```
 *
 * Calls that move money carry an `Idempotency-Key`, one per call, kept through its repetitions. What fails on the way or is answered
 * with 429, 502, 503, 504 or `idempotency_running` is repeated with growing waits and the hub's `Retry-After`, as long as repeating is safe.
 * Every failure is a `LunasError`.
 */
export class Lunas {
  readonly orders: Orders;
  readonly payments: Payments;
  readonly refunds: Refunds;
  readonly endpoints: Endpoints;
  readonly events: Events;
  readonly deliveries: Deliveries;
  readonly methods: Methods;
  readonly accounts: Accounts;
  readonly notifications: Notifications;

  /** @throws TypeError where the key or the address cannot be right. */
  constructor(options: LunasOptions) {
    if (!options.apiKey) throw new TypeError("Lunas needs an apiKey (sk_…).");
    if (!URL.canParse(options.baseUrl) || !/^https?:/.test(options.baseUrl)) {
      throw new TypeError("Lunas needs the hub's baseUrl, such as http://localhost:8080.");
    }
    const caller = new Caller({
      apiKey: options.apiKey,
      baseUrl: options.baseUrl,
      // Looked up at each call: some runtimes and test tools replace the global one later, and some refuse it as a method.
      fetch: options.fetch ?? ((url, init) => fetch(url, init)),
      timeoutMs: options.timeoutMs ?? 30_000,
      maxRetries: options.maxRetries ?? 3,
      sleep: options.runtime?.sleep ?? sleep,
      random: options.runtime?.random ?? Math.random,
    });
    this.orders = new Orders(caller);
    this.payments = new Payments(caller);
    this.refunds = new Refunds(caller);
    this.endpoints = new Endpoints(caller);
    this.events = new Events(caller);
    this.deliveries = new Deliveries(caller);
    this.methods = new Methods(caller);
    this.accounts = new Accounts(caller);
    this.notifications = new Notifications(caller);
  }
}
