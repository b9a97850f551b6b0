// npm run chaos: the long form, in some minutes: 20 kills on each database, and a restore. `npm run chaos -- --engine postgres --kills 40 --seed 9`
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

const counts = (numbers: Readonly<Record<string, number>>): string =>
  Object.entries(numbers)
    .map(([name, times]) => `${name} ${times}`)
    .join(", ");

function report(name: string, result: ChaosReport): void {
  const { kills, kills_at_start, orders, notifications, events, given_up, problems, seconds } = result;
  const lines = [
    `${name}, ${seconds} s: ${kills} kills (${kills_at_start} during a start), ${orders} orders, ${notifications} notifications, ${events} webhooks taken`,
    `  struck: ${counts(result.strikes)}`,
    `  seen: ${counts(result.seen)}, given up ${given_up.length}`,
    ...given_up.slice(0, 5).map((line) => `    ${line}`),
    // What has not happened was not survived.
    ...Object.entries({ ...result.strikes, ...result.seen }).flatMap(([what, times]) => (times === 0 ? [`  MISSING ${what} never happened`] : [])),
    `  ${problems.length} problems`,
    ...problems.map((line) => `  PROBLEM ${line}`),
  ];
  process.stdout.write(`${lines.join("\n")}\n`);
  if (problems.length > 0 || Object.values({ ...result.strikes, ...result.seen }).includes(0)) process.exitCode = 1;
}

process.stdout.write(`seed ${seed}\n`);
if (values.engine !== "postgres") {
  report("SQLite", await runChaos(shared));
  report("SQLite, restored from an older copy", await runChaos({ ...shared, seed: seed + 1, kills: 6, restore: true }));
}
if (values.engine !== "sqlite") report("PostgreSQL", await runChaos({ ...shared, databaseUrl: await freshDatabase() }));
process.stdout.write(`all of it in ${Math.round(performance.now() / 1000)} s\n`);
process.exit();
