import { LIVE_STATUSES, LunasError } from "@lunas/domain";
import { type RawBuilder, sql } from "kysely";
import { z } from "zod";
import { openCredentials } from "../collect/accounts.ts";
import { makeSecret } from "../deliver/signature.ts";
import type { Hub } from "../hub.ts";
import { insertAccount, insertApiKey, insertEndpoint } from "../provision.ts";
import { reconcileAfterRestore } from "../reconcile/after-restore.ts";
import { isUniqueViolation, ROUTE } from "../store/index.ts";

/** A command of the operator: run in the hub's process when one is running, otherwise on the database itself. */
export interface Command<I = never> {
  readonly input: z.ZodType<I>;
  run(hub: Hub, input: I): Promise<unknown>;
}

const command = <I>(input: z.ZodType<I>, run: (hub: Hub, input: I) => Promise<unknown>): Command<never> => ({ input, run }) as unknown as Command<never>;

/** The shop that is meant: the only one, or the one that is named. */
async function shopOf(hub: Hub, name: string | undefined): Promise<string> {
  const shops = await hub.store.read((db) => db.selectFrom("shops").select(["id", "name"]).execute());
  const found = name === undefined ? shops : shops.filter((shop) => shop.id === name || shop.name === name);
  if (found.length === 1) return found[0]!.id;
  const listed = shops.map((shop) => `${shop.id} (${shop.name})`).join(", ") || "none; make one with `lunas keys create --new-shop NAME`";
  throw new LunasError("invalid_request", { errors: [{ field: "shop", message: `name one of: ${listed}` }] });
}

const shop = z.string().optional();

export const COMMANDS: Readonly<Record<string, Command<never>>> = {
  "keys-create": command(z.object({ shop, new_shop: z.string().min(1).max(100).optional(), label: z.string().max(100).default("") }), async (hub, input) => {
    const key = `sk_${hub.mode === "production" ? "live" : "test"}_${Buffer.from(hub.random.bytes(24)).toString("base64url")}`;
    const existing = input.new_shop === undefined ? await shopOf(hub, input.shop) : undefined;
    const shop_id = existing ?? hub.newId("shop");
    const id = await hub.store.write(async (tx) => {
      if (existing === undefined) await tx.insertInto("shops").values({ id: shop_id, name: input.new_shop!, created_at: hub.clocks.business.now() }).execute();
      return insertApiKey(hub, tx, shop_id, key, input.label);
    });
    return { id, shop_id, key, note: "shown once: only a digest of it is kept" };
  }),
  "keys-list": command(z.object({}), (hub) =>
    hub.store.read((db) => db.selectFrom("api_keys").select(["id", "shop_id", "label", "last4", "created_at", "revoked_at"]).orderBy("id").execute()),
  ),
  "keys-revoke": command(z.object({ id: z.string() }), async (hub, { id }) => {
    const done = await hub.store.write((tx) =>
      tx.updateTable("api_keys").set({ revoked_at: hub.clocks.business.now() }).where("id", "=", id).where("revoked_at", "is", null).executeTakeFirst(),
    );
    if (done.numUpdatedRows === 0n) throw new LunasError("not_found", { detail: `There is no live key ${id}.` });
    return { id, revoked: true };
  }),
  "accounts-list": command(z.object({}), async (hub) => {
    const rows = await hub.store.read((db) => db.selectFrom("accounts").selectAll().orderBy("id").execute());
    return rows.map((row) => ({ id: row.id, shop_id: row.shop_id, provider: row.provider, slug: row.slug, label: row.label, status: row.status, callback_path: `/callbacks/${row.slug}` }));
  }),
  "accounts-create": command(
    z.object({ shop, provider: z.string(), slug: z.string().regex(/^[a-z0-9][a-z0-9-]{1,49}$/, "2 to 50 lower-case letters, digits and dashes"), label: z.string().default(""), credentials: z.record(z.string(), z.string()) }),
    async (hub, input) => {
      const provider = hub.providers.get(input.provider);
      if (!provider) throw new LunasError("invalid_request", { errors: [{ field: "provider", message: `must be one of ${[...hub.providers.keys()].join(", ")}` }] });
      const parsed = provider.config.parse(input.credentials);
      if (!parsed.ok) throw new LunasError("invalid_request", { errors: parsed.problems.map((one) => ({ field: `credentials.${one.field}`, message: one.message })) });
      if (hub.mode === "production" && provider.config.isSandbox(parsed.config)) throw new LunasError("invalid_request", { errors: [{ field: "credentials", message: "are the sandbox's made-up ones; production refuses them" }] });
      const shop_id = await shopOf(hub, input.shop);
      try {
        const id = await hub.store.write((tx) => insertAccount(hub, tx, shop_id, { provider: provider.name, slug: input.slug, label: input.label || provider.label, credentials: input.credentials }));
        hub.signals.emit({ kind: "account", account_id: id });
        return { id, slug: input.slug, callback_url: `${hub.publicUrl}/callbacks/${input.slug}` };
      } catch (error) {
        if (isUniqueViolation(error)) throw new LunasError("invalid_request", { errors: [{ field: "slug", message: "is taken on this hub" }], cause: error });
        throw error;
      }
    },
  ),
  "endpoints-list": command(z.object({}), (hub) =>
    hub.store.read((db) => db.selectFrom("endpoints").select(["id", "shop_id", "url", "status", "paused_reason", "failures_in_row"]).where("status", "!=", "deleted").orderBy("id").execute()),
  ),
  "endpoints-create": command(z.object({ shop, url: z.url({ protocol: /^https?$/ }), description: z.string().optional() }), async (hub, input) => {
    const shop_id = await shopOf(hub, input.shop);
    const secret = makeSecret(hub.random);
    const id = await hub.store.write((tx) => insertEndpoint(hub, tx, shop_id, input.url, secret, input.description ?? null));
    return { id, secret, note: "shown once: it is sealed in the database" };
  }),
  reconcile: command(z.object({ after_restore: z.boolean().default(false) }), (hub, input) => reconcileAfterRestore(hub, input.after_restore)),
  rotate: command(z.object({}), (hub) => reseal(hub)),
  doctor: command(z.object({}), doctor),
};

