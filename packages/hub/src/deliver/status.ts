import type { DeliveryStatus } from "@lunas/domain";
import type { Expression, ExpressionBuilder, SqlBool } from "kysely";
import type { Database, DeliveriesTable } from "../store/index.ts";

type Leased = { readonly status: DeliveriesTable["status"]; readonly lease_until: number | null };

/** The state of the table in `@lunas/domain`: under way is what is due and has a lease. @param now business time. */
export function deliveryStatus({ status, lease_until }: Leased, now: number): DeliveryStatus {
  return status === "due" && lease_until !== null && lease_until > now ? "delivering" : status;
}

/** What is due and that nobody is at: it was never claimed, or its lease is over. */
export function isFree(now: number): (eb: ExpressionBuilder<Database, "deliveries">) => Expression<SqlBool> {
  return (eb) => eb.or([eb("lease_until", "is", null), eb("lease_until", "<=", now)]);
}

/** The same as a condition of a list: rows in this state. */
export function inStatus(status: DeliveryStatus, now: number): (eb: ExpressionBuilder<Database, "deliveries">) => Expression<SqlBool> {
  return (eb) => {
    if (status === "delivering") return eb.and([eb("status", "=", "due"), eb("lease_until", ">", now)]);
    return status === "due" ? eb.and([eb("status", "=", "due"), isFree(now)(eb)]) : eb("status", "=", status);
  };
}
