import { createHash } from "node:crypto";
import { openCredentials, openUsable, sealCredentials, tryAccount } from "./collect/accounts.ts";
import { ConfigError } from "./config.ts";
import type { Hub } from "./hub.ts";
import type { Tx } from "./store/index.ts";

export const DEVELOPMENT = {
  api_key: "sk_test_lunas_dev",
  shop_name: "Toko Lestari",
  /** Of the demo shop's endpoint; a made-up one, for development only. */
  endpoint_secret: "whsec_bHVuYXMtZGVtby1zaG9wLWVuZHBvaW50LXNlY3JldA==",
} as const;

export function hashApiKey(key: string): Uint8Array {
  return createHash("sha256").update(key).digest();
}

export async function insertApiKey(hub: Pick<Hub, "newId" | "clocks">, tx: Tx, shop_id: string, key: string, label: string): Promise<string> {
  const id = hub.newId("key");
  await tx
    .insertInto("api_keys")
    .values({ id, shop_id, hash: hashApiKey(key), label, last4: key.slice(-4), created_at: hub.clocks.business.now(), revoked_at: null })
    .onConflict((oc) => oc.column("hash").doNothing())
    .execute();
  return id;
}

export async function insertEndpoint(
  hub: Pick<Hub, "newId" | "clocks" | "vault">,
  tx: Tx,
  shop_id: string,
  url: string,
  secret: string,
  description: string | null,
): Promise<string> {
  const id = hub.newId("endpoint");
  const now = hub.clocks.business.now();
  await tx
    .insertInto("endpoints")
    .values({
      id,
      shop_id,
      url,
      description,
      events: "null",
      format: "standard",
      status: "active",
      paused_reason: null,
      secrets: hub.vault.seal(`endpoint:${id}`, JSON.stringify([{ secret, expires_at: null }])),
      failures_in_row: 0,
      first_failure_at: null,
      last_success_at: null,
      version: 1,
      created_at: now,
      updated_at: now,
    })
    .execute();
  return id;
}

export async function insertAccount(
  hub: Pick<Hub, "newId" | "clocks" | "vault">,
  tx: Tx,
  shop_id: string,
  account: { provider: string; slug: string; label: string; credentials: Record<string, unknown> },
): Promise<string> {
  const id = hub.newId("account");
  const now = hub.clocks.business.now();
  await tx
    .insertInto("accounts")
    .values({
      id,
      shop_id,
      provider: account.provider,
      slug: account.slug,
      label: account.label,
      credentials: sealCredentials(hub, id, [account.credentials]),
      credentials_version: 1,
      status: "active",
      created_at: now,
      updated_at: now,
    })
    .execute();
  return id;
}

/** Makes the development shop: its key, one account per provider at the sandbox, and the demo shop's endpoint. Safe to repeat. */
export async function provisionDevelopment(hub: Hub, options: { api_key: string; sandbox_url: string; shop_webhook_url: string }): Promise<void> {
  await hub.store.write(async (tx) => {
    // Several hubs may start at once: the second waits for this row, and then finds everything made.
    const turn = { name: "development", value: "provisioned" };
    await tx
      .insertInto("meta")
      .values(turn)
      .onConflict((conflict) => conflict.column("name").doUpdateSet({ value: turn.value }))
      .execute();
    const key = await tx.selectFrom("api_keys").select("shop_id").where("hash", "=", hashApiKey(options.api_key)).executeTakeFirst();
    const shop_id = key?.shop_id ?? hub.newId("shop");
    if (!key) {
      await tx.insertInto("shops").values({ id: shop_id, name: DEVELOPMENT.shop_name, created_at: hub.clocks.business.now() }).execute();
      await insertApiKey(hub, tx, shop_id, options.api_key, "development");
    }
    for (const provider of hub.providers.values()) await provisionAccount(hub, tx, shop_id, provider.name, options.sandbox_url);
    const endpoint = await tx
      .selectFrom("endpoints")
      .select("id")
      .where("shop_id", "=", shop_id)
      .where("description", "=", "demo shop")
      .executeTakeFirst();
    if (endpoint) await tx.updateTable("endpoints").set({ url: options.shop_webhook_url }).where("id", "=", endpoint.id).execute();
    else await insertEndpoint(hub, tx, shop_id, options.shop_webhook_url, DEVELOPMENT.endpoint_secret, "demo shop");
  });
}

/** The sandbox may be on another port than last time: the account follows it. */
async function provisionAccount(hub: Hub, tx: Tx, shop_id: string, name: string, sandbox_url: string): Promise<void> {
  const provider = hub.providers.get(name)!;
  const credentials = { ...provider.config.sandbox(`${sandbox_url}/${name}`) };
  const account = await tx.selectFrom("accounts").selectAll().where("slug", "=", name).executeTakeFirst();
  if (!account) {
    await insertAccount(hub, tx, shop_id, { provider: name, slug: name, label: `${provider.label} (sandbox)`, credentials });
  } else if (JSON.stringify(openCredentials(hub, account)[0]) !== JSON.stringify(credentials)) {
    await tx
      .updateTable("accounts")
      .set({ credentials: sealCredentials(hub, account.id, [credentials]), updated_at: hub.clocks.business.now() })
      .where("id", "=", account.id)
      .execute();
  }
}

/**
 * Production refuses what development has set up and everybody knows.
 * @throws ConfigError that names the accounts with the sandbox's credentials, and the development key.
 */
export async function refuseDevelopment(hub: Hub): Promise<void> {
  const known = await hub.store.read((db) =>
    db.selectFrom("api_keys").select("id").where("hash", "=", hashApiKey(DEVELOPMENT.api_key)).where("revoked_at", "is", null).executeTakeFirst(),
  );
  const rows = await hub.store.read((db) => db.selectFrom("accounts").selectAll().where("status", "=", "active").orderBy("id").execute());
  const made_up = openUsable(hub, rows).filter(({ provider, configs }) => configs.some((one) => provider.config.isSandbox(one)));
  const problems = made_up.map(
    ({ row: { slug } }) => `the account ${slug} has the sandbox's credentials; disable it: lunas accounts disable ${slug}`,
  );
  if (known) problems.push(`the development key ${DEVELOPMENT.api_key} is a key of this database; revoke it: lunas keys revoke ${known.id}`);
  if (problems.length > 0) throw new ConfigError(`production refuses what development has set up:\n  ${problems.join("\n  ")}`);
}

/**
 * Accounts that this hub cannot use, such as one at a provider that only a newer version has. It starts all the same: they offer no methods,
 * and their callbacks are answered 503, so that providers come again.
 */
export async function warnOfUnusable(hub: Hub): Promise<void> {
  const rows = await hub.store.read((db) => db.selectFrom("accounts").selectAll().where("status", "=", "active").orderBy("id").execute());
  for (const row of rows) {
    const { why } = tryAccount(hub, row);
    if (why !== undefined) hub.log.warn({ account_id: row.id, slug: row.slug, provider: row.provider }, `cannot be used here: ${why}`);
  }
}
