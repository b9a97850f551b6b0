import type { Machine } from "./machine.ts";

export const DELIVERY_STATUSES = ["due", "delivering", "delivered", "exhausted", "paused"] as const;
export type DeliveryStatus = (typeof DELIVERY_STATUSES)[number];

export const DELIVERY_INPUTS = ["claim", "lease_lost", "success", "retry", "give_up", "pause", "rearm"] as const;
export type DeliveryInput = (typeof DELIVERY_INPUTS)[number];

/** One event for one endpoint. `rearm` is a resend, a replay, a resume, or the first success of an endpoint that had been failing. A `success` is one of an attempt that began after the last resend. */
export const deliveryMachine: Machine<DeliveryStatus, DeliveryInput> = {
  name: "delivery",
  initial: "due",
  states: DELIVERY_STATUSES,
  inputs: DELIVERY_INPUTS,
  settled: ["delivered", "exhausted"],
  table: {
    due: { claim: "delivering", lease_lost: "stale", success: "delivered", retry: "same", give_up: "stale", pause: "paused", rearm: "same" },
    delivering: { claim: "stale", lease_lost: "due", success: "delivered", retry: "due", give_up: "exhausted", pause: "paused", rearm: "due" },
    delivered: { claim: "stale", lease_lost: "stale", success: "same", retry: "stale", give_up: "stale", pause: "stale", rearm: "due" },
    exhausted: { claim: "stale", lease_lost: "stale", success: "delivered", retry: "stale", give_up: "same", pause: "stale", rearm: "due" },
    paused: { claim: "stale", lease_lost: "stale", success: "delivered", retry: "same", give_up: "stale", pause: "same", rearm: "due" },
  },
};
