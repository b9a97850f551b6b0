import type { Machine } from "./machine.ts";

export const PAYMENT_STATUSES = [
  "created",
  "submitted",
  "pending",
  "authorized",
  "paid",
  "partially_refunded",
  "refunded",
  "failed",
  "expired",
  "canceled",
  "reversed",
] as const;
export type PaymentStatus = (typeof PAYMENT_STATUSES)[number];

/** What an answer can say of a payment, in our words; `submit` is our own act of calling the gateway. */
export const PAYMENT_INPUTS = [
  "submit",
  "pending",
  "authorized",
  "paid",
  "partially_refunded",
  "refunded",
  "failed",
  "expired",
  "canceled",
  "reversed",
] as const;
export type PaymentInput = (typeof PAYMENT_INPUTS)[number];
export type PaymentObservation = Exclude<PaymentInput, "submit">;

/** Facts beside the status. A payment can be paid and late and overpaid at once. */
export const PAYMENT_FLAGS = ["late", "underpaid", "overpaid", "duplicate", "unconfirmed"] as const;
export type PaymentFlag = (typeof PAYMENT_FLAGS)[number];

/** Before money: whatever the gateway says is taken as it stands. */
const opening = {
  pending: "pending",
  authorized: "authorized",
  paid: "paid",
  partially_refunded: "partially_refunded",
  refunded: "refunded",
  failed: "failed",
  expired: "expired",
  canceled: "canceled",
  reversed: "reversed",
} as const;

/**
 * The payment machine. Reasons for the cells that surprise:
 * - late money is money: expired, failed and canceled may all become paid;
 * - a denied attempt on a hosted page can be followed by another under the same reference: failed goes back to pending;
 * - money that is gone after it was there is `reversed`, whatever word the provider has for it (deny, cancel of a capture);
 * - money that comes after that is money: the buyer pays again on the same page, or the bank pays after all (who judges makes sure that
 *   the answer does not merely lag);
 * - a word that lies behind us (`pending` after paid) is `stale`: the provider's answer lags, or it repeats itself.
 */
export const paymentMachine: Machine<PaymentStatus, PaymentInput> = {
  name: "payment",
  initial: "created",
  states: PAYMENT_STATUSES,
  inputs: PAYMENT_INPUTS,
  settled: ["refunded", "failed", "expired", "canceled", "reversed"],
  table: {
    created: { submit: "submitted", ...opening },
    submitted: { submit: "same", ...opening },
    pending: { submit: "stale", ...opening, pending: "same" },
    authorized: { submit: "stale", ...opening, pending: "stale", authorized: "same" },
    paid: {
      submit: "stale",
      pending: "stale",
      authorized: "stale",
      paid: "same",
      partially_refunded: "partially_refunded",
      refunded: "refunded",
      failed: "reversed",
      expired: "stale",
      canceled: "reversed",
      reversed: "reversed",
    },
    partially_refunded: {
      submit: "stale",
      pending: "stale",
      authorized: "stale",
      paid: "stale",
      partially_refunded: "same",
      refunded: "refunded",
      failed: "reversed",
      expired: "stale",
      canceled: "stale",
      reversed: "reversed",
    },
    refunded: {
      submit: "stale",
      pending: "stale",
      authorized: "stale",
      paid: "stale",
      partially_refunded: "stale",
      refunded: "same",
      failed: "stale",
      expired: "stale",
      canceled: "stale",
      reversed: "reversed",
    },
    failed: { submit: "stale", ...opening, failed: "same" },
    expired: { submit: "stale", ...opening, pending: "stale", expired: "same", failed: "failed", canceled: "canceled" },
    canceled: { submit: "stale", ...opening, pending: "stale", canceled: "same", expired: "expired", failed: "failed" },
    reversed: {
      submit: "stale",
      pending: "stale",
      authorized: "stale",
      paid: "paid",
      partially_refunded: "partially_refunded",
      refunded: "refunded",
      failed: "same",
      expired: "stale",
      canceled: "same",
      reversed: "same",
    },
  },
};

/** Money was collected by a payment in this status, whatever became of it since. */
export const COLLECTED_STATUSES: readonly PaymentStatus[] = ["paid", "partially_refunded", "refunded", "reversed"];

/** The buyer may still pay it, or the gateway may still come to know it. */
export const LIVE_STATUSES: readonly PaymentStatus[] = ["created", "submitted", "pending", "authorized"];

/** Money that arrives from one of these is late. */
export const CLOSED_STATUSES: readonly PaymentStatus[] = ["failed", "expired", "canceled"];
