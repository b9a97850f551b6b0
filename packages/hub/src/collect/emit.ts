import { createHash } from "node:crypto";
import { EVENT_VERSION, type EventType, rfc3339 } from "@lunas/domain";
import { sql } from "kysely";
import type { Hub } from "../hub.ts";
import { SEQUENCE_FLOOR } from "../store/hold.ts";
import { afterCommit, type SubjectType, type Tx } from "../store/index.ts";
import { recentBodies } from "./recent-bodies.ts";

export interface NewEvent {
  readonly shop_id: string;
  readonly type: EventType;
  readonly subject: { readonly type: SubjectType; readonly id: string };
  readonly order_id?: string | undefined;
  readonly payment_id?: string | undefined;
  /** A snapshot, taken in the same transaction as the change that it tells of. */
  readonly data: Record<string, unknown>;
  /** Only to this endpoint. */
  readonly endpoint_id?: string;
}

const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";
const ID_CHARS = 22;

/**
 * An event's id follows from the fact that it tells, and from nothing that a copy of the database does not know: a hub that was restored from an
 * older copy and learns of the same fact again tells it under the same webhook-id, also when it learns of fewer steps on the way there, and
 * another fact never comes under an id that was used. So these ids do not sort by time; `position` does.
 * @param occurrence how often this subject came to this very state, counted from 1.
 */
export function eventId({ subject, type, data }: Pick<NewEvent, "subject" | "type" | "data">, occurrence: number): string {
  const fact = JSON.stringify([subject.id, type, ...moneyTold(subject.type, data), occurrence]);
  const digest = createHash("sha256").update(fact).digest();
  let id = "evt_";
  for (let i = 0; i < ID_CHARS; i += 1) id += ALPHABET[digest[i]! & 31];
  return id;
}

const MONEY_FIELDS = ["status", "amount", "amount_paid", "amount_refunded", "amount_reversed"] as const;

/** What an event says of its subject's money, as the outside is told it. */
function moneyTold(subject_type: SubjectType, data: Record<string, unknown>): unknown[] {
  const told = (subject_type === "money" ? data : data[subject_type]) as Record<string, unknown> | undefined;
  return MONEY_FIELDS.map((field) => told?.[field] ?? null);
}

/** The next number of the subject's events, and the id under which this one is told. */
async function place(hub: Pick<Hub, "newId">, tx: Tx, event: NewEvent): Promise<{ id: string; sequence: number }> {
  // What happens to an endpoint happens once: it is not learned again from a gateway after a restore.
  const once = event.subject.type === "endpoint";
  // After a restore the numbers go on above all that were given before it: see `setHold`.
  const { rows } = await sql<{ id: string; sequence: number | null }>`
    SELECT ${once ? sql`'last' AS id, MAX(sequence) AS sequence` : sql`id, sequence`} FROM events WHERE subject_id = ${event.subject.id}
    UNION ALL SELECT name, CAST(value AS BIGINT) FROM meta WHERE name = ${SEQUENCE_FLOOR}`.execute(tx);
  const sequence = Math.max(0, ...rows.map((row) => row.sequence ?? 0)) + 1;
  if (once) return { id: hub.newId("event"), sequence };
  const taken = new Set(rows.map((row) => row.id));
  for (let occurrence = 1; ; occurrence += 1) {
    const id = eventId(event, occurrence);
    if (!taken.has(id)) return { id, sequence };
  }
}

/**
 * Writes an event and one delivery for each endpoint that wants it, in the transaction of the change.
 * An endpoint that was paused, or disabled by a 410, gets its rows too: they wait, and are sent on resume.
 */
export async function emitEvent(hub: Pick<Hub, "newId" | "clocks" | "store">, tx: Tx, event: NewEvent): Promise<string> {
  const now = hub.clocks.business.now();
  const { id, sequence } = await place(hub, tx, event);
  const body = JSON.stringify({
    id,
    type: event.type,
    version: EVENT_VERSION,
    timestamp: rfc3339(now),
    sequence,
    subject: event.subject,
    data: event.data,
  });
  await tx
    .insertInto("events")
    .values({
      id,
      shop_id: event.shop_id,
      type: event.type,
      subject_type: event.subject.type,
      subject_id: event.subject.id,
      sequence,
      order_id: event.order_id ?? null,
      payment_id: event.payment_id ?? null,
      body,
      position: hub.newId("event"),
      occurred_at: now,
    })
    .execute();
  let endpoints = tx
    .selectFrom("endpoints")
    .select(["id", "events", "status"])
    .where("shop_id", "=", event.shop_id)
    .where("status", "!=", "deleted")
    .orderBy("id")
    // A pause or a resume comes before, and is seen, or after, and finds the row that is written here.
    .modifyEnd(sql.raw(hub.store.engine.forShare));
  if (event.endpoint_id !== undefined) endpoints = endpoints.where("id", "=", event.endpoint_id);
  const wanting = (await endpoints.execute()).filter(
    (endpoint) => event.endpoint_id !== undefined || endpoint.events === null || endpoint.events.includes(event.type),
  );
  if (wanting.length > 0) {
    afterCommit(() => recentBodies(hub.store).keep(id, body));
    await tx
      .insertInto("deliveries")
      .values(
        wanting.map((endpoint) => ({
          id: hub.newId("delivery"),
          shop_id: event.shop_id,
          event_id: id,
          endpoint_id: endpoint.id,
          status: endpoint.status === "active" ? ("due" as const) : ("paused" as const),
          attempts: 0,
          step: 0,
          trigger: "schedule" as const,
          due_at: now,
          lease_until: null,
          delivered_at: null,
          created_at: now,
        })),
      )
      .execute();
  }
  return id;
}

/** Writes down a change of state with what caused it: the audit trail of money. */
export async function recordTransition(
  hub: Pick<Hub, "newId" | "clocks">,
  tx: Tx,
  change: {
    readonly shop_id: string;
    readonly subject: { readonly type: SubjectType; readonly id: string };
    readonly from: string;
    readonly to: string;
    readonly flags: readonly string[];
    readonly cause: string;
    readonly answer_id: string | null;
  },
): Promise<void> {
  await tx
    .insertInto("transitions")
    .values({
      id: hub.newId("transition"),
      shop_id: change.shop_id,
      subject_type: change.subject.type,
      subject_id: change.subject.id,
      sequence: sql`(SELECT COALESCE(MAX(t.sequence), 0) + 1 FROM transitions AS t WHERE t.subject_id = ${change.subject.id})`,
      from_status: change.from,
      to_status: change.to,
      flags: JSON.stringify(change.flags),
      cause: change.cause,
      answer_id: change.answer_id,
      at: hub.clocks.business.now(),
    })
    .execute();
}
