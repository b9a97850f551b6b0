import { type Exchange, rfc3339 } from "@lunas/domain";
import type { Selectable } from "kysely";
import { openExchanges } from "../collect/answers.ts";
import { claimWord } from "../collect/claims.ts";
import { type AttemptRow, readAttempts } from "../deliver/attempts.ts";
import type { OrderBundle, PaymentRow } from "../collect/rows.ts";
import type { Hub } from "../hub.ts";
import { notificationId } from "../ingest/notification-id.ts";
import type { AnswersTable, Db, EventsTable, NotificationsTable, TransitionsTable } from "../store/index.ts";
import { ROUTE, VERDICT } from "../store/index.ts";
import { maskBody, maskUrl } from "./mask.ts";

/** Rows of one kind at most, the newest: a payment that was shaken for days still has a page. */
const ROWS_MAX = 1_000;
/** Forged notifications of an account that are looked through at most: somebody may send many. */
const FORGED_LOOKED_AT_MAX = 10_000;

export interface TimelineEntry {
  readonly at: string;
  readonly kind: "notification" | "answer" | "transition" | "event" | "attempt";
  readonly id: string;
  readonly actor: string;
  readonly summary: string;
  readonly detail: unknown;
}

/** What is at the same millisecond happened in this order. */
const RANK: Readonly<Record<TimelineEntry["kind"], number>> = { notification: 0, answer: 1, transition: 2, event: 3, attempt: 4 };

type Attempt = AttemptRow & { readonly endpoint_id: string; readonly url: string; readonly event_id: string };

/** All that is known of a payment in the order of time: what came in, what was asked and answered, what changed, and who was told. */
export async function timelineOf(hub: Hub, bundle: OrderBundle, payment: PaymentRow): Promise<TimelineEntry[]> {
  const subjects = [payment.id, ...bundle.refunds.filter((refund) => refund.payment_id === payment.id).map((refund) => refund.id)];
  const rows = await hub.store.read((db) => readRows(db, payment, subjects));
  const entries = [
    ...rows.notifications.map((row) => [row.received_at, ofNotification(row, payment.provider)] as const),
    ...rows.answers.map((row) => [row.answered_at, ofAnswer(hub, row, payment.provider)] as const),
    ...rows.transitions.map((row) => [row.at, ofTransition(row)] as const),
    ...rows.events.map((row) => [row.occurred_at, ofEvent(row)] as const),
    ...rows.attempts.map((row) => [row.started_at, ofAttempt(row)] as const),
  ];
  // The sort is stable: entries of one kind keep the order of their making.
  return entries.sort(([a, one], [b, other]) => a - b || RANK[one.kind] - RANK[other.kind]).map(([, entry]) => entry);
}

/** Of each kind the newest, in the order of their making. */
async function readRows(db: Db, { order_id, id: payment_id, account_id, reference }: PaymentRow, subjects: readonly string[]) {
  const about = await db
    .selectFrom("notifications")
    .selectAll()
    .where("payment_id", "=", payment_id)
    .orderBy("seq", "desc")
    .limit(ROWS_MAX)
    .execute();
  const notifications = newest([...about, ...(await forgedAbout(db, account_id, reference))], (a, b) => b.seq - a.seq);
  const answers = await db.selectFrom("answers").selectAll().where("subject_id", "in", subjects).orderBy("id", "desc").limit(ROWS_MAX).execute();
  const transitions = await db
    .selectFrom("transitions")
    .selectAll()
    .where("subject_id", "in", [order_id, ...subjects])
    .orderBy("id", "desc")
    .limit(ROWS_MAX)
    .execute();
  // Their ids follow from what they tell: the order of their making is their position's.
  const events = await db
    .selectFrom("events")
    .selectAll()
    .where((eb) => eb.or([eb("payment_id", "=", payment_id), eb("subject_id", "=", order_id)]))
    .orderBy("position", "desc")
    .limit(ROWS_MAX)
    .execute();
  const attempts = await attemptsOf(
    db,
    events.map((event) => event.id),
  );
  for (const rows of [answers, transitions, events, attempts]) rows.reverse();
  return { notifications: notifications.reverse(), answers, transitions, events, attempts };
}

function newest<T>(rows: T[], newestFirst: (a: T, b: T) => number): T[] {
  return rows.sort(newestFirst).slice(0, ROWS_MAX);
}

/** What was forged has no payment: it is found by what it speaks of, among those of its account that are kept. */
async function forgedAbout(db: Db, account_id: string, reference: string): Promise<Selectable<NotificationsTable>[]> {
  const quarantined = db
    .selectFrom("notifications")
    .selectAll()
    .where("account_id", "=", account_id)
    .where("route", "=", ROUTE.quarantined)
    .orderBy("seq", "desc")
    .limit(FORGED_LOOKED_AT_MAX);
  return db.selectFrom(quarantined.as("kept")).selectAll().where("reference", "=", reference).orderBy("seq", "desc").limit(ROWS_MAX).execute();
}

