import { remaining } from "./countdown.ts";
import type { State } from "./contract.ts";
import type { Model } from "./model.ts";

/** What the page shows. The last ones are ends: nothing is left to pay there. */
export type View =
  | "loading"
  | "missing"
  | "choose"
  | "preparing"
  | "pay"
  | "authorized"
  | "failed"
  | "expired"
  | "canceled"
  | "underpaid"
  | "paid"
  | "partially_refunded"
  | "refunded"
  | "reversed";

/** The order takes another payment: it has methods left and its time is not over. */
export function isPayable(state: State, server_now_ms: number): boolean {
  return state.methods.length > 0 && remaining(state.order.expires_at, server_now_ms) !== 0;
}

/** Money that came decides before everything else, whatever the buyer is doing on the page. */
function collected({ order, payment }: State): View | undefined {
  switch (order.payment_status) {
    case "paid":
    case "underpaid":
    case "partially_refunded":
    case "refunded":
    case "reversed":
      return order.payment_status;
    default:
      break;
  }
  switch (payment?.status) {
    case "paid":
      return payment.flags.includes("underpaid") ? "underpaid" : "paid";
    case "partially_refunded":
    case "refunded":
    case "reversed":
      return payment.status;
    default:
      return undefined;
  }
}

function closedOrder(state: State): View {
  return state.order.payment_status === "canceled" ? "canceled" : "expired";
}

/** Derives what to show from what is known, at a moment by the server's clock. */
export function viewOf(model: Model, server_now_ms: number): View {
  const { state } = model;
  if (model.missing) return "missing";
  if (!state) return "loading";
  const money = collected(state);
  if (money) return money;
  const payable = isPayable(state, server_now_ms);
  if (model.opening !== undefined || (model.choosing && payable)) return "choose";
  switch (state.payment?.status) {
    case "created":
    case "submitted":
      return "preparing";
    case "pending":
      return "pay";
    case "authorized":
      return "authorized";
    case "failed":
    case "expired":
    case "canceled":
      return state.payment.status;
    default:
      return payable ? "choose" : closedOrder(state);
  }
}
