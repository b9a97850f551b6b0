import { LunasError, rfc3339 } from "@lunas/domain";
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import { openCredentials, sealCredentials } from "../../collect/accounts.ts";
import type { AccountRow } from "../../collect/rows.ts";
import type { Hub } from "../../hub.ts";
import { reverifyQuarantined } from "../../ingest/reverify.ts";
import { type Db, isUniqueViolation, type Tx } from "../../store/index.ts";
import { checkCredentials, nextCredentials, overlapEnd, overlapOf, withoutNulls } from "../account-credentials.ts";
import { maskSecret } from "../mask.ts";
import { operation } from "../operation.ts";
import { decodeCursor, pageOf, pageQuery } from "../paging.ts";
import { account, listOf } from "../schemas/objects.ts";
import { accountCreate, accountUpdate } from "../schemas/requests.ts";

const params = z.object({ id: z.string() });

export function accountRoutes(hub: Hub): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      "/accounts",
      {
        schema: {
          ...operation("Accounts", "listAccounts", "List the shop's accounts at providers", { 200: listOf(account) }),
          querystring: z.strictObject(pageQuery),
        },
      },
      async (request) => {
        const after = decodeCursor(request.query.cursor);
        const rows = await hub.store.read((db) => {
          let query = db
            .selectFrom("accounts")
            .selectAll()
            .where("shop_id", "=", request.shop_id)
            .orderBy("id", "desc")
            .limit(request.query.limit + 1);
          if (after !== undefined) query = query.where("id", "<", after);
          return query.execute();
        });
        return pageOf(
          rows,
          request.query.limit,
          (row) => row.id,
          (row) => viewOf(hub, row),
        );
      },
    );
    app.post(
      "/accounts",
      { schema: { ...operation("Accounts", "createAccount", "Add an account at a provider", { 201: account }), body: accountCreate } },
      async (request, reply) => reply.code(201).send(viewOf(hub, await create(hub, request.shop_id, request.body))),
    );
    app.get(
      "/accounts/:id",
      { schema: { ...operation("Accounts", "getAccount", "Read an account; secrets are masked", { 200: account }), params } },
      async (request) => viewOf(hub, await hub.store.read((db) => find(db, request.shop_id, request.params.id))),
    );
    app.patch(
      "/accounts/:id",
      {
        schema: {
          ...operation("Accounts", "updateAccount", "Change an account; old credentials verify callbacks a while longer", { 200: account }),
          params,
          body: accountUpdate,
        },
      },
      async (request) => viewOf(hub, await update(hub, request.shop_id, request.params.id, request.body)),
    );
    app.delete(
      "/accounts/:id",
      {
        schema: {
          ...operation("Accounts", "disableAccount", "Disable an account: no new payments, no callbacks; its payments stay", {
            204: z.undefined().describe("Disabled."),
          }),
          params,
        },
      },
      async (request, reply) => {
        await update(hub, request.shop_id, request.params.id, { status: "disabled" });
        return reply.code(204).send();
      },
    );
  };
}

async function find(db: Db | Tx, shop_id: string, id: string): Promise<AccountRow> {
  const row = await db.selectFrom("accounts").selectAll().where("id", "=", id).where("shop_id", "=", shop_id).executeTakeFirst();
  if (!row) throw new LunasError("not_found", { detail: `There is no account ${id} in this shop.` });
  return row;
}

async function create(hub: Hub, shop_id: string, wish: z.output<typeof accountCreate>): Promise<AccountRow> {
  const provider = hub.providers.get(wish.provider);
  if (!provider)
    throw new LunasError("invalid_request", { errors: [{ field: "provider", message: `must be one of ${[...hub.providers.keys()].join(", ")}` }] });
  const credentials = withoutNulls(wish.credentials);
  checkCredentials(hub, provider, credentials);
  const id = hub.newId("account");
  const now = hub.clocks.business.now();
  const row: AccountRow = {
    id,
    shop_id,
    provider: provider.name,
    slug: wish.slug,
    label: wish.label || provider.label,
    credentials: sealCredentials(hub, id, [credentials]),
    credentials_version: 1,
    previous_until: null,
    status: "active",
    created_at: now,
    updated_at: now,
  };
  try {
    await hub.store.write((tx) => tx.insertInto("accounts").values(row).execute());
    hub.signals.emit({ kind: "account", account_id: row.id });
    return row;
  } catch (error) {
    // The slug is in a URL that anybody may call: that another tenant has it is no secret.
    if (isUniqueViolation(error))
      throw new LunasError("invalid_request", { errors: [{ field: "slug", message: "is taken on this hub" }], cause: error });
    throw error;
  }
}

async function update(hub: Hub, shop_id: string, id: string, wish: z.output<typeof accountUpdate>): Promise<AccountRow> {
  const now = hub.clocks.business.now();
  const { row, rotated } = await hub.store.write(async (tx) => {
    const found = await find(tx, shop_id, id);
    const list = wish.credentials ? nextCredentials(hub, found, wish.credentials) : undefined;
    const change = {
      label: wish.label ?? found.label,
      status: wish.status ?? found.status,
      ...overlapOf(hub, found, list, wish.previous_credentials_valid_s),
      ...(list ? { credentials_version: found.credentials_version + 1 } : {}),
      updated_at: now,
    };
    await tx.updateTable("accounts").set(change).where("id", "=", id).execute();
    return { row: { ...found, ...change }, rotated: list !== undefined };
  });
  hub.signals.emit({ kind: "account", account_id: id });
  if (rotated) await reverifyQuarantined(hub, id);
  return row;
}

function viewOf(hub: Hub, row: AccountRow) {
  // A hub of another version may have made it for a provider that this one does not have.
  const config = hub.providers.get(row.provider)?.config;
  const current = openCredentials(hub, row)[0] ?? {};
  const parsed = config?.parse(current);
  const shown = (config?.fields ?? []).map(({ name, secret }): [string, string | null] => {
    const value = current[name];
    return [name, typeof value === "string" && value !== "" ? (secret ? maskSecret(value) : value) : null];
  });
  return {
    id: row.id,
    object: "account" as const,
    provider: row.provider,
    slug: row.slug,
    label: row.label,
    status: row.status,
    credentials: Object.fromEntries(shown),
    sandbox: parsed?.ok === true && config?.isSandbox(parsed.config) === true,
    callback_url: `${hub.publicUrl}/callbacks/${row.slug}`,
    previous_credentials_until: overlapEnd(hub, row),
    created_at: rfc3339(row.created_at),
    updated_at: rfc3339(row.updated_at),
  };
}
