import { amountNumber, LunasError, money, type PaymentObservation } from "@lunas/domain";
import { createOrder } from "../collect/orders.ts";
import { createPayment, type Opened } from "../collect/payments.ts";
import type { OrderRow, PaymentRow } from "../collect/rows.ts";
import { runParkedJob } from "../ingest/parked.ts";
import { Inbox } from "../ingest/receive.ts";
import { startRouter } from "../ingest/router.ts";
import { HANDLERS, startWorker } from "../reconcile/worker.ts";
import { openMigratedStore, type Store } from "../store/index.ts";
import type { FakeClaims } from "./fake-gateway.ts";
import { makeTestHub, type TestHub, type TestHubOptions } from "./make-hub.ts";

/** A test hub whose inbox and jobs are worked off when the test says so. */
export interface DrivenHub extends TestHub {
  readonly inbox: Inbox;
  order(amount?: number): Promise<OrderRow>;
  /** Opens a payment as the API does. */
  open(order_id: string, method?: string): Promise<PaymentRow>;
  /** Opens a payment that the test knows will be refused. @returns the error's code. */
  openRefused(order_id: string, method?: string): Promise<string>;
  /** A callback arrives. @returns its HTTP status. */
  notify(reference: string, status: PaymentObservation, proof?: string, more?: FakeClaims): Promise<number>;
  /** Works off all that is due now. */
  settle(): Promise<void>;
  /** Lets business time pass and works off what falls due, in one leap. */
  advance(by_ms: number): Promise<void>;
  payment(id: string): Promise<PaymentRow>;
  orderRow(id: string): Promise<OrderRow>;
  /** `type#sequence` of the events of a subject, in order. */
  events(subject_id: string): Promise<string[]>;
}

/** The engines that a room's tests run on. PostgreSQL is a real one, started by the tests. */
export const ENGINES = ["sqlite", "postgres"] as const;

export async function driveHub(engine: (typeof ENGINES)[number] = "sqlite", options: TestHubOptions = {}): Promise<DrivenHub> {
  const store = await testStore(engine);
  const test = await makeTestHub({ ...options, store });
  const { hub } = test;
  const router = startRouter(hub);
  const worker = startWorker(hub, { ...HANDLERS, parked: runParkedJob });
  const inbox = new Inbox(hub);
  let orders = 0;
  const settle = async (): Promise<void> => {
    await router.idle();
    await worker.idle();
  };
  const open = async (order_id: string, method = "gopay"): Promise<Opened> =>
    createPayment(hub, test.shop_id, order_id, { method }, "test", async () => {});
  return {
    ...test,
    inbox,
    settle,
    order: async (amount = 44_000) => {
      orders += 1;
      const wish = {
        reference: `INV-${orders}`,
        amount: money(BigInt(amount) * 100n, "IDR"),
        items: [],
        customer: {},
        expires_in_s: 86_400,
        metadata: {},
      };
      return (await createOrder(hub, test.shop_id, wish, async () => {})).order;
    },
    open: async (order_id, method) => (await open(order_id, method)).payment,
    openRefused: (order_id, method) =>
      open(order_id, method).then(
        (opened) => `opened ${opened.payment.status}`,
        (error: unknown) => {
          if (error instanceof LunasError) return error.code;
          throw error;
        },
      ),
    notify: async (reference, status, proof, more) =>
      (await inbox.receive(test.slug, test.gateway.callback(reference, status, proof, more), "203.0.113.9")).status,
    advance: async (by_ms) => {
      test.clock.advance(by_ms);
      await settle();
    },
    payment: (id) => store.read((db) => db.selectFrom("payments").selectAll().where("id", "=", id).executeTakeFirstOrThrow()),
    orderRow: (id) => store.read((db) => db.selectFrom("orders").selectAll().where("id", "=", id).executeTakeFirstOrThrow()),
    events: async (subject_id) => {
      const rows = await store.read((db) =>
        db.selectFrom("events").select(["type", "sequence"]).where("subject_id", "=", subject_id).orderBy("sequence").execute(),
      );
      return rows.map((row) => `${row.type}#${row.sequence}`);
    },
    close: async () => {
      await worker.stop();
      await router.stop();
      await test.close();
      await store.close();
    },
  };
}

/** An empty database of its own; the test closes it. */
export async function testStore(engine: (typeof ENGINES)[number]): Promise<Store> {
  return openMigratedStore(engine === "postgres" ? await freshPostgres() : "sqlite::memory:");
}

/** Loaded only where it is used: a test on SQLite needs no PostgreSQL. */
async function freshPostgres(): Promise<string> {
  const harness = await import("../../../../tests/harness/postgres.ts");
  return harness.freshDatabase();
}

export function rupiah(minor: bigint): number {
  return amountNumber(money(minor, "IDR"));
}
