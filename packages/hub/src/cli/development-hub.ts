import { setTimeout as pause } from "node:timers/promises";
import { type Config, localUrl } from "../config.ts";
import { DEVELOPMENT } from "../provision.ts";

const ANSWER_PATIENCE_MS = 30_000;
const LOOK_EVERY_MS = 100;

/** A hub and a sandbox in development on this machine, as a developer's commands speak to them. */
export class DevelopmentHub {
  readonly url: string;
  readonly #sandbox_url: string;
  readonly #api_key: string;

  /** @throws Error in production, where there is no sandbox, and money is real. */
  constructor(config: Config) {
    if (config.LUNAS_MODE !== "development") throw new Error("this command is for development only: it works with the sandbox");
    this.url = localUrl(config);
    this.#sandbox_url = config.LUNAS_SANDBOX_URL ?? `http://127.0.0.1:${config.SANDBOX_PORT}`;
    this.#api_key = config.LUNAS_DEV_API_KEY ?? DEVELOPMENT.api_key;
  }

  /** The hub's API as the development shop. @throws Error with the problem's words. */
  async api<T>(method: string, path: string, body?: object): Promise<T> {
    const headers = { authorization: `Bearer ${this.#api_key}`, ...(method === "POST" ? { "idempotency-key": crypto.randomUUID() } : {}) };
    return (await ask("the hub", `${this.url}${path}`, method, headers, body)) as T;
  }

  /** The sandbox's control API. */
  async control<T>(method: string, path: string, body?: object): Promise<T> {
    return (await ask("the sandbox", `${this.#sandbox_url}/_control${path}`, method, {}, body)) as T;
  }

  /** Looks until it is so. @throws Error with `late` when it does not come to be. */
  async until<T>(look: () => Promise<T>, isSo: (found: T) => boolean, patience_ms: number, late: (last: T) => string): Promise<T> {
    const end = performance.now() + patience_ms;
    for (;;) {
      const found = await look();
      if (isSo(found)) return found;
      if (performance.now() > end) throw new Error(late(found));
      await pause(LOOK_EVERY_MS);
    }
  }
}

async function ask(who: string, url: string, method: string, headers: Record<string, string>, body: object | undefined): Promise<unknown> {
  const sent = body === undefined ? {} : { body: JSON.stringify(body), headers: { ...headers, "content-type": "application/json" } };
  const answer = await fetch(url, { method, headers, ...sent, signal: AbortSignal.timeout(ANSWER_PATIENCE_MS) }).catch((error: unknown) => {
    throw new Error(`${who} does not answer at ${new URL(url).origin}: start it with \`npm start\`, or set PORT and SANDBOX_PORT as it has them`, {
      cause: error,
    });
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${who} answered ${answer.status} to ${method} ${new URL(url).pathname}: ${wordsOf(text)}`);
  return text === "" ? undefined : JSON.parse(text);
}

function wordsOf(text: string): string {
  try {
    const { detail, title, error } = JSON.parse(text) as { detail?: string; title?: string; error?: string };
    return detail ?? title ?? error ?? text;
  } catch {
    return text.slice(0, 200);
  }
}
