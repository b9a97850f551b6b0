import { isEventType } from "@lunas/domain";
import type { Store } from "../../packages/hub/src/store/index.ts";
import type { Receiver } from "./receiver.ts";

interface Change {
  readonly subject_type: string;
  readonly subject_id: string;
  readonly from_status: string;
  readonly to_status: string;
}

function counted<T>(rows: readonly T[], key: (row: T) => string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const row of rows) counts.set(key(row), (counts.get(key(row)) ?? 0) + 1);
  return counts;
}

/**
 * Each change is told once: for each subject, as many events of a kind as there were changes to it. A transition that leaves the status as it
 * was is a note (told to nobody) or more money of the same kind (told): with those, what two events say must differ.
 */
export async function wronglyTold(store: Store): Promise<string[]> {
  const events = await store.read((db) => db.selectFrom("events").select(["id", "subject_id", "type", "body"]).orderBy("sequence").execute());
  const transitions: readonly Change[] = await store.read((db) =>
    db.selectFrom("transitions").select(["subject_type", "subject_id", "from_status", "to_status"]).execute(),
  );
  const about = (row: Change): string => `${row.subject_id} ${row.subject_type}.${row.to_status}`;
  const tellable = transitions.filter((row) => isEventType(`${row.subject_type}.${row.to_status}`));
  const all = counted(tellable, about);
  const changes = counted(
    tellable.filter((row) => row.from_status !== row.to_status),
    about,
  );
  const told = events.filter((event) => /^(payment|order|refund)\./.test(event.type) && event.type !== "payment.unconfirmed");
  const times = counted(told, (event) => `${event.subject_id} ${event.type}`);
  const problems = [...new Set([...all.keys(), ...times.keys()])].flatMap((key) => {
    const [least, most, got] = [changes.get(key) ?? 0, all.get(key) ?? 0, times.get(key) ?? 0];
    return got < least || got > most ? [`${key}: ${least} to ${most} transitions, ${got} events`] : [];
  });
  const same = counted(told, (event) => `${event.subject_id} ${event.type} ${said(event.body)}`);
  // An order that is pending a second time says what it said the first time: there is another payment, which it does not name.
  const twice = [...same].filter(([key, count]) => count > Math.max(1, changes.get(key.split(" ").slice(0, 2).join(" ")) ?? 0));
  return [...problems, ...twice.map(([key, count]) => `told ${count} times: ${key}`)];
}

/** What an event says of money and status, without its times. */
function said(body: string): string {
  const { data, subject } = JSON.parse(body) as { subject: { type: string }; data: Record<string, Record<string, unknown>> };
  const { status, payment_status, flags, amount_paid, amount_refunded, amount_reversed, provider_id } = data[subject.type] ?? {};
  return JSON.stringify([status, payment_status, flags, amount_paid, amount_refunded, amount_reversed, provider_id]);
}

export async function undelivered(store: Store, receiver: Receiver): Promise<string[]> {
  const events = await store.read((db) => db.selectFrom("events").select("id").execute());
  const got = new Set(receiver.events.map((event) => event.id));
  return events.filter((event) => !got.has(event.id)).map((event) => event.id);
}

/** Every event reached the shop; what came again came under the same id with the same bytes. */
export function wrongDeliveries(missing: readonly string[], receiver: Receiver, forgotten: boolean): string[] {
  const problems = missing.map((id) => `event ${id} never reached the shop`);
  const bodies = new Map<string, string>();
  const places = new Map<string, string>();
  for (const event of receiver.events) {
    const before = bodies.get(event.id);
    // After a restore the same change is learned a second time: told under the same id, at another moment.
    if (before !== undefined && before !== event.body && !forgotten) problems.push(`event ${event.id} came with two bodies`);
    bodies.set(event.id, event.body);
    const place = `${event.subject.id}#${event.sequence} ${event.type}`;
    const other = places.get(place);
    if (other !== undefined && other !== event.id) problems.push(`${place} was told as ${other} and as ${event.id}`);
    places.set(place, event.id);
  }
  return [...problems, ...receiver.problems];
}
