import type { Clocks, Http, NewId, Provider, Random } from "@lunas/domain";
import type { Logger } from "pino";
import type { Store } from "./store/index.ts";
import type { Vault } from "./vault.ts";

/** What the rooms are given. Made by `main.ts`, which is the only one that knows where each part comes from. */
export interface Hub {
  readonly store: Store;
  readonly clocks: Clocks;
  readonly random: Random;
  readonly newId: NewId;
  readonly vault: Vault;
  readonly providers: ReadonlyMap<string, Provider>;
  /** To gateways: guarded, with the addresses that the operator has allowed. */
  readonly http: Http;
  readonly log: Logger;
  readonly signals: Signals;
  readonly metrics: Metrics;
  readonly publicUrl: string;
  readonly mode: "development" | "production";
  /** While set, nothing that moves money is sent. */
  readonly hold: { reason: string | undefined };
}

/** With what the operator's side needs beside it. */
export interface OperatedHub extends Hub {
  /** What is wrong with a URL that somebody wants events to be sent to, to be read after its field's name, or undefined. */
  readonly checkEndpointUrl: (url: string) => string | undefined;
}

/** Counters and durations; `/metrics` shows them. Names and labels are listed in `metrics.ts`. */
export interface Metrics {
  count(name: string, labels?: Record<string, string>, by?: number): void;
  /** @param seconds a duration. */
  observe(name: string, seconds: number, labels?: Record<string, string>): void;
}

/** In-process wake-ups. They only make things quicker: what is due stands in the database. */
export interface Signals {
  emit(signal: Signal): void;
  on(signal: Signal["kind"], listener: (signal: Signal) => void): () => void;
}

export type Signal =
  | { readonly kind: "jobs" }
  | { readonly kind: "inbox" }
  | { readonly kind: "deliveries" }
  /** An endpoint was stopped, or has another URL or secret: nothing more is sent as it was. */
  | { readonly kind: "endpoint"; readonly endpoint_id: string }
  /** Something about an order was committed: live pages read it again. */
  | { readonly kind: "order"; readonly order_id: string }
  | { readonly kind: "account"; readonly account_id: string };
