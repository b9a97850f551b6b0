import { DAY_MS } from "@lunas/domain";
import { sql } from "kysely";
import type { Hub } from "../hub.ts";

export interface Question {
  readonly payment_id: string;
  readonly account_id: string;
}

/** Where a provider does not say for how long a method can be refunded: a hosted page, whose buyer chooses how to pay. */
const REFUND_WINDOW_DEFAULT_MS = 180 * DAY_MS;
/** Without a refund call money can still be taken back by the bank, within minutes of the payment and surely within days. */
const REVERSAL_WINDOW_MS = 7 * DAY_MS;
/** The last question about a payment that is over is asked so long after its time. */
const LATE_MONEY_MS = 3 * DAY_MS;

/** How long after it was paid a payment may still change at its gateway. */
function changesFor(hub: Pick<Hub, "providers">, payment: { provider: string; method: string }): number {
  const capability = hub.providers.get(payment.provider)?.capabilities.methods[payment.method];
  if (capability?.refund === "none") return REVERSAL_WINDOW_MS;
  return capability?.refund_window_days === undefined ? REFUND_WINDOW_DEFAULT_MS : capability.refund_window_days * DAY_MS;
}

/**
 * The payments of which something may have happened since `known_until` that this database does not know: those that were open, those with a
 * refund without a last word, those that were over so lately that their money may have come late, and those that could still be refunded or taken back.
 */
export async function findUnsettled(hub: Pick<Hub, "store" | "providers">, known_until: number): Promise<Question[]> {
  const methods = [...hub.providers.values()].flatMap(({ name, capabilities }) =>
    Object.keys(capabilities.methods).map((method) => changesFor(hub, { provider: name, method })),
  );
  const longest = Math.max(REFUND_WINDOW_DEFAULT_MS, ...methods);
  const paid_since = known_until - longest;
  const questions = new Map<string, Question>();
  await hub.store.read(async (db) => {
    // The words stand in the statements as in the indexes, or SQLite would not use those.
    const open = await sql<Question>`
      SELECT id AS payment_id, account_id FROM payments WHERE status IN ('created', 'submitted', 'pending', 'authorized')
      UNION SELECT id, account_id FROM payments WHERE status IN ('failed', 'expired', 'canceled') AND expires_at > ${known_until - LATE_MONEY_MS}
      UNION SELECT payments.id, payments.account_id FROM refunds JOIN payments ON payments.id = refunds.payment_id
        WHERE refunds.status IN ('created', 'submitted', 'unknown')`.execute(db);
    const paid = await sql<Question & { provider: string; method: string; paid_at: number }>`
      SELECT id AS payment_id, account_id, provider, method, paid_at FROM payments
      WHERE paid_at >= ${paid_since} AND status IN ('paid', 'partially_refunded')`.execute(db);
    const changeable = paid.rows.filter((row) => row.paid_at >= known_until - changesFor(hub, row));
    for (const { payment_id, account_id } of [...open.rows, ...changeable]) questions.set(payment_id, { payment_id, account_id });
  });
  return [...questions.values()].sort((a, b) => (a.payment_id < b.payment_id ? -1 : 1));
}
