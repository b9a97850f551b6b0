import type { Hub } from "../hub.ts";
import type { OpenApiDocument } from "./openapi.ts";
import { buildApi } from "./server.ts";

/** Files in the tree that are made from the code. */
export const GENERATED = {
  openapi: new URL("../../openapi.json", import.meta.url),
  errors: new URL("../../../../docs/errors.md", import.meta.url),
} as const;

/** The OpenAPI document as it stands in the tree. */
export async function openApiText(hub: Hub): Promise<string> {
  const api = buildApi(hub, { ready: async () => ({ ok: true, problems: [] }) });
  const answer = await api.inject("/openapi.json");
  await api.close();
  return `${JSON.stringify(answer.json<OpenApiDocument>(), null, 2)}\n`;
}
