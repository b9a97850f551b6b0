import { isState, type State } from "./contract.ts";

/** What came of asking the hub. `unreachable`: no answer, or none that can be read; nothing is known then. */
export type Answer =
  | { readonly kind: "state"; readonly state: State }
  | { readonly kind: "missing" }
  | { readonly kind: "problem"; readonly code: string; readonly request_id: string | undefined }
  | { readonly kind: "unreachable" };

export interface Api {
  state(): Promise<Answer>;
  /** Opens a payment by this method. */
  open(method: string, account: string): Promise<Answer>;
  /** Makes the hub ask the gateway. */
  refresh(): Promise<Answer>;
  readonly events_url: string;
}

const ASK_TIMEOUT_MS = 15_000;
/** The hub waits for the gateway in it. */
const OPEN_TIMEOUT_MS = 45_000;

async function read(response: Response): Promise<Answer> {
  const body: unknown = await response.json().catch(() => undefined);
  if (response.ok) return isState(body) ? { kind: "state", state: body } : { kind: "unreachable" };
  if (response.status === 404 || response.status === 410) return { kind: "missing" };
  const { code, request_id } = (typeof body === "object" && body !== null ? body : {}) as { code?: unknown; request_id?: unknown };
  // An error without our code is a proxy's, so the hub itself was not reached.
  if (typeof code !== "string") return { kind: "unreachable" };
  return { kind: "problem", code, request_id: typeof request_id === "string" ? request_id : undefined };
}

/** The hub's calls for one page, `base` being its own path `/pay/{token}`. Never rejects. */
export function createApi(base: string, fetcher: typeof fetch): Api {
  const ask = async (path: string, timeout_ms: number, init: RequestInit): Promise<Answer> => {
    try {
      return await read(await fetcher(`${base}${path}`, { ...init, cache: "no-store", signal: AbortSignal.timeout(timeout_ms) }));
    } catch {
      return { kind: "unreachable" };
    }
  };
  const post = (path: string, timeout_ms: number, body: unknown): Promise<Answer> =>
    ask(path, timeout_ms, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
  return {
    state: () => ask("/state", ASK_TIMEOUT_MS, { headers: { accept: "application/json" } }),
    open: (method, account) => post("/payments", OPEN_TIMEOUT_MS, { method, account }),
    refresh: () => post("/refresh", OPEN_TIMEOUT_MS, {}),
    events_url: `${base}/events`,
  };
}

/** The page's own path out of the address it was opened at; undefined where it is not one of a payment. */
export function basePath(pathname: string): string | undefined {
  return /^\/pay\/[^/]+/u.exec(pathname)?.[0];
}
