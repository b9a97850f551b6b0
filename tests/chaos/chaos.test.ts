import { expect, test } from "vitest";
import { freshDatabase } from "../harness/postgres.ts";
import { type ChaosReport, runChaos } from "./chaos.ts";

const PATIENCE_MS = 240_000;

function expectSound(report: ChaosReport, kills: number): void {
  expect(report.problems).toEqual([]);
  expect(report.kills).toBeGreaterThanOrEqual(kills);
  expect(report.orders).toBeGreaterThan(5);
  expect(report.notifications).toBeGreaterThan(report.orders);
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
