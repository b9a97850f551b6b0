import { COLLECTED_STATUSES } from "@lunas/domain";
import { sql } from "kysely";
import type { Selectable } from "kysely";
import { claimIsOpen } from "../collect/evidence.ts";
import type { PaymentRow } from "../collect/rows.ts";
import type { Hub } from "../hub.ts";
import { armJob, PRIORITY } from "../store/jobs.ts";
import { type NotificationsTable, ROUTE, type Tx } from "../store/index.ts";
import { notificationId } from "./notification-id.ts";

type NotificationRow = Selectable<NotificationsTable>;

const BATCH = 200;
/** An unknown subject is asked about a little later: the hub that opens it may be about to commit. */
const PARKED_WAIT_MS = 5_000;

/**
 * Leads new notifications to what they speak of: one question per payment, however many notifications there are.
 * @returns how many were routed; fewer than a batch means that the inbox is empty.
 */
export async function routeBatch(hub: Hub): Promise<number> {
  const routed = await hub.store.write(async (tx) => {
    const { rows } = await sql<NotificationRow>`
      SELECT * FROM notifications WHERE route = ${ROUTE.new} ORDER BY seq LIMIT ${BATCH} ${sql.raw(hub.store.engine.skipLocked)}`.execute(tx);
    if (rows.length === 0) return 0;
    const subjects = groupBySubject(rows);
    const payments = await findPayments(tx, rows);
    for (const group of subjects.values()) {
      const first = group[0]!;
      const payment = payments.get(`${first.account_id}\n${first.reference}`) ?? (first.provider_id ? payments.get(`${first.account_id}\n${first.provider_id}`) : undefined);
      if (payment) await routeToPayment(hub, tx, payment, group);
      else await park(hub, tx, group);
    }
    return rows.length;
  });
  if (routed > 0) hub.signals.emit({ kind: "jobs" });
  return routed;
}

function groupBySubject(rows: readonly NotificationRow[]): Map<string, NotificationRow[]> {
  const groups = new Map<string, NotificationRow[]>();
  for (const row of rows) {
    const key = `${row.account_id}\n${row.reference}`;
    const group = groups.get(key);
    if (group) group.push(row);
    else groups.set(key, [row]);
  }
  return groups;
}

async function findPayments(tx: Tx, rows: readonly NotificationRow[]): Promise<Map<string, PaymentRow>> {
  const references = [...new Set(rows.map((row) => row.reference))];
  const accounts = [...new Set(rows.map((row) => row.account_id))];
  const found = await tx.selectFrom("payments").selectAll().where("account_id", "in", accounts).where("reference", "in", references).execute();
  const map = new Map(found.map((payment) => [`${payment.account_id}\n${payment.reference}`, payment]));
  const ids = rows.filter((row) => row.provider_id !== null && !map.has(`${row.account_id}\n${row.reference}`)).map((row) => row.provider_id!);
  if (ids.length > 0) {
    const byId = await tx.selectFrom("payments").selectAll().where("account_id", "in", accounts).where("provider_id", "in", ids).execute();
    for (const payment of byId) map.set(`${payment.account_id}\n${payment.provider_id}`, payment);
  }
  return map;
}

async function routeToPayment(hub: Hub, tx: Tx, payment: PaymentRow, group: readonly NotificationRow[]): Promise<void> {
  const seqs = group.map((row) => row.seq);
  await tx.updateTable("notifications").set({ route: ROUTE.routed, payment_id: payment.id }).where("seq", "in", seqs).execute();
  const news = group.filter((row) => needsQuestion(payment, row));
  if (news.length === 0) return;
  // The claim that goes furthest beyond our state is the one that must be confirmed.
  const open = news.findLast((row) => claimIsOpen(payment.status, row.claim ?? undefined));
  const last = open ?? news.at(-1)!;
  const payload = { ...(open?.claim ? { claim: open.claim } : {}), cause: `notification ${notificationId(last.seq)}` };
  await armJob(tx, {
    kind: "payment", subject_id: payment.id, account_id: payment.account_id, due_at: hub.clocks.business.now(), priority: PRIORITY.notified,
    ...(open ? { payload } : {}),
  });
}

/**
 * A question is worth its call unless an answer asked after the arrival is on record, or the notification is an echo: it says
 * what we know already of a payment without money, such as our own cancel.
 */
function needsQuestion(payment: PaymentRow, row: NotificationRow): boolean {
  const claim = row.claim ?? undefined;
  if (claimIsOpen(payment.status, claim)) return true;
  if (payment.last_asked_at !== null && payment.last_asked_at > row.last_received_at) return false;
  const echo = claim === payment.status && !COLLECTED_STATUSES.includes(payment.status);
  return !echo;
}

async function park(hub: Hub, tx: Tx, group: readonly NotificationRow[]): Promise<void> {
  const first = group[0]!;
  await tx.updateTable("notifications").set({ route: ROUTE.parked }).where("seq", "in", group.map((row) => row.seq)).execute();
  await armJob(tx, {
    kind: "parked", subject_id: `${first.account_id}/${first.reference}`, account_id: first.account_id, due_at: hub.clocks.business.now() + PARKED_WAIT_MS,
    priority: PRIORITY.unverified, payload: { reference: first.reference, provider_id: first.provider_id, shop_id: first.shop_id },
  });
  hub.metrics.count("lunas_notifications_parked_total", {}, group.length);
}

export interface Router {
  /** Resolves when the inbox held nothing new. */
  idle(): Promise<void>;
  stop(): Promise<void>;
}

/** The inbox is looked at this often even when nothing woke us. */
const IDLE_LOOK_MS = 1_000;

/** Routes notifications until it is stopped. */
export function startRouter(hub: Hub): Router {
  let stopping = false;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;
  let again = false;
  const drain = async (): Promise<void> => {
    do {
      again = false;
      while (!stopping && (await routeBatch(hub)) > 0);
    } while (again && !stopping);
  };
  const wake = (): void => {
    if (stopping) return;
    again = true;
    if (running) return;
    clearTimeout(timer);
    running = drain()
      .catch((error: unknown) => hub.log.error({ err: error }, "the inbox could not be routed"))
      .finally(() => {
        running = undefined;
        if (!stopping) timer = setTimeout(wake, IDLE_LOOK_MS);
      });
  };
  const off = hub.signals.on("inbox", wake);
  wake();
  return {
    idle: async () => {
      wake();
      await running;
    },
    stop: async () => {
      stopping = true;
      off();
      clearTimeout(timer);
      await running;
    },
  };
}
