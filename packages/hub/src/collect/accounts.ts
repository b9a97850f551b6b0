import { invariant, LunasError, type Gateway, type Http, type Provider } from "@lunas/domain";
import type { Hub } from "../hub.ts";
import type { Db, Tx } from "../store/index.ts";
import type { Vault } from "../vault.ts";
import type { AccountRow } from "./rows.ts";

/** An account with its credentials opened: the current ones first, then older ones that still count for callbacks. */
export interface OpenAccount {
  readonly row: AccountRow;
  readonly provider: Provider;
  /** Parsed by the provider's own schema. */
  readonly configs: readonly unknown[];
}

const accountContext = (id: string): string => `account:${id}`;

export function sealCredentials(hub: Pick<Hub, "vault">, account_id: string, list: readonly Record<string, unknown>[]): Uint8Array {
  return hub.vault.seal(accountContext(account_id), JSON.stringify(list));
}

export function openCredentials(hub: Pick<Hub, "vault">, row: Pick<AccountRow, "id" | "credentials">): Record<string, unknown>[] {
  return JSON.parse(hub.vault.openText(accountContext(row.id), row.credentials)) as Record<string, unknown>[];
}

/** What was opened last of each account. The same sealed bytes hold the same credentials: whoever changes them seals them anew. */
const opened = new WeakMap<Vault, Map<string, { readonly sealed: Uint8Array; readonly configs: readonly unknown[] }>>();
const OPENED_MAX = 1_000;

type Opening = { readonly account: OpenAccount; readonly why?: undefined } | { readonly account?: undefined; readonly why: string };

/** Opens an account, or says why this hub cannot use it: a hub of another version may have made it. */
export function tryAccount(hub: Hub, row: AccountRow): Opening {
  const provider = hub.providers.get(row.provider);
  if (!provider) return { why: `account ${row.slug} is of the provider ${row.provider}, which this hub does not have` };
  let known = opened.get(hub.vault);
  if (!known) opened.set(hub.vault, (known = new Map()));
  const last = known.get(row.id);
  if (last && Buffer.compare(last.sealed, row.credentials) === 0) return { account: { row, provider, configs: counting(hub, row, last.configs) } };
  const configs: unknown[] = [];
  for (const credentials of openCredentials(hub, row)) {
    const parsed = provider.config.parse(credentials);
    if (!parsed.ok) return { why: `stored credentials of account ${row.slug} do not fit the schema of ${row.provider}` };
    configs.push(parsed.config);
  }
  if (known.size >= OPENED_MAX) known.clear();
  known.set(row.id, { sealed: row.credentials, configs });
  return { account: { row, provider, configs: counting(hub, row, configs) } };
}

export function openAccount(hub: Hub, row: AccountRow): OpenAccount {
  const { account, why } = tryAccount(hub, row);
  invariant(account, why ?? "");
  return account;
}

/** Those that can be used here: one that cannot must not keep a shop's others from collecting. */
export function openUsable(hub: Hub, rows: readonly AccountRow[]): OpenAccount[] {
  return rows.flatMap((row) => tryAccount(hub, row).account ?? []);
}

/** The current credentials, and those before them until their overlap is over. */
function counting(hub: Pick<Hub, "clocks">, row: AccountRow, configs: readonly unknown[]): readonly unknown[] {
  return row.previous_until !== null && hub.clocks.business.now() < row.previous_until ? configs : configs.slice(0, 1);
}

export async function accountById(hub: Hub, account_id: string): Promise<OpenAccount> {
  const row = await hub.store.read((db) => db.selectFrom("accounts").selectAll().where("id", "=", account_id).executeTakeFirst());
  invariant(row, `account ${account_id} is gone`);
  return openAccount(hub, row);
}

/** @param http the network of one operation, where its calls are counted. */
export function gatewayOf(hub: Hub, account: OpenAccount, http: Http = hub.http): Gateway {
  return account.provider.gateway({ config: account.configs[0], http, business: hub.clocks.business, wall: hub.clocks.wall });
}

export interface AvailableMethod {
  readonly method: string;
  readonly account: OpenAccount;
}

/** The methods of a shop's active accounts, in the order of the accounts. The first account of a method is its default. */
export async function availableMethods(hub: Hub, db: Db | Tx, shop_id: string): Promise<AvailableMethod[]> {
  const rows = await db.selectFrom("accounts").selectAll().where("shop_id", "=", shop_id).where("status", "=", "active").orderBy("id").execute();
  return openUsable(hub, rows).flatMap((account) => Object.keys(account.provider.capabilities.methods).map((method) => ({ method, account })));
}

export async function chooseMethod(hub: Hub, shop_id: string, method: string, slug: string | undefined): Promise<AvailableMethod> {
  const all = await hub.store.read((db) => availableMethods(hub, db, shop_id));
  const chosen = all.find((one) => one.method === method && (slug === undefined || one.account.row.slug === slug));
  if (chosen) return chosen;
  const allowed = all.map((one) => `${one.method} (${one.account.row.slug})`);
  throw new LunasError("method_not_available", {
    detail:
      slug === undefined
        ? `No account of this shop has the method "${method}".`
        : `The account "${slug}" of this shop does not have the method "${method}".`,
    extra: { allowed },
  });
}
