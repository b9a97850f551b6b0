import { describe, expect, test } from "vitest";
import { ERRORS, LunasError, type ErrorCode } from "./errors.ts";
import { EVENT_TYPES, isEventType } from "./events.ts";
import { InvariantError, invariant, unreachable } from "./invariant.ts";

/** Code and status, typed in by hand: both are promises to callers. */
const PROMISED: Record<ErrorCode, number> = {
  invalid_request: 400,
  malformed_json: 400,
  idempotency_key_required: 400,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  method_not_allowed: 405,
  reference_taken: 409,
  idempotency_running: 409,
  conflict: 409,
  wrong_state: 409,
  payload_too_large: 413,
  unsupported_media_type: 415,
  idempotency_mismatch: 422,
  amount_not_supported: 422,
  method_not_available: 422,
  refund_too_large: 422,
  gateway_refused: 422,
  rate_limited: 429,
  internal: 500,
  gateway_unclear: 502,
  unavailable: 503,
  on_hold: 503,
};

describe("the error catalogue", () => {
  test("has the promised codes with the promised statuses, and no other", () => {
    expect(Object.fromEntries(Object.entries(ERRORS).map(([code, { status }]) => [code, status]))).toEqual(PROMISED);
  });

  test("says that the same request may succeed later for every fault of ours, of the gateway or of the moment", () => {
    const later = Object.entries(ERRORS)
      .filter(([, entry]) => entry.retry)
      .map(([code]) => code);
    expect(later.toSorted()).toEqual(["conflict", "gateway_unclear", "idempotency_running", "internal", "on_hold", "rate_limited", "unavailable"]);
    expect(Object.values(ERRORS).filter((entry) => entry.status >= 500 && !entry.retry)).toEqual([]);
  });

  test("explains each one in sentences", () => {
    for (const { title, help } of Object.values(ERRORS)) {
      expect(title).toMatch(/^[A-Z][^.]+$/);
      expect(help).toMatch(/^[A-Z`].*\.$/s);
    }
  });

  test("keeps what the caller reads apart from what the operator reads", () => {
    const error = new LunasError("gateway_refused", {
      detail: "the amount is too small",
      operator: "midtrans 400 gross_amount",
      extra: { allowed: [] },
      cause: "body",
    });
    expect(error).toMatchObject({
      code: "gateway_refused",
      detail: "the amount is too small",
      message: "midtrans 400 gross_amount",
      extra: { allowed: [] },
      cause: "body",
    });
    expect(new LunasError("not_found").message).toBe("Not found");
  });
});

describe("events", () => {
  test("are named subject.what and explained in a sentence", () => {
    for (const [type, help] of Object.entries(EVENT_TYPES)) {
      expect(type).toMatch(/^(payment|order|refund|money|endpoint)\.[a-z_]+$/);
      expect(help).toMatch(/^[A-Z].*\.$/);
    }
  });

  test("are known by their own names only", () => {
    expect(isEventType("payment.paid")).toBe(true);
    expect(["payment.submitted", "toString", ""].filter((word) => isEventType(word))).toEqual([]);
  });
});

test("an invariant that does not hold fails whoever met it, with its message", () => {
  expect(() => invariant(1, "fine")).not.toThrow();
  expect(() => invariant(0, "the sum is negative")).toThrow(new InvariantError("the sum is negative"));
  expect(() => unreachable("x" as never)).toThrow('unreachable value "x"');
});
