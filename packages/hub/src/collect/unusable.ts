import type { PaymentRow } from "./rows.ts";

/** Under this name it is kept that the gateway holds a payment which the buyer cannot be shown. */
const HANDLE = "unusable";
const TO_REPLACE = "true";
const GIVEN_UP = "given_up";

export function isUnusable(payment: PaymentRow): boolean {
  return payment.handles[HANDLE] !== undefined;
}

/** Whether another payment is to be opened in its place, once its job has canceled it. */
export function isToBeReplaced(payment: PaymentRow): boolean {
  return payment.handles[HANDLE] === TO_REPLACE;
}

/** Somebody has decided about it, or nobody came to replace it: a payment that nobody asked for is never opened later. */
export function withoutReplacement(payment: PaymentRow): PaymentRow["handles"] {
  return isToBeReplaced(payment) ? { ...payment.handles, [HANDLE]: GIVEN_UP } : payment.handles;
}
