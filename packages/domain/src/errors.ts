/**
 * Every error that a caller of the API can meet. `docs/errors.md` is made from this table and a test keeps them equal.
 * `retry`: whether the same request may succeed later without being changed.
 */
export const ERRORS = {
  invalid_request: {
    status: 400,
    retry: false,
    title: "The request is not valid",
    help: "Each entry of `errors` names a field, what is wrong with it and what is allowed.",
  },
  malformed_json: {
    status: 400,
    retry: false,
    title: "The body is not readable JSON",
    help: "Send one JSON object, UTF-8, without duplicate keys, at most 1 MiB and 64 levels deep.",
  },
  idempotency_key_required: {
    status: 400,
    retry: false,
    title: "Idempotency-Key is missing",
    help: "Requests that move money carry an `Idempotency-Key` header of 1 to 255 visible characters. Use a new one for each intent and the same one for each repetition.",
  },
  unauthorized: {
    status: 401,
    retry: false,
    title: "The API key is missing or not valid",
    help: "Send `Authorization: Bearer sk_…` with a key of this hub.",
  },
  forbidden: { status: 403, retry: false, title: "The key may not do this", help: "Use a key that has this right." },
  not_found: { status: 404, retry: false, title: "Not found", help: "There is no such thing in this shop. Ids of other shops are not found either." },
  method_not_allowed: { status: 405, retry: false, title: "The method is not allowed here", help: "See the reference page at `/docs`." },
  reference_taken: {
    status: 409,
    retry: false,
    title: "An order with this reference exists",
    help: "`existing_id` is the order's id. A reference is unique in its shop.",
  },
  idempotency_running: {
    status: 409,
    retry: true,
    title: "A request with this Idempotency-Key is still running",
    help: "Repeat it after `Retry-After` seconds; it continues the same intent.",
  },
  conflict: { status: 409, retry: true, title: "It changed while you were at it", help: "Read it again and repeat." },
  wrong_state: { status: 409, retry: false, title: "Its state does not allow this", help: "`detail` names the state and what is allowed in it." },
  payload_too_large: { status: 413, retry: false, title: "The body is too large", help: "Callbacks may have 256 KiB, API requests 1 MiB." },
  unsupported_media_type: { status: 415, retry: false, title: "The content type is not supported", help: "Send `Content-Type: application/json`." },
  idempotency_mismatch: {
    status: 422,
    retry: false,
    title: "This Idempotency-Key was used with another body",
    help: "Use a new key for a new intent.",
  },
  amount_not_supported: {
    status: 422,
    retry: false,
    title: "The amount cannot be collected like this",
    help: "`detail` says which rule of the gateway or of the order it breaks.",
  },
  method_not_available: {
    status: 422,
    retry: false,
    title: "This payment method is not available",
    help: "`allowed` lists the methods of the shop's accounts.",
  },
  refund_too_large: {
    status: 422,
    retry: false,
    title: "The refund is larger than what is left",
    help: "`available` is what may still be refunded, in major units.",
  },
  gateway_refused: { status: 422, retry: false, title: "The gateway refused", help: "`detail` carries the gateway's reason; nothing was collected." },
  rate_limited: { status: 429, retry: true, title: "Too many requests", help: "Wait `Retry-After` seconds." },
  internal: {
    status: 500,
    retry: true,
    title: "A mistake of ours",
    help: "It was logged with the `request_id`. Repeat with the same Idempotency-Key: the intent continues, it is not done twice.",
  },
  gateway_unclear: {
    status: 502,
    retry: true,
    title: "The gateway gave no clear answer",
    help: "The intent is kept and is being asked about. Read the payment again or repeat with the same Idempotency-Key.",
  },
  unavailable: {
    status: 503,
    retry: true,
    title: "Not available just now",
    help: "The database does not answer, or the hub is starting or stopping. Repeat.",
  },
  on_hold: {
    status: 503,
    retry: true,
    title: "The hub is on hold",
    help: "Its database was restored from a copy. The operator runs `lunas reconcile --after-restore`; until then nothing that moves money is sent.",
  },
} as const satisfies Record<string, { status: number; retry: boolean; title: string; help: string }>;

export type ErrorCode = keyof typeof ERRORS;

export interface FieldProblem {
  /** Path in the body, such as `items[0].price`. */
  readonly field: string;
  readonly message: string;
}

/** A refusal that a caller caused or can act on. `message` is for the operator's log; `detail` is for the caller. */
export class LunasError extends Error {
  override name = "LunasError";
  readonly code: ErrorCode;
  readonly detail: string | undefined;
  readonly errors: readonly FieldProblem[] | undefined;
  readonly extra: Readonly<Record<string, unknown>>;
  readonly retry_after_s: number | undefined;

  constructor(
    code: ErrorCode,
    options: {
      detail?: string;
      errors?: readonly FieldProblem[];
      extra?: Record<string, unknown>;
      retry_after_s?: number;
      operator?: string;
      cause?: unknown;
    } = {},
  ) {
    super(options.operator ?? options.detail ?? ERRORS[code].title, { cause: options.cause });
    this.code = code;
    this.detail = options.detail;
    this.errors = options.errors;
    this.extra = options.extra ?? {};
    this.retry_after_s = options.retry_after_s;
  }
}
