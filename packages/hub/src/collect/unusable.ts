import { SECOND_MS } from "@lunas/domain";
import type { Hub } from "../hub.ts";
import { armJob, PRIORITY } from "../store/jobs.ts";
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

/** So long the gateway is left alone at least between two tries to take it back, however often somebody asks. */
const HURRY_GAP_MS = 5 * SECOND_MS;

/** Somebody waits for the payment that is to take its place: its job does not wait for as long as it would after unclear answers. */
export async function hurryReplacement(hub: Hub, payment: PaymentRow): Promise<void> {
  const due_at = Math.max(hub.clocks.business.now(), (payment.last_asked_at ?? 0) + HURRY_GAP_MS);
  const job = { kind: "payment", subject_id: payment.id, account_id: payment.account_id, due_at, priority: PRIORITY.money };
  await hub.store.write((tx) => armJob(tx, job));
  hub.signals.emit({ kind: "jobs" });
}
