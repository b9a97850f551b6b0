import { COLLECTED_STATUSES } from "@lunas/domain";
import { dedupeKey } from "../../packages/hub/src/ingest/dedupe-key.ts";
import type { Store } from "../../packages/hub/src/store/index.ts";
import type { LogEntry, Sandbox } from "../../packages/sandbox/src/index.ts";
import type { Receiver } from "./receiver.ts";

/** Minor units of a whole rupiah. */
const RUPIAH = 100n;

/**
 * Holds what the hub believes against what the sandbox did. The sandbox's ledger is the judge: it is another process's memory in real life.
 * @param forgotten whether the hub was restored from an older copy: then what it had stored since may be missing, but no money may be.
 * @returns what is wrong; empty when all holds.
 */
export async function audit(store: Store, sandbox: Sandbox, receiver: Receiver, forgotten: boolean): Promise<string[]> {
  return [
    ...(forgotten ? [] : await missingNotifications(store, sandbox.log())),
    ...(await wrongMoney(store, sandbox)),
    ...(await doubledEvents(store)),
    ...wrongDeliveries(await undelivered(store, receiver), receiver, forgotten),
  ];
}

/** Nothing that was answered 2xx is missing. */
async function missingNotifications(store: Store, log: readonly LogEntry[]): Promise<string[]> {
  const accounts = await store.read((db) => db.selectFrom("accounts").select("id").where("provider", "=", "midtrans").execute());
  const rows = await store.read((db) => db.selectFrom("notifications").select("dedupe").execute());
  const kept = new Set(rows.map((row) => Buffer.from(row.dedupe).toString("hex")));
  return log
    .filter(
      (entry) =>
        entry.kind === "notification" &&
        entry.http_status !== null &&
        entry.http_status >= 200 &&
        entry.http_status < 300 &&
        entry.request_body !== undefined,
    )
    .filter((entry) => !accounts.some(({ id }) => kept.has(Buffer.from(dedupeKey(id, false, Buffer.from(entry.request_body!))).toString("hex"))))
    .map((entry) => `answered ${entry.http_status} but not stored: ${entry.request_body?.slice(0, 200)}`);
}

/** No order is paid that the sandbox did not collect, none that it collected is left unpaid, nothing is refunded twice. */
async function wrongMoney(store: Store, sandbox: Sandbox): Promise<string[]> {
  const problems: string[] = [];
  const payments = await store.read((db) => db.selectFrom("payments").selectAll().execute());
  const unmatched = await store.read((db) => db.selectFrom("unmatched_money").selectAll().execute());
  const ledger = sandbox.ledger();
  for (const entry of ledger) {
    const payment = payments.find((one) => one.provider_id === entry.transaction_id) ?? payments.find((one) => one.reference === entry.order_id);
    const collected = BigInt(entry.collected) * RUPIAH;
    if (!payment) {
      const known = unmatched.some((one) => one.provider_id === entry.transaction_id);
      if (collected > 0n && !known) problems.push(`${entry.order_id}: the sandbox collected ${entry.collected}, the hub does not know of it`);
      continue;
    }
    if (payment.collected !== collected)
      problems.push(`${entry.order_id}: the sandbox collected ${entry.collected}, the hub says ${payment.collected / RUPIAH} (${payment.status})`);
    if (payment.refunded !== BigInt(entry.refunded) * RUPIAH)
      problems.push(`${entry.order_id}: the sandbox refunded ${entry.refunded}, the hub says ${payment.refunded / RUPIAH}`);
    const keys = entry.refunds.map((refund) => refund.key);
    if (new Set(keys).size !== keys.length) problems.push(`${entry.order_id}: refunded twice under one key`);
    if (entry.refunds.length > 1) problems.push(`${entry.order_id}: refunded ${entry.refunds.length} times, one was asked for`);
  }
  for (const payment of payments) {
    const entry = ledger.find((one) => one.order_id === payment.reference);
    if (COLLECTED_STATUSES.includes(payment.status) && (entry?.collected ?? 0) === 0)
      problems.push(`${payment.reference}: ${payment.status} in the hub, nothing collected`);
    if (payment.status === "submitted" || payment.status === "created") problems.push(`${payment.reference}: still ${payment.status}`);
  }
  const orders = await store.read((db) => db.selectFrom("orders").selectAll().execute());
  for (const order of orders) {
    const own = payments.filter((payment) => payment.order_id === order.id);
    const sum = own.reduce((total, payment) => total + payment.collected, 0n);
    if (sum !== order.amount_paid) problems.push(`order ${order.reference}: its payments hold ${sum}, it says ${order.amount_paid}`);
  }
  return problems;
}

/** No change is told twice under different ids: for each subject, as many events of a kind as there were transitions to it. */
async function doubledEvents(store: Store): Promise<string[]> {
  const events = await store.read((db) => db.selectFrom("events").select(["id", "subject_type", "subject_id", "type", "sequence"]).execute());
  const transitions = await store.read((db) => db.selectFrom("transitions").select(["subject_id", "to_status"]).execute());
  const count = <T>(rows: readonly T[], key: (row: T) => string): Map<string, number> => {
    const counts = new Map<string, number>();
    for (const row of rows) counts.set(key(row), (counts.get(key(row)) ?? 0) + 1);
    return counts;
  };
  const made = count(transitions, (row) => `${row.subject_id} ${row.to_status}`);
  const told = count(
    events.filter((event) => event.type !== "payment.unconfirmed"),
    (event) => `${event.subject_id} ${event.type.split(".")[1]}`,
  );
  return [...told].flatMap(([key, times]) => {
    if (key.startsWith("umm_") || key.startsWith("end_")) return [];
    const expected = made.get(key) ?? 0;
    return times === expected ? [] : [`${key}: ${expected} transitions, ${times} events`];
  });
}

async function undelivered(store: Store, receiver: Receiver): Promise<string[]> {
  const events = await store.read((db) => db.selectFrom("events").select("id").execute());
  const got = new Set(receiver.events.map((event) => event.id));
  return events.filter((event) => !got.has(event.id)).map((event) => event.id);
}

/** Every event reached the shop; what came again came under the same id with the same bytes. */
function wrongDeliveries(missing: readonly string[], receiver: Receiver, forgotten: boolean): string[] {
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
