import { MINUTE_MS } from "@lunas/domain";
import { closeOrder } from "../collect/close-order.ts";
import { findBundle } from "../collect/rows.ts";
import { mayStillBePaid } from "../collect/still-payable.ts";
import type { Hub } from "../hub.ts";
import type { Job } from "../store/jobs.ts";

/** Closes an order whose time is over. While one of its payments may still be paid it waits: only the gateway's answer ends a payment. */
export async function runOrderExpiry(hub: Hub, job: Job): Promise<number | undefined> {
  const bundle = await hub.store.read((db) => findBundle(db, undefined, job.subject_id));
  if (!bundle || bundle.order.closed !== null) return undefined;
  if (bundle.payments.some((payment) => mayStillBePaid(hub, payment))) return hub.clocks.business.now() + 5 * MINUTE_MS;
  await closeOrder(hub, job.subject_id, "expired", "its time is over");
  return undefined;
}
