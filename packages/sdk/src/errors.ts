/** Codes of the hub's problem details that this version knows, each explained at the hub's `/docs/errors`. */
export const PROBLEM_CODES = [
  "invalid_request",
  "malformed_json",
  "idempotency_key_required",
  "unauthorized",
  "forbidden",
  "not_found",
  "method_not_allowed",
  "reference_taken",
  "idempotency_running",
  "conflict",
  "wrong_state",
  "payload_too_large",
  "unsupported_media_type",
  "idempotency_mismatch",
  "amount_not_supported",
  "method_not_available",
  "refund_too_large",
  "gateway_refused",
  "rate_limited",
  "internal",
  "gateway_unclear",
  "unavailable",
  "on_hold",
] as const;

export type ProblemCode = (typeof PROBLEM_CODES)[number];

/** Where there is no problem of the hub's: it could not be reached, took too long, was called off, or answered something that is not of the hub. */
export type ClientCode = "unreachable" | "timeout" | "aborted" | "unreadable_answer";

export interface FieldProblem {
  /** Path in the body, such as `items[0].price`. */
  field: string;
  message: string;
}

export interface LunasErrorParts {
  code: ProblemCode | ClientCode | (string & {});
  message: string;
  /** HTTP status; absent where no answer came. */
  status?: number;
  title?: string;
  detail?: string;
  errors?: readonly FieldProblem[];
  requestId?: string;
  retryAfterS?: number;
  /** The whole problem as the hub sent it, with the members that only some codes have, such as `existing_id` or `available`. */
  problem?: Readonly<Record<string, unknown>>;
  cause?: unknown;
}

/**
 * Why a call did not do what was asked.
 *
 * ```ts
 * try {
 *   await lunas.orders.createPayment(order.id, { method: "gopay" });
 * } catch (error) {
 *   if (error instanceof LunasError && error.code === "gateway_refused") show(error.detail);
 *   else throw error;
 * }
 * ```
 *
 * `unreachable`, `timeout`, `gateway_unclear` and any 5xx say nothing of what became of the intent: repeat with the same Idempotency-Key.
 */
export class LunasError extends Error {
  override readonly name = "LunasError";
  readonly code: LunasErrorParts["code"];
  readonly status: number | undefined;
  readonly title: string | undefined;
  readonly detail: string | undefined;
  readonly errors: readonly FieldProblem[];
  readonly requestId: string | undefined;
  readonly retryAfterS: number | undefined;
  readonly problem: Readonly<Record<string, unknown>>;

  constructor(parts: LunasErrorParts) {
    super(parts.message, { cause: parts.cause });
    this.code = parts.code;
    this.status = parts.status;
    this.title = parts.title;
    this.detail = parts.detail;
    this.errors = parts.errors ?? [];
    this.requestId = parts.requestId;
    this.retryAfterS = parts.retryAfterS;
    this.problem = parts.problem ?? {};
  }
}

const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);

function fieldProblems(value: unknown): FieldProblem[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((entry: unknown) => {
    const { field, message } = (entry ?? {}) as { field?: unknown; message?: unknown };
    return typeof field === "string" && typeof message === "string" ? [{ field, message }] : [];
  });
}

/** Reads RFC 9457 problem details; anything else (a proxy's page, an empty body) becomes `unreadable_answer` with its status kept. */
export function problemError(status: number, body: string, retryAfterS: number | undefined, call: string): LunasError {
  let problem: Record<string, unknown> = {};
  try {
    const parsed: unknown = JSON.parse(body);
    if (typeof parsed === "object" && parsed !== null) problem = parsed as Record<string, unknown>;
  } catch {
    // Not JSON: what is known is the status.
  }
  const code = text(problem["code"]);
  const title = text(problem["title"]);
  const detail = text(problem["detail"]);
  const errors = fieldProblems(problem["errors"]);
  const said = [title, detail, ...errors.map((entry) => `${entry.field} ${entry.message}`)].filter((part) => part !== undefined).join("; ");
  return new LunasError({
    code: code ?? "unreadable_answer",
    message: `${call}: ${status} ${code ? `${code}: ${said}` : "with an answer that is not of a Lunas hub"}`,
    status,
    title,
    detail,
    errors,
    requestId: text(problem["request_id"]),
    retryAfterS,
    problem,
  });
}
