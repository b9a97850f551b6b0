import { LunasError } from "@lunas/domain";
import { z } from "zod";
import { acknowledge } from "../collect/attention.ts";
import { makeSecret } from "../deliver/signature.ts";
import type { OperatedHub } from "../hub.ts";
import { insertAccount, insertApiKey, insertEndpoint } from "../provision.ts";
import { reconcile } from "../reconcile/after-restore.ts";
import { readHold, setHold } from "../store/hold.ts";
import { isUniqueViolation } from "../store/index.ts";
import { type Command, command, shopOf, wrongField } from "./command.ts";
import { doctor } from "./doctor.ts";
import { reseal } from "./reseal.ts";

/** One call of `rotate` works for about this long; whoever calls goes on with the next. */
const RESEAL_WORK_MS = 5_000;

const slug = z.string().regex(/^[a-z0-9][a-z0-9-]{1,49}$/, "2 to 50 lower-case letters, digits and dashes");
const newAccount = z.object({
  shop: z.string().optional(),
  provider: z.string(),
  slug,
  label: z.string().default(""),
  credentials: z.record(z.string(), z.string()),
});

const shop = z.string().optional();
/** Business time in UTC milliseconds. */
const time = z
  .string()
  .refine((text) => !Number.isNaN(Date.parse(text)), "must be a time such as 2026-11-21T09:00:00Z")
  .transform((text) => Date.parse(text));

export const COMMANDS: Readonly<Record<string, Command<never>>> = {
  "keys-create": command(
    z.object({ shop, new_shop: z.string().min(1).max(100).optional(), label: z.string().max(100).default("") }),
    async (hub, input) => {
      const key = `sk_${hub.mode === "production" ? "live" : "test"}_${Buffer.from(hub.random.bytes(24)).toString("base64url")}`;
      const existing = input.new_shop === undefined ? await shopOf(hub, input.shop) : undefined;
      const shop_id = existing ?? hub.newId("shop");
      const id = await hub.store.write(async (tx) => {
        if (existing === undefined)
          await tx.insertInto("shops").values({ id: shop_id, name: input.new_shop!, created_at: hub.clocks.business.now() }).execute();
        return insertApiKey(hub, tx, shop_id, key, input.label);
      });
      return { id, shop_id, key, note: "shown once: only a digest of it is kept" };
    },
  ),
  "keys-list": command(z.object({}), (hub) =>
    hub.store.read((db) => db.selectFrom("api_keys").select(["id", "shop_id", "label", "last4", "created_at", "revoked_at"]).orderBy("id").execute()),
  ),
  "keys-revoke": command(z.object({ id: z.string() }), async (hub, { id }) => {
    const done = await hub.store.write((tx) =>
      tx
        .updateTable("api_keys")
        .set({ revoked_at: hub.clocks.business.now() })
        .where("id", "=", id)
        .where("revoked_at", "is", null)
        .executeTakeFirst(),
    );
    if (done.numUpdatedRows === 0n) throw new LunasError("not_found", { detail: `There is no live key ${id}.` });
    return { id, revoked: true };
  }),
  "accounts-list": command(z.object({}), async (hub) => {
    const rows = await hub.store.read((db) => db.selectFrom("accounts").selectAll().orderBy("id").execute());
    return rows.map((row) => ({
      id: row.id,
      shop_id: row.shop_id,
      provider: row.provider,
      slug: row.slug,
      label: row.label,
      status: row.status,
      callback_path: `/callbacks/${row.slug}`,
    }));
  }),
  "accounts-create": command(newAccount, createAccount),
  "accounts-disable": command(z.object({ slug }), async (hub, input) => {
    const row = await hub.store.write((tx) =>
      tx
        .updateTable("accounts")
        .set({ status: "disabled", updated_at: hub.clocks.business.now() })
        .where("slug", "=", input.slug)
        .returning("id")
        .executeTakeFirst(),
    );
    if (!row) throw new LunasError("not_found", { detail: `There is no account ${input.slug}.` });
    hub.signals.emit({ kind: "account", account_id: row.id });
    return { id: row.id, slug: input.slug, status: "disabled" };
  }),
  "endpoints-list": command(z.object({}), (hub) =>
    hub.store.read((db) =>
      db
        .selectFrom("endpoints")
        .select(["id", "shop_id", "url", "status", "paused_reason", "failures_in_row"])
        .where("status", "!=", "deleted")
        .orderBy("id")
        .execute(),
    ),
  ),
  "endpoints-create": command(z.object({ shop, url: z.string(), description: z.string().optional() }), async (hub, input) => {
    const wrong = hub.checkEndpointUrl(input.url);
    if (wrong !== undefined) throw wrongField("url", wrong);
    const shop_id = await shopOf(hub, input.shop);
    const secret = makeSecret(hub.random);
    const id = await hub.store.write((tx) => insertEndpoint(hub, tx, shop_id, input.url, secret, input.description ?? null));
    return { id, secret, note: "shown once: it is sealed in the database" };
  }),
  reconcile: command(
    z.object({ after_restore: z.boolean().default(false), skip_accounts: z.array(z.string()).default([]), since: time.optional() }),
    (hub, input) => reconcile(hub, input),
  ),
  hold: command(z.object({ reason: z.string().min(1).max(200) }), async (hub, { reason }) => {
    await setHold(hub.store, reason);
    hub.hold.reason = await readHold(hub.store);
    return { hold: hub.hold.reason ?? null };
  }),
  acknowledge: command(z.object({ payment_id: z.string(), note: z.string().trim().min(1).max(500) }), (hub, input) =>
    acknowledge(hub, input.payment_id, input.note),
  ),
  rotate: command(z.object({ from: z.string().optional() }), (hub, { from }) => reseal(hub, RESEAL_WORK_MS, from)),
  doctor: command(z.object({}), doctor),
};

async function createAccount(hub: OperatedHub, input: z.output<typeof newAccount>): Promise<unknown> {
  const provider = hub.providers.get(input.provider);
  if (!provider) throw wrongField("provider", `must be one of ${[...hub.providers.keys()].join(", ")}`);
  const parsed = provider.config.parse(input.credentials);
  if (!parsed.ok)
    throw new LunasError("invalid_request", { errors: parsed.problems.map((one) => ({ field: `credentials.${one.field}`, message: one.message })) });
  if (hub.mode === "production" && provider.config.isSandbox(parsed.config))
    throw wrongField("credentials", "are the sandbox's made-up ones; production refuses them");
  const shop_id = await shopOf(hub, input.shop);
  try {
    const id = await hub.store.write((tx) =>
      insertAccount(hub, tx, shop_id, {
        provider: provider.name,
        slug: input.slug,
        label: input.label || provider.label,
        credentials: input.credentials,
      }),
    );
    hub.signals.emit({ kind: "account", account_id: id });
    return { id, slug: input.slug, callback_url: `${hub.publicUrl}/callbacks/${input.slug}` };
  } catch (error) {
    if (isUniqueViolation(error)) throw wrongField("slug", "is taken on this hub", error);
    throw error;
  }
}
