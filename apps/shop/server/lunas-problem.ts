import { LunasError } from "@lunas/sdk";
import type { ProblemView } from "./views.ts";

/** A refusal with its HTTP status, to be shown to the buyer or the shopkeeper. */
export interface Refusal extends ProblemView {
  status: number;
}

/** Our own settings are wrong: the buyer cannot do anything about it, the operator reads the log. */
const OUR_FAULT: ReadonlySet<string> = new Set(["unauthorized", "forbidden", "invalid_request", "malformed_json", "idempotency_mismatch"]);

/** What a failed call of the hub means to a person. Anything that is not of the hub is thrown on. */
export function explain(error: unknown): Refusal {
  if (!(error instanceof LunasError)) throw error;
  const detail = error.detail ?? error.title ?? "";
  switch (error.code) {
    case "unreachable":
    case "timeout":
    case "unavailable":
    case "on_hold":
    case "rate_limited":
      return {
        status: 503,
        code: "payment_unavailable",
        message: "The payment service does not answer just now. Your order is kept: try again in a moment.",
      };
    case "gateway_unclear":
    case "idempotency_running":
      return {
        status: 502,
        code: error.code,
        message: "The payment provider has not answered clearly yet. Your order is kept: its page shows what becomes of it.",
      };
    case "gateway_refused":
      return { status: 422, code: error.code, message: `The payment provider refused. Nothing was charged. ${detail}`.trim() };
    case "amount_not_supported":
    case "method_not_available":
    case "refund_too_large":
    case "wrong_state":
    case "conflict":
      return { status: 422, code: error.code, message: detail };
    default:
      return OUR_FAULT.has(error.code)
        ? { status: 500, code: "shop_misconfigured", message: "This shop is not set up rightly for payments. The shopkeeper has been told." }
        : { status: 502, code: error.code, message: "Something went wrong at the payment service. Your order is kept: try again in a moment." };
  }
}
