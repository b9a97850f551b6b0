import { expect, test } from "vitest";
import { freshDatabase } from "../harness/postgres.ts";
import { type ChaosReport, runChaos } from "./chaos.ts";
import { FAULTS, faultName } from "./strikes.ts";

const PATIENCE_MS = 360_000;

/** Nothing is wrong, and the run has shown that it could have been: every fault has struck, and what is rare has happened. */
function expectSound(report: ChaosReport, kills: number): void {
  expect(report.problems).toEqual([]);
  expect(report.kills).toBeGreaterThan(kills);
  expect(report.kills_at_start).toBeGreaterThan(0);
  expect(report.orders).toBeGreaterThanOrEqual(12);
  expect(report.notifications).toBeGreaterThan(report.orders);
  expect(report.events).toBeGreaterThan(report.orders);
  expect(Object.keys(report.strikes).sort()).toEqual(FAULTS.map(faultName).sort());
  for (const [what, times] of Object.entries({ ...report.strikes, ...report.seen })) expect(times, what).toBeGreaterThan(0);
}

test(
  "SQLite: killed again and again under load, nothing that was answered is lost, doubled or invented (F2, F3, F11, F12, F16)",
  { timeout: PATIENCE_MS },
  async () => {
    expectSound(await runChaos({ seed: 101, kills: 4, orders: 16 }), 4);
  },
);

test(
  "SQLite: restored from an older copy, the hub asks before it acts, and no money is missing or paid back twice",
  { timeout: PATIENCE_MS },
  async () => {
    expectSound(await runChaos({ seed: 202, kills: 3, orders: 12, restore: true }), 3);
  },
);

test(
  "PostgreSQL: killed again and again under load, nothing that was answered is lost, doubled or invented (F2, F3, F11, F12, F16)",
  { timeout: PATIENCE_MS },
  async () => {
    expectSound(await runChaos({ seed: 303, kills: 3, orders: 12, databaseUrl: await freshDatabase() }), 3);
  },
);
