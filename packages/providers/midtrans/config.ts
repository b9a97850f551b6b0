import type { ConfigField, ConfigResult } from "@lunas/domain";

/** A shop's credentials at Midtrans (midtrans.md §1). */
export interface MidtransConfig {
  /** Secret: user name of the Basic authentication, and the key of every signature. */
  readonly server_key: string;
  /** Public: snap.js carries it in the buyer's browser. */
  readonly client_key: string;
  /** When set, an answer that names another merchant is not believed. */
  readonly merchant_id?: string;
  readonly environment: "sandbox" | "production";
  /** Another address that speaks the same wire, such as the emulator's. Without a slash at its end. */
  readonly base_url?: string;
}

export const SANDBOX_SERVER_KEY = "SB-Mid-server-lunas-sandbox";
export const SANDBOX_CLIENT_KEY = "SB-Mid-client-lunas-sandbox";

export const fields: readonly ConfigField[] = [
  { name: "server_key", label: "Server key", description: "From the dashboard under Settings, Access Keys. Secret.", secret: true, required: true },
  { name: "client_key", label: "Client key", description: "From the same page. Public: the buyer's browser sees it.", secret: false, required: true },
  {
    name: "merchant_id",
    label: "Merchant id",
    description: "When given, answers that name another merchant are not believed.",
    secret: false,
    required: false,
  },
  { name: "environment", label: "Environment", description: "`sandbox` or `production`.", secret: false, required: false, default: "sandbox" },
  { name: "base_url", label: "Base URL", description: "Only for an emulator: replaces the addresses of Midtrans.", secret: false, required: false },
];

/** Where each part of the provider is found. None ends in a slash. */
export interface Addresses {
  readonly core: string;
  readonly snap: string;
  readonly snap_script: string;
}

/** Hosts of midtrans.md §1, or their counterparts under `base_url`. */
export function addresses(config: MidtransConfig): Addresses {
  const { base_url } = config;
  if (base_url) return { core: base_url, snap: `${base_url}/snap/v1`, snap_script: `${base_url}/snap/snap.js` };
  const [api, app] = config.environment === "production" ? ["api", "app"] : ["api.sandbox", "app.sandbox"];
  return {
    core: `https://${api}.midtrans.com`,
    snap: `https://${app}.midtrans.com/snap/v1`,
    snap_script: `https://${app}.midtrans.com/snap/snap.js`,
  };
}

// Visible ASCII without the colon, which would end the user name in Basic authentication. Length bounded.
const KEY = /^[\x21-\x39\x3b-\x7e]{1,200}$/;

function keyProblem(value: unknown): string | undefined {
  if (typeof value !== "string" || value.trim() === "") return "is required";
  return KEY.test(value) ? undefined : "must be visible characters without spaces or colons: check what was pasted";
}

function baseUrlProblem(value: string, environment: unknown): string | undefined {
  const url = URL.parse(value);
  if (!url || (url.protocol !== "http:" && url.protocol !== "https:")) return "must be an http or https address";
  if (url.username || url.password) return "must not carry credentials";
  if (value.includes("?") || value.includes("#")) return "must end in its path";
  if (environment === "production" && url.protocol !== "https:") return "must be https in production";
  return undefined;
}

/** Reads the fields above. Keys are never trimmed: a key with a space beside it is another key at Midtrans, and the answer to it is a bare 401. */
export function parse(input: Readonly<Record<string, unknown>>): ConfigResult<MidtransConfig> {
  const problems: { field: string; message: string }[] = [];
  const check = (field: string, message: string | undefined): void => {
    if (message) problems.push({ field, message });
  };
  const given = Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined && value !== null && value !== ""));
  const { server_key, client_key, merchant_id, base_url, environment = "sandbox" } = given;
  check("server_key", keyProblem(server_key));
  check("client_key", keyProblem(client_key));
  // The client key goes to the browser: a server key in its place would be published.
  if (typeof client_key === "string" && (client_key === server_key || client_key.includes("Mid-server-"))) check("client_key", "is a server key");
  if (merchant_id !== undefined) check("merchant_id", keyProblem(merchant_id));
  if (environment !== "sandbox" && environment !== "production") check("environment", "must be sandbox or production");
  if (base_url !== undefined) check("base_url", typeof base_url === "string" ? baseUrlProblem(base_url, environment) : "must be a string");
  const known = new Set(fields.map((field) => field.name));
  for (const field of Object.keys(given)) if (!known.has(field)) check(field, "is not a field of this provider");
  if (problems.length > 0) return { ok: false, problems };
  return {
    ok: true,
    config: {
      server_key: server_key as string,
      client_key: client_key as string,
      environment: environment as MidtransConfig["environment"],
      ...(merchant_id === undefined ? {} : { merchant_id: merchant_id as string }),
      ...(base_url === undefined ? {} : { base_url: (base_url as string).replace(/\/+$/, "") }),
    },
  };
}

/** Credentials that the emulator takes; the design fixes them. */
export function sandbox(base_url: string): Readonly<Record<string, string>> {
  return { server_key: SANDBOX_SERVER_KEY, client_key: SANDBOX_CLIENT_KEY, environment: "sandbox", base_url };
}

export function isSandbox(config: MidtransConfig): boolean {
  return config.server_key === SANDBOX_SERVER_KEY || config.client_key === SANDBOX_CLIENT_KEY;
}
