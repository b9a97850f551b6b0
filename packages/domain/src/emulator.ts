import type { Clock } from "./clock.ts";
import type { HttpResult } from "./http.ts";
import type { Random } from "./random.ts";

/**
 * The contract between a provider's emulator and the sandbox that hosts it. An emulator is pure logic over what it is given:
 * it opens no socket, no file and no timer. The sandbox brings HTTP, the durable store, the clocks, the sending and the faults.
 */

export interface EmulatorRequest {
  /** Upper case. */
  readonly method: string;
  /** Below the provider's prefix, beginning with `/`, still percent-encoded. */
  readonly path: string;
  /** Without the `?`. */
  readonly query: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** Settles when a slow network has let the request through; the emulator's work begins after it. */
  readonly arrived?: Promise<void>;
  /** Asked only where an older state could be told: whether to tell it, `age_ms` of business time after it changed. */
  readonly lags?: (age_ms: number) => boolean;
}

export interface EmulatorResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
  /** For the sandbox's log: whom it was about. */
  readonly about?: EmulatorSubject;
}

export interface EmulatorSubject {
  readonly order_id?: string;
  readonly transaction_id?: string;
  /** The provider's own word for the state. */
  readonly status?: string;
}

/** A notification as it goes out, its bytes fixed. */
export interface EmulatorNotification {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly about: EmulatorSubject;
}

/** Ways of forging that only the provider's own code can do, since it knows what is signed. */
export type ForgeryKind = "forge-signature" | "forge-status" | "wrong-amount" | "foreign-merchant";

/** How a provider sends: what it follows, how long it waits, when it tries again. */
export interface NotificationPolicy {
  readonly timeout_ms: number;
  /** Redirects that are followed with the same method and body; any other is an answer. */
  readonly followed_redirects: readonly number[];
  readonly max_hops: number;
  /** Business milliseconds until the next try after try number `attempt` (the first is 1) came to `result`; undefined when it was the last. */
  next(attempt: number, result: HttpResult, random: Random): number | undefined;
  forge(notification: EmulatorNotification, kind: ForgeryKind): EmulatorNotification;
}

/**
 * Durable memory of one emulator: documents of a kind, found by id, by look-up key or by due time. Synchronous, so that one
 * request is one transaction. Documents are what JSON can carry.
 */
export interface EmulatorStore {
  /** All or nothing. A call inside another joins it. */
  transaction<T>(work: () => T): T;
  /** Keys are fixed at insertion; several documents may share one. */
  insert(kind: string, id: string, document: unknown, options?: { readonly keys?: readonly string[]; readonly due_at?: number }): void;
  /** Replaces the document; without `due_at` nothing is due any more. */
  update(kind: string, id: string, document: unknown, options?: { readonly due_at?: number }): void;
  remove(kind: string, id: string): void;
  get<T>(kind: string, id: string): T | undefined;
  /** Newest first. */
  withKey<T>(kind: string, key: string): T[];
  /** Newest first. */
  recent<T>(kind: string, limit: number): T[];
  /** Oldest first. */
  all<T>(kind: string): T[];
  /** What is due at this business time, earliest first. */
  due<T>(kind: string, now_ms: number): T[];
  /** When the next document of any kind is due. */
  nextDue(): number | undefined;
}

/** What an emulator is given. */
export interface EmulatorWorld {
  readonly store: EmulatorStore;
  readonly business: Clock;
  readonly wall: Clock;
  readonly random: Random;
  /** Address of this provider at the sandbox, without a slash at its end: `http://127.0.0.1:8090/midtrans`. */
  baseUrl(): string;
  /** Where the merchant's dashboard says that notifications go, if it says so. */
  notifyUrl(): string | undefined;
  /** Puts a notification into the durable outbox, in the transaction that is open. */
  send(notification: EmulatorNotification): void;
  /** Any credential is good, but the empty ones and those that the provider's page lists as bad. */
  readonly accept_any_key: boolean;
}

/** What one transaction came to: the auditor's view. Amounts in major units. */
export interface LedgerEntry {
  readonly provider: string;
  readonly order_id: string;
  readonly transaction_id: string;
  readonly status: string;
  readonly payment_type: string;
  readonly gross_amount: number;
  /** All that payers paid, whatever became of it since. */
  readonly collected: number;
  readonly refunded: number;
  /** Taken back: a chargeback, or a settlement that the bank undid. */
  readonly reversed: number;
  readonly refunds: readonly {
    readonly key: string;
    readonly amount: number;
    readonly confirmed: boolean;
    readonly origin: "api" | "dashboard";
    readonly created_at: string;
  }[];
  /** RFC 3339, business time. */
  readonly created_at: string;
  readonly updated_at: string;
}

export interface Emulator {
  readonly provider: string;
  readonly policy: NotificationPolicy;
  handle(request: EmulatorRequest): Promise<EmulatorResponse>;
  /** A merchant's call, to which faults apply, rather than a page, a script or a picture for the payer. */
  isApi(request: Pick<EmulatorRequest, "method" | "path">): boolean;
  /** Does what is due by the business clock: expiries, bank confirmations. */
  tick(): void;
  /** When `tick` has something to do next, in business time. */
  nextDue(): number | undefined;
  /** What a person or a test does at the provider: `pay`, `deny`, `refund-confirm` … */
  control(subject: string, action: string, input: Readonly<Record<string, unknown>>): EmulatorResponse;
  ledger(): readonly LedgerEntry[];
  /** Choices where the provider's documentation is silent, and their current values. */
  switches(): Readonly<Record<string, unknown>>;
  /** Sets some of them. Gives back what is wrong, or nothing. */
  setSwitches(values: Readonly<Record<string, unknown>>): readonly string[];
}

/** What a provider's `emulator` entry exports. */
export type MakeEmulator = (world: EmulatorWorld, switches?: Readonly<Record<string, unknown>>) => Emulator;
