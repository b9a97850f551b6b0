import { createHash } from "node:crypto";
import { EVENT_VERSION, type EventType, rfc3339 } from "@lunas/domain";
import type { Hub } from "../hub.ts";
import type { SubjectType, Tx } from "../store/index.ts";

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
 * An event's id follows from what it tells: a hub that was restored from an older copy and learns of the same change again tells it
 * under the same webhook-id, and the shop that has seen it knows it.
 */
export function eventId(subject_id: string, sequence: number, type: EventType): string {
  const digest = createHash("sha256").update(`${subject_id}\n${sequence}\n${type}`).digest();
  let id = "evt_";
  for (let i = 0; i < ID_CHARS; i += 1) id += ALPHABET[digest[i]! & 31];
  return id;
}

/**
 * Writes an event and one delivery for each endpoint that wants it, in the transaction of the change.
 * A paused endpoint gets its rows too: they wait, and are sent on resume.
 */
export async function emitEvent(hub: Pick<Hub, "newId" | "clocks">, tx: Tx, event: NewEvent): Promise<string> {
  const now = hub.clocks.business.now();
  const last = await tx
    .selectFrom("events")
    .select((eb) => eb.fn.max("sequence").as("sequence"))
    .where("subject_id", "=", event.subject.id)
    .executeTakeFirst();
  const sequence = (last?.sequence ?? 0) + 1;
  const id = eventId(event.subject.id, sequence, event.type);
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
    .where("status", "in", ["active", "paused"]);
  if (event.endpoint_id !== undefined) endpoints = endpoints.where("id", "=", event.endpoint_id);
  const wanting = (await endpoints.execute()).filter(
    (endpoint) => event.endpoint_id !== undefined || endpoint.events === null || endpoint.events.includes(event.type),
  );
  if (wanting.length > 0) {
    await tx
      .insertInto("deliveries")
      .values(
        wanting.map((endpoint) => ({
          id: hub.newId("delivery"),
          shop_id: event.shop_id,
          event_id: id,
          endpoint_id: endpoint.id,
          status: endpoint.status === "paused" ? ("paused" as const) : ("due" as const),
          attempts: 0,
          step: 0,
          trigger: "schedule" as const,
          due_at: now,
          lease_until: null,
          last_status: null,
          last_fault: null,
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
  const last = await tx
    .selectFrom("transitions")
    .select((eb) => eb.fn.max("sequence").as("sequence"))
    .where("subject_id", "=", change.subject.id)
    .executeTakeFirst();
  await tx
    .insertInto("transitions")
    .values({
      id: hub.newId("transition"),
      shop_id: change.shop_id,
      subject_type: change.subject.type,
      subject_id: change.subject.id,
      sequence: (last?.sequence ?? 0) + 1,
      from_status: change.from,
      to_status: change.to,
      flags: JSON.stringify(change.flags),
      cause: change.cause,
      answer_id: change.answer_id,
      at: hub.clocks.business.now(),
    })
    .execute();
}
