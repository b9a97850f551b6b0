import type { Machine } from "./machine.ts";

export const REFUND_STATUSES = ["created", "submitted", "unknown", "succeeded", "failed", "manual"] as const;
export type RefundStatus = (typeof REFUND_STATUSES)[number];

/**
 * A refund stays `created` until the gateway's first answer, also while its call is under way.
 * `accepted` is the gateway's yes before the bank's; `confirmed` the bank's; `refused` a known no;
 * `unclear` no readable answer; `by_hand` a person must close it: the method has no refund call, or the gateway's window for asking has closed.
 */
export const REFUND_INPUTS = ["accepted", "confirmed", "refused", "unclear", "by_hand"] as const;
export type RefundInput = (typeof REFUND_INPUTS)[number];

export const refundMachine: Machine<RefundStatus, RefundInput> = {
  name: "refund",
  initial: "created",
  states: REFUND_STATUSES,
  inputs: REFUND_INPUTS,
  settled: ["succeeded", "failed"],
  table: {
    created: { accepted: "submitted", confirmed: "succeeded", refused: "failed", unclear: "unknown", by_hand: "manual" },
    submitted: { accepted: "same", confirmed: "succeeded", refused: "failed", unclear: "same", by_hand: "manual" },
    unknown: { accepted: "submitted", confirmed: "succeeded", refused: "failed", unclear: "same", by_hand: "manual" },
    // A refund that was refused and is found all the same went out: money is never argued away.
    failed: { accepted: "submitted", confirmed: "succeeded", refused: "same", unclear: "stale", by_hand: "stale" },
    succeeded: { accepted: "stale", confirmed: "same", refused: "stale", unclear: "stale", by_hand: "stale" },
    manual: { accepted: "submitted", confirmed: "succeeded", refused: "failed", unclear: "stale", by_hand: "same" },
  },
};
