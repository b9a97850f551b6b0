/** The network, passed in. A call never throws: what went wrong is a value. */
export interface HttpRequest {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  readonly timeout_ms: number;
  /** Bytes of the answer that are read; more is `too_large`. */
  readonly max_bytes?: number;
  /** Where more comes, what was read is the answer instead of `too_large`. */
  readonly truncate?: boolean;
}

/** Whose fault it was: `blocked` is our own guard against forbidden addresses. */
export type HttpFault = "dns" | "connect" | "tls" | "timeout" | "reset" | "too_large" | "blocked" | "internal";

export type HttpResult =
  | {
      readonly ok: true;
      readonly status: number;
      readonly headers: Readonly<Record<string, string>>;
      readonly body: Uint8Array;
      readonly elapsed_ms: number;
    }
  | { readonly ok: false; readonly fault: HttpFault; readonly message: string; readonly elapsed_ms: number };

export type Http = (request: HttpRequest) => Promise<HttpResult>;
