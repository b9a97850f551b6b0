// A hub as a process of its own, with a gateway without latency, that seeds and counts when it is told to.
import { startHub } from "../../packages/hub/src/main.ts";
import { readConfig } from "../../packages/hub/src/config.ts";
import { seedDeliveries, seedHistory, seedPayments } from "./seed.ts";
import { zeroLatencyMidtrans } from "./zero-gateway.ts";

interface Question {
  readonly do: "seed-payments" | "seed-history" | "seed-deliveries" | "count" | "memory";
  readonly count?: number;
  readonly prefix?: string;
  readonly urls?: readonly string[];
}

const running = await startHub(readConfig(process.env), { providers: [zeroLatencyMidtrans], followClock: false });

async function answer(question: Question): Promise<Record<string, unknown>> {
  const { hub } = running;
  switch (question.do) {
    case "seed-payments":
      return { references: await seedPayments(hub, question.count ?? 0, question.prefix ?? "B") };
    case "seed-history":
      await seedHistory(hub, question.count ?? 0);
      return {};
    case "seed-deliveries":
      return { seeded: await seedDeliveries(hub, question.urls ?? [], question.count ?? 0) };
    case "count": {
      const rows = await hub.store.read(async (db) => ({
        stored: await db.selectFrom("notifications").select((eb) => eb.fn.countAll<number>().as("count")).executeTakeFirstOrThrow(),
        waiting: await db.selectFrom("notifications").select((eb) => eb.fn.countAll<number>().as("count")).where("route", "=", 0).executeTakeFirstOrThrow(),
        paid: await db.selectFrom("payments").select((eb) => eb.fn.countAll<number>().as("count")).where("status", "=", "paid").executeTakeFirstOrThrow(),
        delivered: await db.selectFrom("deliveries").select((eb) => eb.fn.countAll<number>().as("count")).where("status", "=", "delivered").executeTakeFirstOrThrow(),
      }));
      return { stored: Number(rows.stored.count), waiting: Number(rows.waiting.count), paid: Number(rows.paid.count), delivered: Number(rows.delivered.count) };
    }
    case "memory":
      return { rss_mb: process.memoryUsage.rss() / 1024 / 1024 };
  }
}

process.on("message", (question: Question) => {
  answer(question).then((told) => process.send!(told), (error: unknown) => process.send!({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }));
});
process.send!({ url: running.url });
