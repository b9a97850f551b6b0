import { z } from "zod";
import { parseCidr } from "./net/ranges.ts";
import { readMasterKey } from "./vault.ts";

/** One setting: its default, its check, and what the documentation says of it. The page `docs/configuration.md` is made from this. */
interface Setting<T> {
  readonly schema: z.ZodType<T>;
  readonly default: string | undefined;
  readonly help: string;
  readonly secret?: boolean;
}

const port = z.coerce.number().int().min(0).max(65_535);
const url = z.url({ protocol: /^https?$/ }).transform((text) => text.replace(/\/+$/, ""));

function setting<T>(schema: z.ZodType<T>, fallback: string | undefined, help: string, secret = false): Setting<T> {
  return { schema, default: fallback, help, secret };
}

const list = (text: string): string[] => text.split(",").map((one) => one.trim());

function works(parse: (text: string) => unknown, text: string): boolean {
  try {
    parse(text);
    return true;
  } catch {
    return false;
  }
}

/** What is wrong is told by place, never by value: a key that is nearly right is a secret, too. */
const masterKeys = z
  .string()
  .transform(list)
  .superRefine((keys, context) => {
    const wrong = keys.flatMap((key, index) => (works(readMasterKey, key) ? [] : [index + 1]));
    if (wrong.length === 0) return;
    const which = keys.length === 1 ? "it" : `of the ${keys.length} keys number ${wrong.join(" and ")}`;
    context.addIssue({ code: "custom", message: `${which} must be 32 bytes as 64 hex digits or as base64` });
  })
  .transform((keys) => keys.join(","));
const cidrs = z
  .string()
  .transform((text) => list(text).filter((one) => one !== ""))
  .superRefine((ranges, context) => {
    for (const range of ranges)
      if (!works(parseCidr, range)) context.addIssue({ code: "custom", message: `${range} is not a range such as 10.1.0.0/16` });
  });

export const SETTINGS = {
  PORT: setting(port, "8080", "Port of the hub."),
  SANDBOX_PORT: setting(port, "8090", "Port of the sandbox."),
  SHOP_PORT: setting(port, "8070", "Port of the demo shop; development sends its webhooks there."),
  HOST: setting(z.string().min(1), "127.0.0.1", "Address to listen on. Development refuses anything but loopback."),
  LUNAS_MODE: setting(
    z.enum(["development", "production"]),
    "development",
    "`production` refuses sandbox credentials, a missing master key and the development key.",
  ),
  LUNAS_DATABASE_URL: setting(
    z.string().regex(/^(sqlite:|postgres(ql)?:\/\/)/, "must start with sqlite: or postgres://"),
    "sqlite:./data/lunas.db",
    "`sqlite:FILE`, `sqlite::memory:` or `postgres://USER:PASSWORD@HOST/NAME`.",
    true,
  ),
  LUNAS_PUBLIC_URL: setting(
    url.optional(),
    undefined,
    "Where buyers and gateways reach the hub, without a slash at the end. Default: `http://HOST:PORT`.",
  ),
  LUNAS_MASTER_KEY: setting(
    masterKeys.optional(),
    undefined,
    "Seals credentials, secrets and raw bodies: 32 bytes as hex or base64. Several, newest first, separated by commas, during a rotation. Development makes its own beside the database.",
    true,
  ),
  LUNAS_DEV_API_KEY: setting(
    z.string().min(8).optional(),
    undefined,
    "API key of the development shop, development only. Default: `sk_test_lunas_dev`.",
    true,
  ),
  LUNAS_LOG_LEVEL: setting(z.enum(["trace", "debug", "info", "warn", "error", "silent"]), "info", "How much is logged."),
  LUNAS_ALLOW_CIDRS: setting(
    cidrs,
    "",
    "Address ranges that outgoing calls may reach although the guard forbids them, separated by commas, such as `10.1.0.0/16`. Development adds loopback.",
  ),
  LUNAS_TRUST_PROXY_HOPS: setting(
    z.coerce.number().int().min(0).max(10),
    "0",
    "How many proxies in front of the hub set `X-Forwarded-For`. With 0 the header is not believed.",
  ),
  LUNAS_METRICS_TOKEN: setting(
    z
      .string()
      .regex(/^[\x21-\x7e]{16,200}$/, "must be 16 to 200 visible ASCII characters")
      .optional(),
    undefined,
    "`/metrics` wants it as `Authorization: Bearer …`. Without it, production answers `/metrics` to its own machine only, and not through a proxy; development answers everybody.",
    true,
  ),
  LUNAS_SANDBOX_URL: setting(
    url.optional(),
    undefined,
    "Where the sandbox is, development only: the hub's business clock follows it. Default: `http://127.0.0.1:SANDBOX_PORT`.",
  ),
} as const;

