import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";
import { LEFT_OUT, ROOM_TESTS, WHOLE_TESTS } from "./scripts/lib/test-files.ts";

/** Our packages are read from their sources, so that no test depends on what was built before. */
const conditions = ["source", "module", "node", "development|production"];

const shared = {
  pool: "forks" as const,
  environment: "node" as const,
  exclude: [...LEFT_OUT],
  testTimeout: 20_000,
  // A hook may start a real PostgreSQL, a browser or a whole hub.
  hookTimeout: 60_000,
  allowOnly: false,
  execArgv: ["--conditions=source"],
};

const resolution = {
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: ["source", "node", "import", "module"] } },
};

export default defineConfig({
  ...resolution,
  test: {
    passWithNoTests: false,
    globalSetup: ["./tests/harness/shared-postgres.ts"],
    slowTestThreshold: 5_000,
    projects: [
      {
        ...resolution,
        test: { ...shared, name: "rooms", include: [...ROOM_TESTS], maxWorkers: Math.max(2, availableParallelism()), sequence: { groupOrder: 0 } },
      },
      {
        // These start processes, browsers and databases of their own: one file at a time, after the rooms, so that they do not disturb one another.
        ...resolution,
        test: {
          ...shared,
          name: "whole",
          include: [...WHOLE_TESTS],
          maxWorkers: 1,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
