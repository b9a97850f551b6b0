import type { EngineProfile } from "../engine.ts";

export const name = "0002_notification_batches";
/** An older program would store bodies where this one does not look. */
export const breaking = true;

/** Raw bodies of notifications are sealed and kept by the commit they came in, not one by one. Those that are there stay readable as batches of one. */
export function statements({ type, startIdentityAfter }: EngineProfile): string[] {
  const { int, bytes, text, serial } = type;
  // Bodies of old are kept by the clock they came by: 90 days, and forged ones, whose verdict is 1, for 7.
  const keep_until = "n.last_received_at + CASE WHEN n.verdict = 1 THEN 604800000 ELSE 7776000000 END";
  return [
    `CREATE TABLE notification_batches (id ${serial}, keep_until ${int} NOT NULL, single_of ${text}, sealed ${bytes} NOT NULL)`,
    `CREATE INDEX notification_batches_by_age ON notification_batches (keep_until)`,
    `ALTER TABLE notifications ADD COLUMN batch ${int}`,
    `ALTER TABLE notifications ADD COLUMN place ${int}`,
    `INSERT INTO notification_batches (id, keep_until, single_of, sealed) ${startIdentityAfter === undefined ? "" : "OVERRIDING SYSTEM VALUE"}
      SELECT b.seq, ${keep_until}, n.account_id, b.sealed FROM notification_bodies AS b JOIN notifications AS n ON n.seq = b.seq`,
    `UPDATE notifications SET batch = seq, place = 0 WHERE seq IN (SELECT id FROM notification_batches)`,
    ...(startIdentityAfter?.("notification_batches", "id") ?? []),
    `DROP TABLE notification_bodies`,
  ];
}