type SettingName = keyof typeof SETTINGS;
export type Config = { readonly [K in SettingName]: z.output<(typeof SETTINGS)[K]["schema"]> };

export class ConfigError extends Error {
  override name = "ConfigError";
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads and checks all settings at once.
 * @throws ConfigError that names each wrong setting, what is wrong and what is allowed.
 */
export function readConfig(environment: Environment): Config {
  const config = readSettings(environment, Object.keys(SETTINGS) as SettingName[]);
  checkMode(config);
  return config;
}

/**
 * Reads only these settings. Whether they fit one another, as the mode wants it, is not asked: for what must work whatever else is wrong.
 * @throws ConfigError
 */
export function readSettings<const Name extends SettingName>(environment: Environment, names: readonly Name[]): Pick<Config, Name> {
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  for (const name of names) {
    const { schema, default: fallback, help }: Setting<unknown> = SETTINGS[name];
    const text = environment[name];
    const parsed = schema.safeParse(text === undefined || text === "" ? fallback : text);
    if (parsed.success) values[name] = parsed.data;
    else problems.push(`${name}: ${parsed.error.issues.map((issue) => issue.message).join("; ")}. ${help}`);
  }
  if (problems.length > 0) throw new ConfigError(`the configuration is not valid:\n  ${problems.join("\n  ")}`);
  return values as Pick<Config, Name>;
}

const LOOPBACK = new Set(["127.0.0.1", "::1", "localhost"]);

function checkMode(config: Config): void {
  const problems: string[] = [];
  if (config.LUNAS_MODE === "development" && !LOOPBACK.has(config.HOST))
    problems.push(`HOST: development listens on loopback only, not on ${config.HOST}`);
  if (config.LUNAS_MODE === "production") {
    if (!config.LUNAS_MASTER_KEY)
      problems.push("LUNAS_MASTER_KEY: production needs one; make it with `openssl rand -base64 32` and keep it apart from the database");
    if (config.LUNAS_DEV_API_KEY) problems.push("LUNAS_DEV_API_KEY: a development key must not be set in production");
    if (!config.LUNAS_PUBLIC_URL) problems.push("LUNAS_PUBLIC_URL: production needs the address at which buyers and gateways reach the hub");
  }
  if (problems.length > 0) throw new ConfigError(`the configuration is not valid:\n  ${problems.join("\n  ")}`);
}

const ANY_ADDRESS: Readonly<Record<string, string>> = { "0.0.0.0": "127.0.0.1", "::": "::1" };

/** Where this machine reaches a hub of this configuration, whatever stands in front of it. One that listens everywhere also does on loopback. */
export function localUrl(config: Pick<Config, "HOST" | "PORT">): string {
  const host = ANY_ADDRESS[config.HOST] ?? config.HOST;
  return `http://${host.includes(":") ? `[${host}]` : host}:${config.PORT}`;
}

export function publicUrl(config: Pick<Config, "HOST" | "PORT" | "LUNAS_PUBLIC_URL">): string {
  return config.LUNAS_PUBLIC_URL ?? localUrl(config);
}

/** Every setting with its value, secrets only as set or not set: what `lunas config` prints. */
export function describeConfig(config: Config): { name: string; value: string; help: string }[] {
  return Object.entries(SETTINGS).map(([name, { secret, help }]) => {
    const value = config[name as SettingName];
    const shown =
      value === undefined || value === "" ? "(not set)" : secret ? "(set)" : Array.isArray(value) ? value.join(",") || "(none)" : String(value);
    return { name, value: shown, help };
  });
}
