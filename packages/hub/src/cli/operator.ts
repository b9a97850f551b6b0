import { LunasError } from "@lunas/domain";
import type { Command } from "commander";
import type { Config } from "../config.ts";
import { makeHub } from "../main.ts";
import { COMMANDS } from "./commands.ts";
import { credentialPair, readCredentials } from "./credentials.ts";
import { configOrExit } from "./exit-config.ts";
import type { Resealed } from "./reseal.ts";
import { hold } from "./hold.ts";
import { openHere } from "./open-here.ts";
import { print } from "./print.ts";
import { callRunningHub } from "./running-hub.ts";

/** Runs a command in the hub that is running, or on the database when none is. Prints its result as JSON. */
async function run(name: string, input: Record<string, unknown>): Promise<void> {
  print(await ask(configOrExit(), name, input));
}

async function ask(config: Config, name: string, input: Record<string, unknown>): Promise<unknown> {
  const answer = await callRunningHub(config, name, input);
  return answer ? answer.result : runHere(config, name, input);
}

async function runHere(config: Config, name: string, input: Record<string, unknown>): Promise<unknown> {
  const command = COMMANDS[name]!;
  const hub = await openHere(config, () => makeHub({ ...config, LUNAS_LOG_LEVEL: "silent" }));
  try {
    const parsed = command.input.safeParse(input);
    if (!parsed.success) throw new Error(parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`).join("\n"));
    return await command.run(hub, parsed.data);
  } catch (error) {
    if (error instanceof LunasError && error.errors)
      throw new Error(error.errors.map((one) => `${one.field}: ${one.message}`).join("\n"), { cause: error });
    throw error;
  } finally {
    await hub.store.close();
  }
}

/** Call by call, until everything was gone through. */
async function rotate(): Promise<void> {
  const config = configOrExit();
  const total: Record<string, number> = {};
  let from: string | undefined;
  for (;;) {
    const part = (await ask(config, "rotate", from === undefined ? {} : { from })) as Resealed;
    for (const [name, count] of Object.entries(part.resealed)) total[name] = (total[name] ?? 0) + count;
    if (part.next !== null) {
      from = part.next;
      continue;
    }
    print({ resealed: total, unreadable: part.unreadable, old_keys_can_be_dropped: part.unreadable === 0 });
    if (part.unreadable > 0) process.exitCode = 1;
    return;
  }
}

export function addOperatorCommands(program: Command): void {
  const keys = program.command("keys").description("API keys of shops");
  keys
    .command("create")
    .option("--shop <shop>")
    .option("--new-shop <name>")
    .option("--label <label>")
    .action((o: { shop?: string; newShop?: string; label?: string }) => run("keys-create", { shop: o.shop, new_shop: o.newShop, label: o.label }));
  keys.command("list").action(() => run("keys-list", {}));
  keys.command("revoke <id>").action((id: string) => run("keys-revoke", { id }));
  addAccountCommands(program.command("accounts").description("a shop's credentials at providers"));
  const endpoints = program.command("endpoints").description("URLs that are told of events");
  endpoints.command("list").action(() => run("endpoints-list", {}));
  endpoints
    .command("create <url>")
    .option("--shop <shop>")
    .option("--description <text>")
    .action((url: string, o: { shop?: string; description?: string }) => run("endpoints-create", { url, ...o }));
  program
    .command("hold <reason>")
    .description("from now on send nothing that moves money, on every hub of this database, such as after pg_restore")
    .action(hold);
  program
    .command("reconcile")
    .description("ask every gateway about everything that is not final")
    .option("--after-restore", "and lift the hold when all of it was answered")
    .option(
      "--skip-account <slug>",
      "do not ask this account, whose keys are revoked, say; repeat for each",
      (slug: string, all: string[]) => [...all, slug],
      [],
    )
    .option("--since <time>", "when the copy was made, where the hub was not put on hold at once")
    .action((o: { afterRestore?: boolean; skipAccount: string[]; since?: string }) =>
      run("reconcile", { after_restore: o.afterRestore === true, skip_accounts: o.skipAccount, since: o.since }),
    );
  program
    .command("acknowledge <payment>")
    .description("a person has seen to a payment that needs attention")
    .requiredOption("--note <text>", "what was done; it stays in the payment's timeline")
    .action((payment_id: string, o: { note: string }) => run("acknowledge", { payment_id, note: o.note }));
  program.command("rotate-master-key").description("seal everything under the first of the keys in LUNAS_MASTER_KEY").action(rotate);
  program
    .command("doctor")
    .description("what is stuck, unmatched or waiting for a person")
    .action(() => run("doctor", {}));
}

function addAccountCommands(accounts: Command): void {
  accounts.command("list").action(() => run("accounts-list", {}));
  accounts
    .command("disable <slug>")
    .description("no new payments, no callbacks; its payments stay")
    .action((slug: string) => run("accounts-disable", { slug }));
  accounts
    .command("create")
    .requiredOption("--provider <provider>")
    .requiredOption("--slug <slug>", "callbacks arrive at /callbacks/SLUG")
    .option("--shop <shop>")
    .option("--label <label>")
    .option("--credentials-file <file>", "JSON object of the credentials; - reads the standard input")
    .option("--credential <name=value>", "repeat for each; others on this machine can read a command line", credentialPair, {})
    .action((o: { provider: string; slug: string; shop?: string; label?: string; credentialsFile?: string; credential: Record<string, string> }) => {
      const credentials = { ...(o.credentialsFile === undefined ? {} : readCredentials(o.credentialsFile)), ...o.credential };
      return run("accounts-create", { provider: o.provider, slug: o.slug, shop: o.shop, label: o.label, credentials });
    });
}
