import { COLLECTED_STATUSES } from "@lunas/domain";
import { sql } from "kysely";
import type { Selectable } from "kysely";
import { claimIsOpen, claimWord, further, readClaim, writeClaim } from "../collect/claims.ts";
import type { PaymentRow, RefundRow } from "../collect/rows.ts";
import { isOwn, knownOfRow, readTransactions, type TransactionRow, UNNAMED } from "../collect/transactions.ts";
import type { Hub } from "../hub.ts";
import { armJob, armJobs, type JobRequest, PRIORITY } from "../store/jobs.ts";
import { type NotificationsTable, ROUTE, type Tx } from "../store/index.ts";
import { RUSH_REST_MS, RUSH_SHARE, rushOf } from "../rush.ts";
import { notificationId } from "./notification-id.ts";
import { parkedSubject } from "./parked.ts";

type NotificationRow = Selectable<NotificationsTable>;

const BATCH = 100;
/** An unknown subject is asked about a little later: the hub that opens it may be about to commit. */
const PARKED_WAIT_MS = 5_000;

/**
 * Leads new notifications to what they speak of: one question per payment, however many notifications there are.
 * @returns how many were routed; fewer than a batch means that the inbox is empty.
 */
export async function routeBatch(hub: Hub, limit: number = BATCH): Promise<number> {
  const routed = await hub.store.write(async (tx) => {
    const { rows } = await sql<NotificationRow>`
      SELECT * FROM notifications WHERE route = ${ROUTE.new} ORDER BY seq LIMIT ${limit} ${sql.raw(hub.store.engine.skipLocked)}`.execute(tx);
    if (rows.length === 0) return 0;
    const payments = await findPayments(tx, rows);
    const known = new Map<PaymentRow, NotificationRow[]>();
    const unknown = new Map<string, NotificationRow[]>();
    for (const row of rows) {
      const payment =
        payments.get(`${row.account_id}\n${row.reference}`) ?? (row.provider_id ? payments.get(`${row.account_id}\n${row.provider_id}`) : undefined);
      if (payment) add(known, payment, row);
      else add(unknown, `${row.account_id}\n${row.reference}\n${row.provider_id ?? ""}`, row);
    }
    await routeToPayments(hub, tx, known);
    for (const group of unknown.values()) await park(hub, tx, group);
    return rows.length;
  });
  if (routed > 0) hub.signals.emit({ kind: "jobs" });
  return routed;
}

function add<K>(groups: Map<K, NotificationRow[]>, key: K, row: NotificationRow): void {
  const group = groups.get(key);
  if (group) group.push(row);
  else groups.set(key, [row]);
}

async function findPayments(tx: Tx, rows: readonly NotificationRow[]): Promise<Map<string, PaymentRow>> {
  const references = [...new Set(rows.map((row) => row.reference))];
  const accounts = [...new Set(rows.map((row) => row.account_id))];
  const found = await tx.selectFrom("payments").selectAll().where("account_id", "in", accounts).where("reference", "in", references).execute();
  const map = new Map(found.map((payment) => [`${payment.account_id}\n${payment.reference}`, payment]));
  const ids = rows.filter((row) => row.provider_id !== null && !map.has(`${row.account_id}\n${row.reference}`)).map((row) => row.provider_id!);
  if (ids.length > 0) {
    const byId = await tx.selectFrom("payments").selectAll().where("account_id", "in", accounts).where("provider_id", "in", ids).execute();
    // One object for one payment, however it was found.
    const seen = new Map(found.map((payment) => [payment.id, payment]));
    for (const payment of byId) map.set(`${payment.account_id}\n${payment.provider_id}`, seen.get(payment.id) ?? payment);
  }
  return map;
}

/** A payment with the notifications that speak of it, and what was known of its transactions before them. */
interface Group {
  readonly payment: PaymentRow;
  readonly notifications: readonly NotificationRow[];
  readonly transactions: ReadonlyMap<string, TransactionRow>;
  readonly refunds: readonly RefundRow[];
}

/** One statement for all notifications, one for what they claim and one for all questions. */
async function routeToPayments(hub: Hub, tx: Tx, known: ReadonlyMap<PaymentRow, readonly NotificationRow[]>): Promise<void> {
  if (known.size === 0) return;
  const [before, after] = hub.store.engine.jsonRows;
  const led = [...known].flatMap(([payment, rows]) => rows.map((row) => [row.seq, payment.id]));
  await sql`UPDATE notifications SET route = ${ROUTE.routed}, payment_id = given.payment_id
    FROM (SELECT CAST(value->>0 AS BIGINT) AS seq, value->>1 AS payment_id FROM ${sql.raw(before)}${JSON.stringify(led)}${sql.raw(after)}) AS given
    WHERE notifications.seq = given.seq`.execute(tx);
  const groups = await withTransactions(tx, known);
  await keepClaims(
    tx,
    groups.flatMap((group) => claimsOf(group, hub.clocks.business.now())),
  );
  await armJobs(
    tx,
    groups.flatMap((group) => question(hub, group) ?? []),
  );
}

