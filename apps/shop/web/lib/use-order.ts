import { useCallback, useEffect } from "react";
import type { OrderStatus, OrderView } from "../../server/views.ts";
import { api } from "./api.ts";
import { useLoaded, type Loaded } from "./use-loaded.ts";

const POLL_MS = 2_000;

/** The hosted page still takes a payment of an order in one of these. */
export const PAYABLE: readonly OrderStatus[] = ["unpaid", "pending", "failed"];

/** Follows one order: reads it every two seconds, and at once at each nudge of the live stream. */
export function useOrder(id: string): Loaded<OrderView> {
  const load = useCallback(() => api.order(id), [id]);
  const order = useLoaded(load, POLL_MS);
  const { reload } = order;
  useEffect(() => {
    const stream = new EventSource(`/api/orders/${encodeURIComponent(id)}/events`);
    stream.addEventListener("changed", reload);
    return () => stream.close();
  }, [id, reload]);
  return order;
}
