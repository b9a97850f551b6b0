import { verifyWebhook, WebhookVerificationError, type WebhookHeaders } from "@lunas/sdk";
import type { Database } from "better-sqlite3";
import { applyEvent } from "./apply-event.ts";
import type { NotificationOutcome, NotificationView } from "./views.ts";

/** Anyone can send what will be rejected: of those only so many are kept, and only so much of each. */
const REJECTED_KEPT = 500;
const BODY_KEPT_CHARS = 16_384;

interface LogEntry {
  outcome: NotificationOutcome;
  detail?: string;
  webhook_id?: string;
  event_type?: string;
  order_id?: string;
  sequence?: number;
}

function log(db: Database, rawBody: Uint8Array, now: number, entry: LogEntry): void {
  const body = Buffer.from(rawBody).toString("utf8").slice(0, BODY_KEPT_CHARS);
  db.prepare(
    "INSERT INTO notifications (received_at, outcome, detail, webhook_id, event_type, order_id, sequence, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
  ).run(
    now,
    entry.outcome,
    entry.detail ?? null,
    entry.webhook_id ?? null,
    entry.event_type ?? null,
    entry.order_id ?? null,
    entry.sequence ?? null,
    body,
  );
  if (entry.outcome !== "rejected") return;
  db.prepare(
    "DELETE FROM notifications WHERE outcome = 'rejected' AND id <= (SELECT id FROM notifications WHERE outcome = 'rejected' ORDER BY id DESC LIMIT 1 OFFSET ?)",
  ).run(REJECTED_KEPT);
}

export type Receipt = { accepted: true; outcome: NotificationOutcome; order_id: string | undefined } | { accepted: false; code: string };

/**
 * Takes one notification as it arrived. What cannot be proven is logged and changes nothing. What can be is applied at most
 * once: its id, its effect (status, stock) and its log entry are written in one transaction, or none of them.
 */
export function takeNotification(
  db: Database,
  secrets: readonly string[],
  rawBody: Uint8Array,
  headers: WebhookHeaders & object,
  now: number,
): Receipt {
  const given = (headers as Record<string, unknown>)["webhook-id"];
  const webhook_id = typeof given === "string" ? given.slice(0, 255) : undefined;
  let event;
  try {
    event = verifyWebhook(rawBody, headers, secrets, { now });
  } catch (error) {
    if (!(error instanceof WebhookVerificationError)) throw error;
    log(db, rawBody, now, { outcome: "rejected", detail: error.code, webhook_id });
    return { accepted: false, code: error.code };
  }
  const take = db.transaction(() => {
    const applied = applyEvent(db, webhook_id!, event, now);
    const sequence = Number.isSafeInteger(event.sequence) ? event.sequence : undefined;
    log(db, rawBody, now, { ...applied, webhook_id, event_type: event.type, sequence });
    return applied;
  });
  const { outcome, order_id } = take.immediate();
  return { accepted: true, outcome, order_id };
}

/** The latest first, at most 200. */
export function listNotifications(db: Database): NotificationView[] {
  return db.prepare<[], NotificationView>("SELECT * FROM notifications ORDER BY id DESC LIMIT 200").all();
}
