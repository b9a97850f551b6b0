// A hub as a process of its own, with a gateway without latency, that seeds and counts when it is told to.
import { sql } from "kysely";
import { readConfig } from "../../packages/hub/src/config.ts";
import { startHub } from "../../packages/hub/src/main.ts";
import { PRIORITY } from "../../packages/hub/src/store/jobs.ts";
import type { Counts, Progress } from "./bench.ts";
import { FUTURE_MS, seedDeliveries, seedHistory, seedPayments } from "./seed.ts";
import { zeroLatencyMidtrans } from "./zero-gateway.ts";

interface Question {
  readonly do: "seed-payments" | "seed-history" | "seed-deliveries" | "release-deliveries" | "progress" | "count" | "payment-ids" | "memory" | "cpu";
  readonly count?: number;
  readonly prefix?: string;
  readonly urls?: readonly string[];
  /** The hub has never sent anything to these endpoints. */
  readonly strangers?: boolean;
}

const running = await startHub(readConfig(process.env), { providers: [zeroLatencyMidtrans], followClock: false });
const { hub } = running;
let offset_ms = 0;
// Nobody listens at the development shop's endpoint: calling it in vain is not what is measured. `deliver` brings its own.
await hub.store.write((tx) => tx.updateTable("endpoints").set({ status: "deleted" }).execute());

/** One row of numbers. */
async function numbers<T>(query: ReturnType<typeof sql>): Promise<T> {
  const { rows } = await hub.store.read((db) => query.execute(db));
  return Object.fromEntries(Object.entries(rows[0] as object).map(([name, value]) => [name, Number(value)])) as T;
}

/** Whether something is left of each, not how much: it is asked while the hub works. */
function progress(): Promise<Progress> {
  return numbers(sql`SELECT
    (SELECT COUNT(*) FROM (SELECT 1 FROM notifications WHERE route = 0 LIMIT 1) AS one) AS waiting,
    (SELECT COUNT(*) FROM (SELECT 1 FROM jobs WHERE lease_until IS NULL AND priority = ${PRIORITY.notified} LIMIT 1) AS one)
      + (SELECT COUNT(*) FROM (SELECT 1 FROM jobs WHERE lease_until IS NOT NULL LIMIT 1) AS one) AS asking,
    (SELECT COUNT(*) FROM (SELECT 1 FROM deliveries WHERE status = 'due' LIMIT 1) AS one) AS undelivered`);
}

function count(): Promise<Counts> {
  const paid = sql`subject_type = 'payment' AND to_status = 'paid'`;
  return numbers(sql`SELECT
    (SELECT COUNT(*) FROM notifications) AS stored,
    (SELECT COUNT(*) FROM payments WHERE status = 'paid') AS paid,
    (SELECT COUNT(*) FROM transitions WHERE ${paid}) AS transitions,
    (SELECT COUNT(DISTINCT subject_id) FROM transitions WHERE ${paid}) AS transitions_distinct,
    (SELECT COUNT(*) FROM events WHERE type = 'payment.paid') AS events,
    (SELECT COUNT(DISTINCT subject_id) FROM events WHERE type = 'payment.paid') AS events_distinct`);
}

async function answer(question: Question): Promise<object> {
  switch (question.do) {
    case "seed-payments":
      return { references: await seedPayments(hub, question.count ?? 0, question.prefix ?? "B") };
    case "seed-history":
      return seedHistory(hub, question.count ?? 0);
    case "seed-deliveries":
      return seedDeliveries(hub, question.urls ?? [], question.count ?? 0, question.strangers ?? false);
    case "release-deliveries":
      running.setBusinessOffset((offset_ms += FUTURE_MS));
      return {};
    case "progress":
      return progress();
    case "count":
      return count();
    case "payment-ids": {
      const rows = await hub.store.read((db) =>
        db
          .selectFrom("payments")
          .select("id")
          .orderBy("id")
          .limit(question.count ?? 0)
          .execute(),
      );
      return { ids: rows.map((row) => row.id) };
    }
    case "cpu": {
      const { user, system } = process.cpuUsage();
      return { cpu_ms: (user + system) / 1000 };
    }
    case "memory":
      return { rss_mb: process.memoryUsage.rss() / 2 ** 20, peak_mb: process.resourceUsage().maxRSS / 2 ** 10 };
  }
}

process.on("message", (question: Question) => {
  answer(question).then(
    (told) => process.send!(told),
    (error: unknown) => process.send!({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  );
});
process.send!({ url: running.url });
// Whoever started us is gone.
process.once("disconnect", () => process.exit());
