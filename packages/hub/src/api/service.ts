import { LIVE_STATUSES } from "@lunas/domain";
import type { FastifyPluginAsync } from "fastify";
import { type RawBuilder, sql } from "kysely";
import type { Hub } from "../hub.ts";
import { type GaugeValue, isExposed } from "../metrics.ts";
import { ROUTE } from "../store/index.ts";
import { metricsGuard } from "./metrics-guard.ts";

export interface Readiness {
  readonly ok: boolean;
  readonly problems: readonly string[];
}

const hidden = { schema: { hide: true } } as const;

/** For whoever runs the hub: is it alive, can it work, and how far behind is it. */
export function serviceRoutes(hub: Hub, ready: () => Promise<Readiness>, metricsToken?: string): FastifyPluginAsync {
  const guard = metricsGuard(hub, metricsToken);
  return async (app) => {
    app.get("/healthz", hidden, async () => ({ status: "ok" }));
    app.get("/readyz", hidden, async (_request, reply) => {
      const { ok, problems } = await ready().catch((error: unknown) => {
        hub.log.warn({ err: error }, "the readiness check failed");
        return { ok: false, problems: ["the database cannot be read"] };
      });
      return reply.code(ok ? 200 : 503).send({ status: ok ? "ok" : "not ready", problems });
    });
    app.get("/metrics", hidden, async (request, reply) => {
      guard(request);
      const gauges = await readGauges(hub);
      if (!isExposed(hub.metrics)) return reply.type("text/plain").send(gauges.map(({ name, value }) => `${name} ${value}\n`).join(""));
      return reply.type(hub.metrics.content_type).send(await hub.metrics.render(gauges));
    });
  };
}

type Question = RawBuilder<{ found: number | null }>;

/** Backlogs as ages in seconds of business time, and counts of what waits for a person. Each question reads an index. */
async function readGauges(hub: Hub): Promise<GaugeValue[]> {
  const now = hub.clocks.business.now();
  const ages: readonly [string, string, Question][] = [
    [
      "lunas_inbox_oldest_seconds",
      "Age of the oldest notification that was not routed.",
      sql`SELECT received_at AS found FROM notifications WHERE route = ${ROUTE.new} ORDER BY seq LIMIT 1`,
    ],
    ["lunas_jobs_oldest_seconds", "How long the oldest due job has been due.", sql`SELECT MIN(due_at) AS found FROM jobs WHERE lease_until IS NULL`],
    [
      "lunas_deliveries_oldest_seconds",
      "How long the oldest due delivery has been due.",
      sql`SELECT due_at AS found FROM deliveries WHERE status = 'due' ORDER BY due_at LIMIT 1`,
    ],
  ];
  const counts: readonly [string, string, Question][] = [
    [
      "lunas_unmatched_money_open",
      "Money of no payment that nobody has matched or paid back.",
      sql`SELECT COUNT(*) AS found FROM unmatched_money WHERE payment_id IS NULL AND status IN ('paid', 'partially_refunded')`,
    ],
    [
      "lunas_notifications_quarantined",
      "Forged notifications that are kept.",
      sql`SELECT COUNT(*) AS found FROM notifications WHERE route = ${ROUTE.quarantined}`,
    ],
    [
      "lunas_payments_live",
      "Payments that are not final.",
      sql`SELECT COUNT(*) AS found FROM payments WHERE status IN (${sql.join([...LIVE_STATUSES])})`,
    ],
  ];
  const ask = async (question: Question): Promise<number | null> => (await hub.store.read((db) => question.execute(db))).rows[0]?.found ?? null;
  const gauges: GaugeValue[] = [];
  for (const [name, help, question] of ages) {
    const at = await ask(question);
    gauges.push({ name, help, value: at === null ? 0 : Math.max(0, (now - at) / 1000) });
  }
  for (const [name, help, question] of counts) gauges.push({ name, help, value: (await ask(question)) ?? 0 });
  gauges.push({ name: "lunas_on_hold", help: "1 while nothing that moves money is sent.", value: hub.hold.reason === undefined ? 0 : 1 });
  return gauges;
}
