import { idMaker, ManualClock, seededRandom } from "@lunas/domain";
import { pino } from "pino";
import type { Hub } from "../hub.ts";
import { makeSignals } from "../signals.ts";
import { SQLITE } from "../store/engine.ts";
import { Vault } from "../vault.ts";
import type { OpenApiDocument } from "./openapi.ts";
import { buildApi } from "./server.ts";

/** Files in the tree that are made from the code. */
export const GENERATED = {
  openapi: new URL("../../openapi.json", import.meta.url),
  errors: new URL("../../../../docs/errors.md", import.meta.url),
} as const;

/** The OpenAPI document as it stands in the tree. */
export async function openApiText(): Promise<string> {
  const api = buildApi(hubOfNothing(), { ready: async () => ({ ok: true, problems: [] }) });
  const answer = await api.inject("/openapi.json");
  await api.close();
  return `${JSON.stringify(answer.json<OpenApiDocument>(), null, 2)}\n`;
}

/** Routes are described without a database, a network or a key. */
function hubOfNothing(): Hub {
  const nothing = (): Promise<never> => Promise.reject(new Error("there is no database behind the document"));
  const clock = new ManualClock(0);
  const random = seededRandom(0);
  return {
    store: { engine: SQLITE, read: nothing, write: nothing, recordNotifications: nothing, close: () => Promise.resolve() },
    clocks: { business: clock, wall: clock },
    random,
    newId: idMaker(clock, random),
    vault: new Vault(Buffer.alloc(32).toString("base64")),
    providers: new Map(),
    http: nothing,
    log: pino({ level: "silent" }),
    signals: makeSignals(),
    metrics: { count: () => {}, observe: () => {} },
    publicUrl: "http://127.0.0.1:8080",
    mode: "development",
    hold: { reason: undefined },
  };
}