async function attemptsOf(db: Db, event_ids: readonly string[]): Promise<Attempt[]> {
  if (event_ids.length === 0) return [];
  const deliveries = await db
    .selectFrom("deliveries")
    .innerJoin("endpoints", "endpoints.id", "deliveries.endpoint_id")
    .selectAll("deliveries")
    .select("endpoints.url")
    .where("deliveries.event_id", "in", event_ids)
    .orderBy("deliveries.id", "desc")
    .limit(ROWS_MAX)
    .execute();
  const of = new Map(deliveries.map((row) => [row.id, row]));
  const attempts = (await readAttempts(db, deliveries, ROWS_MAX)).map((row) => {
    const { endpoint_id, event_id, url } = of.get(row.delivery_id)!;
    return { ...row, endpoint_id, event_id, url };
  });
  return newest(attempts, (a, b) => b.started_at - a.started_at || b.number - a.number);
}

function ofNotification(row: Selectable<NotificationsTable>, provider: string): TimelineEntry {
  const forged = row.verdict === VERDICT.forged ? "a forged notification" : "a notification";
  const times = row.repeats > 0 ? `, ${row.repeats + 1} times` : "";
  const claim = row.claim === null ? "" : ` claims "${claimWord(row.claim)}"`;
  return {
    at: rfc3339(row.received_at),
    kind: "notification",
    id: notificationId(row.seq),
    actor: `${provider} notification`,
    summary: `${forged}${claim}${times}`,
    detail: {
      claim: claimWord(row.claim),
      event_key: row.event_key,
      remote_address: row.remote_address,
      repeats: row.repeats,
      last_received_at: rfc3339(row.last_received_at),
    },
  };
}

function ofAnswer(hub: Hub, row: Selectable<AnswersTable>, provider: string): TimelineEntry {
  const { summary } = row;
  const { status, refusal, reason, refund } = summary as { status?: string; refusal?: string; reason?: string; refund?: { status: string } };
  const said = status ?? refusal ?? reason ?? refund?.status ?? "";
  const outcome = row.certainty === "did" ? `says ${said || "yes"}` : row.certainty === "did_not" ? `refused: ${said}` : `no clear answer: ${said}`;
  return {
    at: rfc3339(row.answered_at),
    kind: "answer",
    id: row.id,
    actor: `hub → ${provider}`,
    summary: `${row.operation} (${row.cause}): ${outcome} [${row.verdict}]`,
    detail: {
      operation: row.operation,
      certainty: row.certainty,
      verdict: row.verdict,
      cause: row.cause,
      subject_id: row.subject_id,
      asked_at: rfc3339(row.asked_at),
      ...summary,
      exchanges: openExchanges(hub, row).map(maskExchange),
    },
  };
}

function maskExchange(exchange: Exchange) {
  const { request_body, response_body, asked_at, url, ...rest } = exchange;
  return {
    ...rest,
    url: maskUrl(url),
    asked_at: rfc3339(asked_at),
    request_body: request_body === undefined ? null : maskBody(request_body),
    response_body: response_body === undefined ? null : maskBody(response_body),
  };
}

function ofTransition(row: Selectable<TransitionsTable>): TimelineEntry {
  const flags = row.flags.length > 0 ? ` (${row.flags.join(", ")})` : "";
  return {
    at: rfc3339(row.at),
    kind: "transition",
    id: row.id,
    actor: row.cause,
    summary: `${row.subject_type}: ${row.from_status} → ${row.to_status}${flags}`,
    detail: {
      subject_id: row.subject_id,
      from: row.from_status,
      to: row.to_status,
      flags: row.flags,
      sequence: row.sequence,
      answer_id: row.answer_id,
    },
  };
}

function ofEvent(row: Selectable<EventsTable>): TimelineEntry {
  return {
    at: rfc3339(row.occurred_at),
    kind: "event",
    id: row.id,
    actor: "hub",
    summary: row.type,
    detail: { subject_id: row.subject_id, sequence: row.sequence },
  };
}

function ofAttempt(row: Attempt): TimelineEntry {
  const came = row.status === null ? `no answer (${row.fault ?? "unknown"})` : `answered ${row.status}`;
  return {
    at: rfc3339(row.started_at),
    kind: "attempt",
    id: row.id,
    actor: `hub → ${row.url}`,
    summary: `${row.trigger} attempt ${row.number}: ${came} in ${row.elapsed_ms} ms`,
    detail: {
      event_id: row.event_id,
      delivery_id: row.delivery_id,
      endpoint_id: row.endpoint_id,
      status: row.status,
      fault: row.fault,
      response_body: row.response_body,
    },
  };
}
