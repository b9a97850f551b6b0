import { portFrom } from "./ports.ts";
import { urlHost, type Service } from "./supervisor.ts";

/** What `npm start` starts, and where it will be found. */
export interface Plan {
  readonly services: readonly Service[];
  readonly hub_url: string;
  readonly sandbox_url: string;
  readonly shop_url: string;
  readonly api_key: string;
}

const LUNAS = "packages/hub/src/cli/lunas.ts";
/** As in the first line of that file, which is not read here. */
export const HUB_FLAGS = ["--v8-pool-size=1", "--no-allocation-site-pretenuring", "--heap-growing-percent=200"] as const;
const SHOP = "apps/shop/server/main.ts";

/** Fixed in development, so that the hub and the demo shop know it without being told. Never taken in production. */
const DEV_API_KEY = "sk_test_lunas_dev";
const DEV_WEBHOOK_SECRET = "whsec_bHVuYXMtZGVtby1zaG9wLWVuZHBvaW50LXNlY3JldA==";

/**
 * The development set of services, with the environment's own values where it has them.
 * Throws with a sentence for a person when a port is not one, or two are the same.
 */
export function development(env: NodeJS.ProcessEnv): Plan {
  const host = env["HOST"] || "127.0.0.1";
  const ports = { PORT: portFrom(env, "PORT", 8080), SANDBOX_PORT: portFrom(env, "SANDBOX_PORT", 8090), SHOP_PORT: portFrom(env, "SHOP_PORT", 8070) };
  if (new Set(Object.values(ports)).size < 3) throw new Error("PORT, SANDBOX_PORT and SHOP_PORT must be three different ports");
  const url = (port: number): string => `http://${urlHost(host)}:${port}`;
  const api_key = env["LUNAS_DEV_API_KEY"] || DEV_API_KEY;
  const hub_url = env["LUNAS_PUBLIC_URL"] || url(ports.PORT);

  const common = {
    HOST: host,
    PORT: String(ports.PORT),
    SANDBOX_PORT: String(ports.SANDBOX_PORT),
    SHOP_PORT: String(ports.SHOP_PORT),
    LUNAS_MODE: "development",
    LUNAS_LOG_LEVEL: env["LUNAS_LOG_LEVEL"] || "warn",
  };
  const hub_env = {
    ...common,
    LUNAS_DEV_API_KEY: api_key,
    LUNAS_PUBLIC_URL: hub_url,
    LUNAS_DATABASE_URL: env["LUNAS_DATABASE_URL"] || "sqlite:./data/lunas.db",
  };
  const shop_env = {
    ...common,
    LUNAS_URL: url(ports.PORT),
    LUNAS_API_KEY: api_key,
    LUNAS_WEBHOOK_SECRET: env["LUNAS_WEBHOOK_SECRET"] || DEV_WEBHOOK_SECRET,
  };

  return {
    services: [
      {
        name: "sandbox",
        args: [LUNAS, "sandbox"],
        env: common,
        host,
        port: ports.SANDBOX_PORT,
        port_variable: "SANDBOX_PORT",
        ready_paths: ["/healthz"],
      },
      { name: "hub", args: [...HUB_FLAGS, LUNAS, "serve"], env: hub_env, host, port: ports.PORT, port_variable: "PORT", ready_paths: ["/readyz"] },
      { name: "shop", args: [SHOP], env: shop_env, host, port: ports.SHOP_PORT, port_variable: "SHOP_PORT", ready_paths: ["/healthz", "/"] },
    ],
    hub_url,
    sandbox_url: url(ports.SANDBOX_PORT),
    shop_url: url(ports.SHOP_PORT),
    api_key,
  };
}

/** What is printed once everything is ready. */
export function welcome(plan: Plan): string {
  return `
Lunas is ready.

  demo shop   ${plan.shop_url}    buy something here
  sandbox     ${plan.sandbox_url}    pay it here, as the buyer's phone would
  hub         ${plan.hub_url}/docs    the API, with the key ${plan.api_key}

Next: open the demo shop, put something into the cart, check out with GoPay, and pay on the simulator page.
The order becomes paid in the shop because a signed webhook told it so. Data is in ./data; Ctrl+C stops everything.

`;
}
