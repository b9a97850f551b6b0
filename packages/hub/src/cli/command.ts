import { LunasError } from "@lunas/domain";
import type { z } from "zod";
import type { Hub, OperatedHub } from "../hub.ts";

/** A command of the operator: run in the hub's process when one is running, otherwise on the database itself. */
export interface Command<I = never> {
  readonly input: z.ZodType<I>;
  run(hub: OperatedHub, input: I): Promise<unknown>;
}

export function command<I>(input: z.ZodType<I>, run: (hub: OperatedHub, input: I) => Promise<unknown>): Command<never> {
  return { input, run } as unknown as Command<never>;
}

/** The error that names what is wrong with a field. */
export function wrongField(field: string, message: string, cause?: unknown): LunasError {
  return new LunasError("invalid_request", { errors: [{ field, message }], cause });
}

/** The shop that is meant: the only one, or the one that is named. */
export async function shopOf(hub: Hub, name: string | undefined): Promise<string> {
  const shops = await hub.store.read((db) => db.selectFrom("shops").select(["id", "name"]).execute());
  const found = name === undefined ? shops : shops.filter((shop) => shop.id === name || shop.name === name);
  if (found.length === 1) return found[0]!.id;
  const listed = shops.map((shop) => `${shop.id} (${shop.name})`).join(", ") || "none; make one with `lunas keys create --new-shop NAME`";
  throw wrongField("shop", `name one of: ${listed}`);
}
