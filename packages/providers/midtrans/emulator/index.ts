import type { Emulator, EmulatorRequest, EmulatorResponse, EmulatorWorld, MakeEmulator } from "@lunas/domain";
import { invariant } from "@lunas/domain";
import { charge } from "./charge.ts";
import type { Context } from "./context.ts";
import { coreError, json, merchantOf } from "./context.ts";
import { control } from "./control.ts";
import { Idempotency } from "./idempotency.ts";
import { dueTransactions, expireIfDue, ledgerEntries } from "./ledger.ts";
import { makePolicy } from "./notify.ts";
import { close, review, status } from "./operations.ts";
import { confirmRefunds, refund } from "./refund.ts";
import { applySwitches, defaultSwitches } from "./switches.ts";
import type { Merchant } from "./transaction.ts";

export { SWITCHES } from "./switches.ts";
export type { SwitchName, Switches } from "./switches.ts";

type ApiRoute = (context: Context, request: EmulatorRequest, merchant: Merchant, id: string) => EmulatorResponse;

interface ApiRow {
  readonly method: "GET" | "POST";
  readonly path: RegExp;
  readonly run: ApiRoute;
}

/** A merchant's calls to the Core API. Ids come un-encoded from most clients (midtrans.md §14), so an id is what stands between the slashes. */
const CORE: readonly ApiRow[] = [
  { method: "POST", path: /^\/v2\/charge$/, run: charge },
  { method: "GET", path: /^\/v2\/([^/]+)\/status$/, run: status },
  { method: "POST", path: /^\/v2\/([^/]+)\/cancel$/, run: (context, _request, merchant, id) => close(context, merchant, id, "cancel") },
  { method: "POST", path: /^\/v2\/([^/]+)\/expire$/, run: (context, _request, merchant, id) => close(context, merchant, id, "expire") },
  { method: "POST", path: /^\/v2\/([^/]+)\/(?:approve|deny)$/, run: (context, _request, merchant, id) => review(context, merchant, id) },
  { method: "POST", path: /^\/v2\/([^/]+)\/refund$/, run: (context, request, merchant, id) => refund(context, request, merchant, id, false) },
  {
    method: "POST",
    path: /^\/v2\/([^/]+)\/refund\/online\/direct$/,
    run: (context, request, merchant, id) => refund(context, request, merchant, id, true),
  },
];

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function findCore(request: Pick<EmulatorRequest, "method" | "path">): { row: ApiRow; id: string } | undefined {
  for (const row of CORE) {
    const match = row.method === request.method ? row.path.exec(request.path) : null;
    if (match) return { row, id: decoded(match[1] ?? "") };
  }
  return undefined;
}

async function handleCore(context: Context, idempotency: Idempotency, request: EmulatorRequest): Promise<EmulatorResponse | undefined> {
  const found = findCore(request);
  if (!found) return undefined;
  const merchant = merchantOf(context, request);
  if (!merchant) return coreError(context, 401, context.switches.message_401);
  return idempotency.around(request, merchant, () => context.world.store.transaction(() => found.row.run(context, request, merchant, found.id)));
}

function tick(context: Context, idempotency: Idempotency): void {
  const { store, business } = context.world;
  store.transaction(() => {
    for (const transaction of dueTransactions(context)) {
      expireIfDue(context, transaction);
      if (transaction.status !== "pending") confirmRefunds(context, transaction, business.now() - context.switches.refund_confirm_delay_s * 1_000);
    }
    idempotency.tick();
  });
}

/** The provider's side of the wire, for the methods gopay, qris and bank_transfer, and for Snap. */
export const midtransEmulator: MakeEmulator = (world: EmulatorWorld, switches = {}): Emulator => {
  const context: Context = { world, switches: defaultSwitches() };
  const problems = applySwitches(context.switches, switches);
  invariant(problems.length === 0, problems.join("; "));
  const idempotency = new Idempotency(context);
  return {
    provider: "midtrans",
    policy: makePolicy(context),
    handle: async (request) =>
      (await handleCore(context, idempotency, request)) ?? json(404, { status_code: "404", status_message: "The requested resource is not found" }),
    isApi: (request) => findCore(request) !== undefined,
    tick: () => tick(context, idempotency),
    nextDue: () => world.store.nextDue(),
    control: (subject, action, input) => world.store.transaction(() => control(context, subject, action, input)),
    ledger: () => ledgerEntries(context),
    switches: () => ({ ...context.switches }),
    setSwitches: (values) => applySwitches(context.switches, values),
  };
};
