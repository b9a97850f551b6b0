import type { Hub } from "../hub.ts";
import { PRIORITY } from "../store/jobs.ts";
import type { OpenAccount } from "./accounts.ts";

/** Share of the burst that a class leaves to the more urgent ones: a poll never takes the last calls from money. */
const RESERVE_SHARE: Record<number, number> = { [PRIORITY.money]: 0, [PRIORITY.notified]: 0.1, [PRIORITY.buyer]: 0.2, [PRIORITY.poll]: 0.4, [PRIORITY.unverified]: 0.6 };
const DAY_MS = 86_400_000;

export type Grant = { readonly granted: true } | { readonly granted: false; readonly until: number };

/**
 * Takes one call from the account's budget: a token bucket and a daily quota, kept in the database so that several hubs and a
 * restart share them. A refusal says from when on it is worth trying again.
 */
export async function takeCall(hub: Hub, account: OpenAccount, priority: number): Promise<Grant> {
  const { per_second, burst, per_day } = account.provider.budget;
  const now = hub.clocks.business.now();
  const reserve_milli = Math.floor(burst * 1000 * (RESERVE_SHARE[priority] ?? 0));
  return hub.store.write(async (tx) => {
    const row = await tx.selectFrom("budgets").selectAll().where("account_id", "=", account.row.id).executeTakeFirst();
    const day = Math.floor(now / DAY_MS);
    const used_today = row && row.day === day ? row.used_today : 0;
    const elapsed_ms = row ? Math.max(0, now - row.refilled_at) : 0;
    const tokens_milli = row ? Math.min(burst * 1000, row.tokens_milli + elapsed_ms * per_second) : burst * 1000;
    if (per_day !== undefined && used_today >= per_day) return { granted: false, until: (day + 1) * DAY_MS } as const;
    if (tokens_milli - 1000 < reserve_milli) {
      const missing_milli = reserve_milli + 1000 - tokens_milli;
      return { granted: false, until: now + Math.ceil(missing_milli / per_second) } as const;
    }
    const values = { account_id: account.row.id, tokens_milli: Math.floor(tokens_milli - 1000), refilled_at: now, day, used_today: used_today + 1 };
    await tx.insertInto("budgets").values(values).onConflict((oc) => oc.column("account_id").doUpdateSet(values)).execute();
    return { granted: true } as const;
  });
}
