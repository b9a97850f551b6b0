import { clockOffset } from "./countdown.ts";
import type { PaymentStatus, State } from "./contract.ts";

export interface Refusal {
  /** A code of the hub's errors, or `unreachable` where no answer came. */
  readonly code: string;
  readonly method: string;
  readonly request_id: string | undefined;
}

/** All that the page knows. Whatever matters comes from the hub; the rest is only what this tab is at. */
export interface Model {
  readonly state: State | undefined;
  readonly missing: boolean;
  /** The last question got an answer. */
  readonly reached: boolean;
  /** To add to the device's clock, ms. */
  readonly offset_ms: number;
  /** The buyer is choosing although there is a payment: the id of the one that is there. */
  readonly choosing: { readonly over: string | undefined } | undefined;
  /** The method being opened. */
  readonly opening: string | undefined;
  readonly refusal: Refusal | undefined;
  readonly check: "idle" | "running" | "not_yet" | "failed";
}

export type Happening =
  | { readonly type: "received"; readonly state: State; readonly now_ms: number }
  | { readonly type: "missing" }
  | { readonly type: "unreachable" }
  | { readonly type: "choose_again" }
  | { readonly type: "keep_payment" }
  | { readonly type: "opening"; readonly method: string }
  | { readonly type: "opened"; readonly state: State; readonly now_ms: number }
  | { readonly type: "refused"; readonly code: string; readonly request_id: string | undefined }
  | { readonly type: "checking" }
  | { readonly type: "checked"; readonly answered: boolean };

export const START: Model = {
  state: undefined,
  missing: false,
  reached: true,
  offset_ms: 0,
  choosing: undefined,
  opening: undefined,
  refusal: undefined,
  check: "idle",
};

/** Answers travel on two ways and may overtake each other. One that is older by more is a clock that was set back. */
const OVERTAKEN_MS = 30_000;

function isOvertaken(known: State | undefined, state: State): boolean {
  if (!known) return false;
  const age = Date.parse(known.server_time) - Date.parse(state.server_time);
  return age > 0 && age < OVERTAKEN_MS;
}

/** The buyer can do something about it now. */
const PAYABLE: readonly PaymentStatus[] = ["pending", "authorized"];

function receive(model: Model, state: State, now_ms: number): Model {
  if (isOvertaken(model.state, state)) return { ...model, reached: true };
  const { payment } = state;
  // Another payment than the one left behind can be paid: opened by this tab (its answer was lost) or by another.
  const settled = model.choosing !== undefined && payment !== null && payment.id !== model.choosing.over && PAYABLE.includes(payment.status);
  const moved = payment?.id !== model.state?.payment?.id || payment?.status !== model.state?.payment?.status;
  return {
    ...model,
    state,
    missing: false,
    reached: true,
    offset_ms: clockOffset(state.server_time, now_ms),
    choosing: settled ? undefined : model.choosing,
    refusal: settled ? undefined : model.refusal,
    check: moved && model.check !== "running" ? "idle" : model.check,
  };
}

export function reduce(model: Model, what: Happening): Model {
  switch (what.type) {
    case "received":
      return receive(model, what.state, what.now_ms);
    case "missing":
      return { ...model, missing: true, reached: true, opening: undefined };
    case "unreachable":
      return { ...model, reached: false };
    case "choose_again":
      return { ...model, choosing: { over: model.state?.payment?.id }, refusal: undefined, check: "idle" };
    case "keep_payment":
      return { ...model, choosing: undefined, refusal: undefined };
    case "opening":
      return { ...model, opening: what.method, refusal: undefined, choosing: { over: model.state?.payment?.id } };
    case "opened":
      return { ...receive(model, what.state, what.now_ms), choosing: undefined, opening: undefined, refusal: undefined, check: "idle" };
    case "refused":
      if (model.opening === undefined) return model;
      return { ...model, opening: undefined, refusal: { code: what.code, method: model.opening, request_id: what.request_id } };
    case "checking":
      return { ...model, check: "running" };
    case "checked":
      return { ...model, check: what.answered ? "not_yet" : "failed" };
    default:
      return what satisfies never;
  }
}