async function withTransactions(tx: Tx, known: ReadonlyMap<PaymentRow, readonly NotificationRow[]>): Promise<Group[]> {
  const ids = [...known.keys()].map((payment) => payment.id);
  const rows = Map.groupBy(await readTransactions(tx, ids), (row) => row.payment_id);
  // Refunds are looked at only where a notification speaks of them.
  const speaking = [...known].filter(([, notifications]) => notifications.some((one) => one.claim?.includes("confirmed="))).map(([{ id }]) => id);
  const refunds = speaking.length === 0 ? [] : await tx.selectFrom("refunds").selectAll().where("payment_id", "in", speaking).execute();
  return [...known].map(([payment, notifications]) => ({
    payment,
    notifications,
    transactions: new Map((rows.get(payment.id) ?? []).map((row) => [row.provider_id, row])),
    refunds,
  }));
}

/** Whether a notification says more of its transaction than what we know of that. */
function isOpen({ payment, transactions, refunds }: Group, row: NotificationRow): boolean {
  const provider_id = row.provider_id ?? UNNAMED;
  return claimIsOpen(knownOfRow(payment, refunds, provider_id, transactions.get(provider_id)), readClaim(row.claim));
}

/**
 * What these notifications add to what is known of a payment's transactions: an id that was never seen, and claims that are to be confirmed. A
 * repetition was followed up when it first came.
 */
function claimsOf(group: Group, seen_at: number): TransactionRow[] {
  const { payment, transactions } = group;
  const added = new Map<string, TransactionRow>();
  for (const row of group.notifications) {
    const provider_id = row.provider_id ?? UNNAMED;
    const known = added.get(provider_id) ?? transactions.get(provider_id);
    const claim = row.payment_id === null && isOpen(group, row) ? readClaim(row.claim) : undefined;
    if (claim === undefined && (known !== undefined || isOwn(payment, provider_id))) continue;
    const before: TransactionRow = known ?? { payment_id: payment.id, provider_id, status: null, absent: 0, claim: null, seen_at, asked_at: null };
    added.set(provider_id, claim ? { ...before, claim: writeClaim(further(readClaim(before.claim), claim)) } : before);
  }
  return [...added.values()];
}

/** In the order of their keys, so that two hubs never wait for one another. */
async function keepClaims(tx: Tx, rows: readonly TransactionRow[]): Promise<void> {
  if (rows.length === 0) return;
  const key = (row: TransactionRow): string => `${row.payment_id} ${row.provider_id}`;
  await tx
    .insertInto("payment_transactions")
    .values(rows.toSorted((a, b) => (key(a) < key(b) ? -1 : 1)))
    .onConflict((oc) =>
      oc.columns(["payment_id", "provider_id"]).doUpdateSet({ claim: sql<string | null>`COALESCE(excluded.claim, payment_transactions.claim)` }),
    )
    .execute();
}

/** The question that these notifications of a payment call for, if any. */
function question(hub: Hub, group: Group): JobRequest | undefined {
  const { payment } = group;
  const news = group.notifications.filter((row) => needsQuestion(group, row));
  if (news.length === 0) return undefined;
  const open = news.findLast((row) => isOpen(group, row));
  const last = open ?? news.at(-1)!;
  const payload = { cause: `notification ${notificationId(last.seq)}` };
  return {
    kind: "payment",
    subject_id: payment.id,
    account_id: payment.account_id,
    due_at: hub.clocks.business.now(),
    priority: PRIORITY.notified,
    // With a new claim the questions that follow it begin anew; a repetition does not put off their end.
    ...(open && open.payment_id === null ? { payload } : {}),
  };
}

/**
 * A question is worth its call unless an answer asked after the arrival is on record, or the notification is an echo: it says
 * what we know already of a payment without money, such as our own cancel. One of a transaction that nobody here has seen always is.
 */
function needsQuestion(group: Group, row: NotificationRow): boolean {
  const { payment, transactions } = group;
  if (isOpen(group, row)) return true;
  const own = isOwn(payment, row.provider_id);
  if (!own && !transactions.has(row.provider_id!)) return true;
  if (payment.last_asked_at !== null && payment.last_asked_at > row.last_received_at) return false;
  const echo = own && claimWord(row.claim) === payment.status && !COLLECTED_STATUSES.includes(payment.status);
  return !echo;
}

/** One question for each transaction: several of one reference may all have money. */
async function park(hub: Hub, tx: Tx, group: readonly NotificationRow[]): Promise<void> {
  const first = group[0]!;
  await tx
    .updateTable("notifications")
    .set({ route: ROUTE.parked })
    .where(
      "seq",
      "in",
      group.map((row) => row.seq),
    )
    .execute();
  await armJob(tx, {
    kind: "parked",
    subject_id: parkedSubject(first),
    account_id: first.account_id,
    due_at: hub.clocks.business.now() + PARKED_WAIT_MS,
    priority: PRIORITY.unverified,
    payload: { reference: first.reference, provider_id: first.provider_id, shop_id: first.shop_id, each: true },
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
  let wakeFromRest: (() => void) | undefined;
  const rush = rushOf(hub);

  const rest = (): Promise<void> =>
    new Promise((resolve) => {
      const timeout = setTimeout(resolve, RUSH_REST_MS);
      wakeFromRest = () => {
        clearTimeout(timeout);
        resolve();
      };
    });
  const drain = async (): Promise<void> => {
    do {
      again = false;
      while (!stopping && (await routeBatch(hub, rush.on ? RUSH_SHARE : BATCH)) > 0) if (rush.on) await rest();
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
      wakeFromRest?.();
      await running;
    },
  };
}
