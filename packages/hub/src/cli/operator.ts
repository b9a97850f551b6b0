import { LunasError } from "@lunas/domain";
import type { Command } from "commander";
import { type Config, publicUrl } from "../config.ts";
import { makeHub } from "../main.ts";
import { StoreError } from "../store/index.ts";
import { COMMANDS } from "./commands.ts";
import { configOrExit } from "./exit-config.ts";
import { callRunningHub } from "./running-hub.ts";

/** Runs a command in the hub that is running, or on the database when none is. Prints its result as JSON. */
async function run(name: string, input: Record<string, unknown>): Promise<void> {
  const config = configOrExit();
  const result = (await callRunningHub(config, publicUrl(config), name, input)) ?? (await runHere(config, name, input));
  process.stdout.write(`${JSON.stringify(result.result, null, 2)}\n`);
}

async function runHere(config: Config, name: string, input: Record<string, unknown>): Promise<{ result: unknown }> {
  const command = COMMANDS[name]!;
  const hub = await makeHub({ ...config, LUNAS_LOG_LEVEL: "silent" }).catch((error: unknown) => {
    if (error instanceof StoreError && error.fault === "unavailable") {
      throw new Error(`${error.message}\nA hub seems to run, but not at ${publicUrl(config)}: set PORT, HOST or LUNAS_PUBLIC_URL as it has them.`);
    }
    throw error;
  });
  try {
    const parsed = command.input.safeParse(input);
    if (!parsed.success) throw new Error(parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`).join("\n"));
    return { result: await command.run(hub, parsed.data as never) };
  } catch (error) {
    if (error instanceof LunasError && error.errors) throw new Error(error.errors.map((one) => `${one.field}: ${one.message}`).join("\n"), { cause: error });
    throw error;
  } finally {
    await hub.store.close();
  }
}

const pairs = (text: string, before: Record<string, string>): Record<string, string> => {
  const at = text.indexOf("=");
  if (at < 1) throw new Error(`a credential is written NAME=VALUE, not ${text}`);
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
};

export function addOperatorCommands(program: Command): void {
  const keys = program.command("keys").description("API keys of shops");
  keys.command("create").option("--shop <shop>").option("--new-shop <name>").option("--label <label>").action((o: { shop?: string; newShop?: string; label?: string }) =>
    run("keys-create", { shop: o.shop, new_shop: o.newShop, label: o.label }),
  );
  keys.command("list").action(() => run("keys-list", {}));
  keys.command("revoke <id>").action((id: string) => run("keys-revoke", { id }));
  const accounts = program.command("accounts").description("a shop's credentials at providers");
  accounts.command("list").action(() => run("accounts-list", {}));
  accounts
    .command("create")
    .requiredOption("--provider <provider>")
    .requiredOption("--slug <slug>", "callbacks arrive at /callbacks/SLUG")
    .option("--shop <shop>")
    .option("--label <label>")
    .option("--credential <name=value>", "repeat for each", pairs, {})
    .action((o: { provider: string; slug: string; shop?: string; label?: string; credential: Record<string, string> }) =>
      run("accounts-create", { provider: o.provider, slug: o.slug, shop: o.shop, label: o.label, credentials: o.credential }),
    );
  const endpoints = program.command("endpoints").description("URLs that are told of events");
  endpoints.command("list").action(() => run("endpoints-list", {}));
  endpoints.command("create <url>").option("--shop <shop>").option("--description <text>").action((url: string, o: { shop?: string; description?: string }) => run("endpoints-create", { url, ...o }));
  program
    .command("reconcile")
    .description("ask every gateway about everything that is not final")
    .option("--after-restore", "and lift the hold when all of it was answered")
    .action((o: { afterRestore?: boolean }) => run("reconcile", { after_restore: o.afterRestore === true }));
  program.command("rotate-master-key").description("seal everything under the first of the keys in LUNAS_MASTER_KEY").action(() => run("rotate", {}));
  program.command("doctor").description("what is stuck, unmatched or waiting for a person").action(() => run("doctor", {}));
}
