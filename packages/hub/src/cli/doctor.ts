import { amountNumber, isCurrency, LIVE_STATUSES, money, rfc3339 } from "@lunas/domain";
import { type RawBuilder, sql } from "kysely";
import { tryAccount } from "../collect/accounts.ts";
import type { Hub } from "../hub.ts";
import { ROUTE } from "../store/index.ts";

/** The latest of these are shown one by one. */
const UNMATCHED_SHOWN = 20;

/** What an operator looks at first: is anything stuck, unmatched, or waiting for a person. */
export async function doctor(hub: Hub): Promise<Record<string, unknown>> {
  const now = hub.clocks.business.now();
  const questions: Record<string, RawBuilder<{ count: number }>> = {
    payments_live: sql`SELECT count(*) AS count FROM payments WHERE status IN (${sql.join([...LIVE_STATUSES])})`,
    payments_needing_attention: sql`SELECT count(*) AS count FROM payments WHERE needs_attention IS NOT NULL`,
    refunds_for_a_person: sql`SELECT count(*) AS count FROM refunds WHERE status = 'manual'`,
    unmatched_money: sql`SELECT count(*) AS count FROM unmatched_money WHERE payment_id IS NULL AND status IN ('paid', 'partially_refunded')`,
    notifications_waiting: sql`SELECT count(*) AS count FROM notifications WHERE route = ${ROUTE.new}`,
    notifications_quarantined: sql`SELECT count(*) AS count FROM notifications WHERE route = ${ROUTE.quarantined}`,
    jobs_due: sql`SELECT count(*) AS count FROM jobs WHERE due_at <= ${now} AND (lease_until IS NULL OR lease_until <= ${now})`,
    jobs_under_way: sql`SELECT count(*) AS count FROM jobs WHERE lease_until > ${now}`,
    jobs_overdue_by_a_minute: sql`SELECT count(*) AS count FROM jobs WHERE due_at < ${now - 60_000} AND (lease_until IS NULL OR lease_until <= ${now})`,
    deliveries_due: sql`SELECT count(*) AS count FROM deliveries WHERE status = 'due' AND due_at <= ${now} AND (lease_until IS NULL OR lease_until <= ${now})`,
    deliveries_under_way: sql`SELECT count(*) AS count FROM deliveries WHERE status = 'due' AND lease_until > ${now}`,
    deliveries_planned: sql`SELECT count(*) AS count FROM deliveries WHERE status = 'due' AND due_at > ${now}`,
    deliveries_exhausted: sql`SELECT count(*) AS count FROM deliveries WHERE status = 'exhausted'`,
    endpoints_paused: sql`SELECT count(*) AS count FROM endpoints WHERE status = 'paused'`,
    endpoints_disabled: sql`SELECT count(*) AS count FROM endpoints WHERE status = 'disabled'`,
  };
  const found: Record<string, unknown> = { engine: hub.store.engine.name, hold: hub.hold.reason ?? null };
  for (const [name, question] of Object.entries(questions)) {
    found[name] = (await hub.store.read((db) => question.execute(db))).rows[0]?.count ?? 0;
  }
  const accounts = await hub.store.read((db) => db.selectFrom("accounts").selectAll().where("status", "=", "active").execute());
  found["accounts_unusable"] = accounts.filter((row) => tryAccount(hub, row).why !== undefined).length;
  found["unmatched"] = await unmatched(hub);
  return found;
}

/** Money that no payment here has, with what a person needs to find it in the gateway's dashboard; also what went back since. */
async function unmatched(hub: Hub): Promise<Record<string, unknown>[]> {
  const rows = await hub.store.read((db) =>
    db
      .selectFrom("unmatched_money")
      .innerJoin("accounts", "accounts.id", "unmatched_money.account_id")
      .selectAll("unmatched_money")
      .select("accounts.slug")
      .where("payment_id", "is", null)
      .orderBy("found_at", "desc")
      .limit(UNMATCHED_SHOWN)
      .execute(),
  );
  return rows.map(({ currency, ...row }) => {
    const amount = (minor: bigint | null) => (minor !== null && isCurrency(currency) ? amountNumber(money(minor, currency)) : null);
    return {
      id: row.id,
      account: row.slug,
      provider_reference: row.reference,
      provider_id: row.provider_id,
      amount: amount(row.amount),
      amount_refunded: amount(row.refunded),
      currency,
      status: row.status,
      found_at: rfc3339(row.found_at),
      asked_at: row.asked_at === null ? null : rfc3339(row.asked_at),
    };
  });
}
