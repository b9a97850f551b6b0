import { invariant, LunasError, type Gateway, type Provider } from "@lunas/domain";
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

export function openAccount(hub: Hub, row: AccountRow): OpenAccount {
  const provider = hub.providers.get(row.provider);
  invariant(provider, `account ${row.slug} is of the provider ${row.provider}, which this hub does not have`);
  let known = opened.get(hub.vault);
  if (!known) opened.set(hub.vault, (known = new Map()));
  const last = known.get(row.id);
  if (last && Buffer.compare(last.sealed, row.credentials) === 0) return { row, provider, configs: last.configs };
  const configs = openCredentials(hub, row).map((credentials) => {
    const parsed = provider.config.parse(credentials);
    invariant(parsed.ok, `stored credentials of account ${row.slug} do not fit the schema of ${row.provider}`);
    return parsed.config;
  });
  if (known.size >= OPENED_MAX) known.clear();
  known.set(row.id, { sealed: row.credentials, configs });
  return { row, provider, configs };
}

export async function accountById(hub: Hub, account_id: string): Promise<OpenAccount> {
  const row = await hub.store.read((db) => db.selectFrom("accounts").selectAll().where("id", "=", account_id).executeTakeFirst());
  invariant(row, `account ${account_id} is gone`);
  return openAccount(hub, row);
}

export function gatewayOf(hub: Hub, account: OpenAccount): Gateway {
  return account.provider.gateway({ config: account.configs[0], http: hub.http, business: hub.clocks.business, wall: hub.clocks.wall });
}

export interface AvailableMethod {
  readonly method: string;
  readonly account: OpenAccount;
}

/** The methods of a shop's active accounts, in the order of the accounts. The first account of a method is its default. */
export async function availableMethods(hub: Hub, db: Db | Tx, shop_id: string): Promise<AvailableMethod[]> {
  const rows = await db.selectFrom("accounts").selectAll().where("shop_id", "=", shop_id).where("status", "=", "active").orderBy("id").execute();
  return rows.flatMap((row) => {
    const account = openAccount(hub, row);
    return Object.keys(account.provider.capabilities.methods).map((method) => ({ method, account }));
  });
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
