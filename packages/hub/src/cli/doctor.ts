import { LIVE_STATUSES } from "@lunas/domain";
import { type RawBuilder, sql } from "kysely";
import type { Hub } from "../hub.ts";
import { ROUTE } from "../store/index.ts";

/** What an operator looks at first: is anything stuck, unmatched, or waiting for a person. */
export async function doctor(hub: Hub): Promise<Record<string, unknown>> {
  const now = hub.clocks.business.now();
  const questions: Record<string, RawBuilder<{ count: number }>> = {
    payments_live: sql`SELECT count(*) AS count FROM payments WHERE status IN (${sql.join([...LIVE_STATUSES])})`,
    payments_needing_attention: sql`SELECT count(*) AS count FROM payments WHERE needs_attention IS NOT NULL`,
    refunds_for_a_person: sql`SELECT count(*) AS count FROM refunds WHERE status = 'manual'`,
    unmatched_money: sql`SELECT count(*) AS count FROM unmatched_money WHERE payment_id IS NULL`,
    notifications_waiting: sql`SELECT count(*) AS count FROM notifications WHERE route = ${ROUTE.new}`,
    notifications_quarantined: sql`SELECT count(*) AS count FROM notifications WHERE route = ${ROUTE.quarantined}`,
    jobs_due: sql`SELECT count(*) AS count FROM jobs WHERE due_at <= ${now} AND (lease_until IS NULL OR lease_until <= ${now})`,
    jobs_under_way: sql`SELECT count(*) AS count FROM jobs WHERE lease_until > ${now}`,
    jobs_overdue_by_a_minute: sql`SELECT count(*) AS count FROM jobs WHERE due_at < ${now - 60_000} AND (lease_until IS NULL OR lease_until <= ${now})`,
    deliveries_due: sql`SELECT count(*) AS count FROM deliveries WHERE status = 'due' AND due_at <= ${now}`,
    deliveries_under_way: sql`SELECT count(*) AS count FROM deliveries WHERE status = 'delivering'`,
    deliveries_planned: sql`SELECT count(*) AS count FROM deliveries WHERE status = 'due' AND due_at > ${now}`,
    deliveries_exhausted: sql`SELECT count(*) AS count FROM deliveries WHERE status = 'exhausted'`,
    endpoints_paused: sql`SELECT count(*) AS count FROM endpoints WHERE status = 'paused'`,
  };
  const found: Record<string, unknown> = { engine: hub.store.engine.name, hold: hub.hold.reason ?? null };
  for (const [name, question] of Object.entries(questions)) {
    found[name] = (await hub.store.read((db) => question.execute(db))).rows[0]?.count ?? 0;
  }
  return found;
}
