import { dedupeKey } from "../../packages/hub/src/ingest/dedupe-key.ts";
import { type Store, VERDICT } from "../../packages/hub/src/store/index.ts";
import type { LogEntry, Sandbox } from "../../packages/sandbox/src/index.ts";
import { undelivered, wrongDeliveries, wronglyTold } from "./audit-events.ts";
import { wrongMoney } from "./audit-money.ts";
import type { Receiver } from "./receiver.ts";
import type { ChaosOrder } from "./shopper.ts";

/**
 * Holds what the hub believes against what the sandbox did. The sandbox's ledger is the judge: it is another process's memory in real life.
 * @param forgotten whether the hub was restored from an older copy: then what it had stored since may be missing, but no money may be.
 * @returns what is wrong; empty when all holds.
 */
export async function audit(
  store: Store,
  sandbox: Sandbox,
  receiver: Receiver,
  placed: readonly ChaosOrder[],
  forgotten: boolean,
): Promise<string[]> {
  return [
    ...(forgotten ? [] : await missingNotifications(store, sandbox.log())),
    ...(await wrongMoney(store, sandbox)),
    ...(await wronglyTold(store)),
    ...(await wrongRefusals(store, sandbox, placed)),
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

/** A shop that was told no may believe it: what it gave up was never collected, and no payment of it is open anywhere. All others are orders of the hub. */
async function wrongRefusals(store: Store, sandbox: Sandbox, placed: readonly ChaosOrder[]): Promise<string[]> {
  const orders = await store.read((db) => db.selectFrom("orders").select(["id", "reference"]).execute());
  const payments = await store.read((db) => db.selectFrom("payments").select(["order_id", "reference"]).execute());
  const ledger = sandbox.ledger();
  return placed.flatMap((order) => {
    const row = orders.find((one) => one.reference === order.reference);
    if (!order.gave_up) return row ? [] : [`order ${order.reference}: the shop was told that it is there, and it is not`];
    const own = payments.filter((payment) => payment.order_id === row?.id).map((payment) => payment.reference);
    return ledger
      .filter((entry) => own.includes(entry.order_id) && (entry.collected > 0 || entry.status === "pending"))
      .map((entry) => `order ${order.reference}: the shop gave it up (${order.gave_up}), and it is ${entry.status} at the gateway`);
  });
}

/** What must have happened in a run, or it has shown nothing: money back, late money, a forgery in quarantine, a denied attempt that another followed. */
export async function seenBy(
  store: Store,
  sandbox: Sandbox,
): Promise<Readonly<Record<"refunds" | "late" | "quarantined" | "denied_then_paid", number>>> {
  const flagged = await store.read((db) => db.selectFrom("payments").select("flags").where("status", "!=", "created").execute());
  const quarantined = await store.read((db) => db.selectFrom("notifications").select("seq").where("verdict", "=", VERDICT.forged).execute());
  const ledger = sandbox.ledger();
  const paid = new Set(ledger.filter((entry) => entry.collected > 0).map((entry) => entry.order_id));
  return {
    refunds: ledger.flatMap((entry) => entry.refunds).length,
    late: flagged.filter((payment) => payment.flags.includes("late")).length,
    quarantined: quarantined.length,
    denied_then_paid: ledger.filter((entry) => entry.status === "deny" && paid.has(entry.order_id)).length,
  };
}