/** Seals everything anew under the first of the configured master keys. Safe to repeat and to interrupt. */
async function reseal(hub: Hub): Promise<{ accounts: number; endpoints: number }> {
  const accounts = await hub.store.read((db) => db.selectFrom("accounts").select(["id", "credentials"]).execute());
  for (const row of accounts) {
    const credentials = hub.vault.seal(`account:${row.id}`, JSON.stringify(openCredentials(hub, row)));
    await hub.store.write((tx) => tx.updateTable("accounts").set({ credentials }).where("id", "=", row.id).execute());
  }
  const endpoints = await hub.store.read((db) => db.selectFrom("endpoints").select(["id", "secrets"]).execute());
  for (const row of endpoints) {
    const secrets = hub.vault.seal(`endpoint:${row.id}`, hub.vault.open(`endpoint:${row.id}`, row.secrets));
    await hub.store.write((tx) => tx.updateTable("endpoints").set({ secrets }).where("id", "=", row.id).execute());
  }
  return { accounts: accounts.length, endpoints: endpoints.length };
}

/** What an operator looks at first: is anything stuck, unmatched, or waiting for a person. */
async function doctor(hub: Hub): Promise<Record<string, unknown>> {
  const now = hub.clocks.business.now();
  const questions: Record<string, RawBuilder<{ count: number }>> = {
    payments_live: sql`SELECT count(*) AS count FROM payments WHERE status IN (${sql.join([...LIVE_STATUSES])})`,
    payments_needing_attention: sql`SELECT count(*) AS count FROM payments WHERE needs_attention IS NOT NULL`,
    refunds_for_a_person: sql`SELECT count(*) AS count FROM refunds WHERE status = 'manual'`,
    unmatched_money: sql`SELECT count(*) AS count FROM unmatched_money WHERE payment_id IS NULL`,
    notifications_waiting: sql`SELECT count(*) AS count FROM notifications WHERE route = ${ROUTE.new}`,
    notifications_quarantined: sql`SELECT count(*) AS count FROM notifications WHERE route = ${ROUTE.quarantined}`,
    jobs_due: sql`SELECT count(*) AS count FROM jobs WHERE due_at <= ${now} AND (lease_until IS NULL OR lease_until <= ${now})`,
    jobs_under_way: sql`SELECT count(*) AS count FROM jobs WHERE lease_until > ${now}`,
    jobs_overdue_by_a_minute: sql`SELECT count(*) AS count FROM jobs WHERE due_at < ${now - 60_000} AND (lease_until IS NULL OR lease_until <= ${now})`,
    deliveries_due: sql`SELECT count(*) AS count FROM deliveries WHERE status = 'due' AND due_at <= ${now}`,
    deliveries_under_way: sql`SELECT count(*) AS count FROM deliveries WHERE status = 'delivering'`,
    deliveries_planned: sql`SELECT count(*) AS count FROM deliveries WHERE status = 'due' AND due_at > ${now}`,
    deliveries_exhausted: sql`SELECT count(*) AS count FROM deliveries WHERE status = 'exhausted'`,
    endpoints_paused: sql`SELECT count(*) AS count FROM endpoints WHERE status = 'paused'`,
  };
  const found: Record<string, unknown> = { engine: hub.store.engine.name, hold: hub.hold.reason ?? null };
  for (const [name, question] of Object.entries(questions)) {
    found[name] = (await hub.store.read((db) => question.execute(db))).rows[0]?.count ?? 0;
  }
  return found;
}
