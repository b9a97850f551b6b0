import { afterAll, beforeAll, describe } from "vitest";
import { jobGuarantees } from "./conformance/jobs.ts";
import { notificationGuarantees } from "./conformance/notifications.ts";
import { transactionGuarantees } from "./conformance/transactions.ts";
import { valueGuarantees } from "./conformance/values.ts";
import { migrate, type Store } from "./index.ts";

/** How a suite gets at an engine. */
export interface Bench {
  /** Opens the database of this suite, migrated, once more or for the first time: on PostgreSQL another hub, on SQLite the only one. */
  readonly open: () => Promise<Store>;
}

/** What every store guarantees, whatever its engine. Run by one test file per engine. */
export function storeConformance(name: string, { open }: Bench): void {
  describe(`${name}: every store`, () => {
    const held: { store: Store | undefined } = { store: undefined };
    const store = () => held.store!;
    beforeAll(async () => {
      held.store = await open();
      await migrate(held.store);
    });
    afterAll(() => held.store?.close());
    transactionGuarantees(store);
    valueGuarantees(store);
    notificationGuarantees(store);
    jobGuarantees(store);
  });
}
