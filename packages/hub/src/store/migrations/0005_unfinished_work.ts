import type { EngineProfile } from "../engine.ts";

export const name = "0005_unfinished_work";
/** An older program leaves the new columns at what they are when nothing is known, and needs none of the indexes. */
export const breaking = false;

/** What unfinished work is found by, and what is shown of it: refunds that wait for their turn, and how unmatched money stands at its gateway. */
export function statements({ type }: EngineProfile): string[] {
  const { int, text } = type;
  return [
    `ALTER TABLE refunds ADD COLUMN waiting_for_quota_until ${int}`,
    // Their ids sort by payment: what is newest is told by the time.
    `CREATE INDEX refunds_by_shop ON refunds (shop_id, created_at, id)`,
    `ALTER TABLE unmatched_money ADD COLUMN status ${text} NOT NULL DEFAULT 'paid'`,
    `ALTER TABLE unmatched_money ADD COLUMN refunded ${int}`,
    `ALTER TABLE unmatched_money ADD COLUMN asked_at ${int}`,
    `CREATE INDEX unmatched_money_by_reference ON unmatched_money (account_id, reference)`,
    `CREATE INDEX orders_open ON orders (id)
      WHERE closed IS NULL AND payment_status IN ('unpaid', 'pending', 'failed', 'expired', 'canceled')`,
    `CREATE INDEX payments_by_paid_at ON payments (paid_at) WHERE paid_at IS NOT NULL`,
    `CREATE INDEX payments_closed ON payments (expires_at) WHERE status IN ('failed', 'expired', 'canceled')`,
  ];
}
