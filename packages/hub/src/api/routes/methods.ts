import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import { availableMethods, type AvailableMethod } from "../../collect/accounts.ts";
import type { Hub } from "../../hub.ts";
import { operation } from "../operation.ts";
import { method } from "../schemas/objects.ts";

export function methodRoutes(hub: Hub): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      "/methods",
      { schema: operation("Methods", "listMethods", "Ways of paying that the shop's accounts offer", { 200: z.object({ data: z.array(method) }) }) },
      async (request) => ({
        data: (await hub.store.read((db) => availableMethods(hub, db, request.shop_id))).map((one) => ({
          ...methodView(one),
          provider: one.account.provider.name,
        })),
      }),
    );
  };
}

export function methodView({ method: name, account }: AvailableMethod) {
  const { kind, label } = account.provider.capabilities.methods[name]!;
  return { method: name, account: account.row.slug, kind, label: { en: label.en, id: label.id } };
}
