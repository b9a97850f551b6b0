import type { Machine } from "@lunas/domain";

export const EMULATED_STATUSES = [
  "pending",
  "settlement",
  "deny",
  "cancel",
  "expire",
  "partial_refund",
  "refund",
  "partial_chargeback",
  "chargeback",
] as const;
export type EmulatedStatus = (typeof EMULATED_STATUSES)[number];

/** `pay_late` is money that comes after the transaction was closed: no page of the real provider does it, banks do. */
export const EMULATED_INPUTS = [
  "pay",
  "pay_late",
  "deny",
  "cancel",
  "expire",
  "refund_part",
  "refund_rest",
  "reverse",
  "charge_back_part",
  "charge_back",
] as const;
export type EmulatedInput = (typeof EMULATED_INPUTS)[number];

const nothing = {
  pay: "stale",
  pay_late: "stale",
  deny: "stale",
  cancel: "stale",
  expire: "stale",
  refund_part: "stale",
  refund_rest: "stale",
  reverse: "stale",
  charge_back_part: "stale",
  charge_back: "stale",
} as const;

/** Section 10 of midtrans.md for the methods that are emulated. `stale` is a 412: the state does not allow it. */
export const transactionMachine: Machine<EmulatedStatus, EmulatedInput> = {
  name: "midtrans transaction",
  initial: "pending",
  states: EMULATED_STATUSES,
  inputs: EMULATED_INPUTS,
  settled: ["deny", "cancel", "expire", "refund", "chargeback"],
  table: {
    pending: { ...nothing, pay: "settlement", deny: "deny", cancel: "cancel", expire: "expire" },
    settlement: {
      ...nothing,
      refund_part: "partial_refund",
      refund_rest: "refund",
      reverse: "deny",
      charge_back_part: "partial_chargeback",
      charge_back: "chargeback",
    },
    partial_refund: { ...nothing, refund_part: "same", refund_rest: "refund", charge_back: "chargeback" },
    partial_chargeback: { ...nothing, charge_back: "chargeback" },
    deny: { ...nothing, pay_late: "settlement" },
    cancel: { ...nothing, pay_late: "settlement" },
    expire: { ...nothing, pay_late: "settlement" },
    refund: nothing,
    chargeback: nothing,
  },
};

/** With a transaction in one of these its order id is free again (midtrans.md §6). */
export const FREES_ORDER_ID: readonly EmulatedStatus[] = ["cancel", "expire", "deny"];
