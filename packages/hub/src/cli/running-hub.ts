import type { Config } from "../config.ts";
import { masterKeyOf } from "../main.ts";
import { Vault } from "../vault.ts";
import { operatorToken } from "./operator-routes.ts";

const PATIENCE_MS = 10 * 60_000;

/** Asks a running hub to run a command. Undefined when no hub answers there. @throws Error with the hub's own words when it refuses. */
export async function callRunningHub(config: Config, url: string, name: string, input: Record<string, unknown>): Promise<{ result: unknown } | undefined> {
  let answer: Response;
  try {
    const token = operatorToken({ vault: new Vault(masterKeyOf(config)) });
    answer = await fetch(`${url}/_operator/${name}`, {
      method: "POST", headers: { authorization: `Bearer ${token}`, "content-type": "application/json" }, body: JSON.stringify(input),
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
  } catch {
    return undefined;
  }
  const body = (await answer.json().catch(() => undefined)) as { result?: unknown; detail?: string; title?: string; errors?: { field: string; message: string }[] } | undefined;
  if (answer.ok && body) return { result: body.result };
  if (answer.status === 404 && body?.title === undefined) return undefined;
  const errors = body?.errors?.map((one) => `${one.field}: ${one.message}`).join("\n");
  throw new Error(errors ?? body?.detail ?? body?.title ?? `the hub at ${url} answered ${answer.status}`);
}
