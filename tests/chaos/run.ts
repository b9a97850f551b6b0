// npm run chaos: the long form. `npm run chaos -- --engine postgres --kills 40 --seed 9`
import { parseArgs } from "node:util";
import { freshDatabase } from "../harness/postgres.ts";
import { type ChaosReport, runChaos } from "./chaos.ts";

const { values } = parseArgs({
  options: {
    engine: { type: "string", default: "both" },
    kills: { type: "string", default: "20" },
    orders: { type: "string", default: "60" },
    seed: { type: "string", default: String(Date.now() % 100_000) },
  },
});

const seed = Number(values.seed);
const shared = { seed, kills: Number(values.kills), orders: Number(values.orders), say: (text: string) => void process.stdout.write(`  ${text}\n`) };

function report(name: string, result: ChaosReport): void {
  process.stdout.write(
    `${name}: ${result.kills} kills, ${result.orders} orders, ${result.notifications} notifications, ${result.events} webhooks taken, ${result.given_up.length} orders given up, ${result.problems.length} problems\n`,
  );
  for (const line of [...result.given_up.slice(0, 5), ...result.problems]) process.stdout.write(`  ${line}\n`);
  if (result.problems.length > 0) process.exitCode = 1;
}

process.stdout.write(`seed ${seed}\n`);
if (values.engine !== "postgres") {
  report("SQLite", await runChaos(shared));
  report("SQLite, restored from an older copy", await runChaos({ ...shared, seed: seed + 1, kills: 6, restore: true }));
}
if (values.engine !== "sqlite") report("PostgreSQL", await runChaos({ ...shared, databaseUrl: await freshDatabase() }));
process.exit();
