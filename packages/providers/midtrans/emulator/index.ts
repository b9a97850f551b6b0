import type { Emulator, EmulatorWorld, MakeEmulator } from "@lunas/domain";
import { invariant } from "@lunas/domain";
import type { Context } from "./context.ts";
import { control } from "./control.ts";
import { Idempotency } from "./idempotency.ts";
import { dueTransactions, expireIfDue, ledgerEntries, saveTransaction } from "./ledger.ts";
import { makePolicy } from "./notify.ts";
import { confirmRefunds } from "./refund.ts";
import { answer, isApi } from "./routes.ts";
import { applySwitches, defaultSwitches } from "./switches.ts";
import type { StoredTransaction } from "./transaction.ts";

export { SWITCHES } from "./switches.ts";
export type { SwitchName, Switches } from "./switches.ts";

/** Does what is due: unpaid transactions expire, banks confirm refunds, old idempotency keys go. */
function tick(context: Context, idempotency: Idempotency): void {
  const { store, business } = context.world;
  store.transaction(() => {
    for (const transaction of dueTransactions(context)) {
      if (transaction.status === "pending") expireIfDue(context, transaction);
      else confirmDue(context, transaction, business.now());
    }
    idempotency.tick();
  });
}

/** Saved in any case: the switch may have been turned since, and then it is due at another time or never. */
function confirmDue(context: Context, transaction: StoredTransaction, now_ms: number): void {
  const { refund_confirm_delay_s } = context.switches;
  const confirmed = refund_confirm_delay_s < 0 ? transaction : confirmRefunds(context, transaction, now_ms - refund_confirm_delay_s * 1_000);
  saveTransaction(context, confirmed);
}

/** The provider's side of the wire, for the methods gopay, qris and bank_transfer, and for Snap (midtrans.md). */
export const midtransEmulator: MakeEmulator = (world: EmulatorWorld, switches = {}): Emulator => {
  const context: Context = { world, switches: defaultSwitches() };
  const problems = applySwitches(context.switches, switches);
  invariant(problems.length === 0, problems.join("; "));
  const idempotency = new Idempotency(context);
  return {
    provider: "midtrans",
    policy: makePolicy(context),
    handle: async (request) => answer(context, idempotency, request),
    isApi,
    tick: () => tick(context, idempotency),
    nextDue: () => world.store.nextDue(),
    control: (subject, action, input) => world.store.transaction(() => control(context, subject, action, input)),
    ledger: () => ledgerEntries(context),
    switches: () => ({ ...context.switches }),
    setSwitches: (values) => applySwitches(context.switches, values),
  };
};
