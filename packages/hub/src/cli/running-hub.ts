import { Agent, request } from "undici";
import { type Config, localUrl, publicUrl } from "../config.ts";
import { masterKeyOf } from "../master-key.ts";
import { Vault } from "../vault.ts";
import { operatorToken } from "./operator-routes.ts";

const CONNECT_PATIENCE_MS = 3_000;
/** Nothing was sent: there is no hub, or nothing that speaks HTTP. */
const NOBODY =
  /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL|EACCES|UND_ERR_CONNECT_TIMEOUT|HPE_\w+|ERR_(TLS|SSL)_\w+|CERT_\w+)$/;

/** Where a hub of this configuration is looked for: on this machine first, for a proxy in front of it should not let an operator through. */
export function hubUrls(config: Pick<Config, "HOST" | "PORT" | "LUNAS_PUBLIC_URL">): string[] {
  return [...new Set([localUrl(config), publicUrl(config)])];
}

type Answer = { readonly result: unknown } | { readonly refused: Error } | undefined;

/**
 * Asks a running hub to run a command, however long that takes.
 * @returns undefined when no hub answers.
 * @throws Error with the hub's own words when it refuses.
 */
export async function callRunningHub(config: Config, name: string, input: Record<string, unknown>): Promise<{ result: unknown } | undefined> {
  return callHubWithKey(masterKeyOf(config), config, name, input);
}

/** The same with a master key that was found otherwise. */
export async function callHubWithKey(
  key: string,
  config: Parameters<typeof hubUrls>[0],
  name: string,
  input: Record<string, unknown>,
): Promise<{ result: unknown } | undefined> {
  const token = operatorToken({ vault: new Vault(key) });
  let refused: Error | undefined;
  for (const url of hubUrls(config)) {
    const answer = await call(url, token, name, input);
    if (answer && "result" in answer) return answer;
    refused ??= answer?.refused;
  }
  if (refused) throw refused;
  return undefined;
}

async function call(url: string, token: string, name: string, input: Record<string, unknown>): Promise<Answer> {
  const dispatcher = new Agent({ headersTimeout: 0, bodyTimeout: 0, connect: { timeout: CONNECT_PATIENCE_MS } });
  let heard: Parameters<typeof judge>;
  try {
    const answer = await request(`${url}/_operator/${name}`, {
      method: "POST",
      dispatcher,
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify(input),
    });
    const text = await answer.body.text();
    heard = [url, answer.statusCode, String(answer.headers["content-type"] ?? ""), text];
  } catch (error) {
    if (NOBODY.test((error as { code?: string }).code ?? "")) return undefined;
    throw new Error(`the hub at ${url} broke off (${(error as Error).message}): whether it has done it is not known`, { cause: error });
  } finally {
    await dispatcher.destroy();
  }
  // A refusal is an answer: it must not be told as a hub that broke off.
  return judge(...heard);
}

/** What is neither a result nor a problem of ours comes from a proxy or another program: there is no hub. */
function judge(url: string, status: number, type: string, text: string): Answer {
  if (!/^application\/(problem\+)?json\b/.test(type)) return undefined;
  const body = parse(text);
  if (status === 200 && body && "result" in body) return { result: body.result };
  if (!body || !type.startsWith("application/problem+json")) return undefined;
  if (status === 401) return { refused: new Error(`the hub at ${url} does not know this operator: its LUNAS_MASTER_KEY begins with another key`) };
  if (status >= 500) throw new Error(`the hub at ${url} answered ${status}: ${body.detail ?? body.title ?? ""}`);
  const errors = body.errors?.map((one) => `${one.field}: ${one.message}`).join("\n");
  throw new Error(errors ?? body.detail ?? body.title ?? `the hub at ${url} answered ${status}`);
}

interface Body {
  readonly result?: unknown;
  readonly detail?: string;
  readonly title?: string;
  readonly errors?: readonly { readonly field: string; readonly message: string }[];
}

function parse(text: string): Body | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
