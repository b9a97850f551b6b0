#!/usr/bin/env -S node --v8-pool-size=1 --no-allocation-site-pretenuring --heap-growing-percent=200
// One helper for the garbage collector and the compiler, for more of them take the cores from whoever answers; no guesses at what will live long, which
// had short-lived requests wait for a collection of the whole heap; and a heap that may grow to three times what lives in it before there is one: 60 to
// 90 ms in which answers take long (docs/performance.md).
import { Command, Option } from "commander";
import { ConfigError, describeConfig } from "../config.ts";
import { addDevelopmentCommands } from "./development.ts";
import { configOrExit } from "./exit-config.ts";
import { addOperatorCommands } from "./operator.ts";
import { addServeCommands } from "./serve.ts";
import { addDatabaseCommands } from "./database.ts";
import { VaultError } from "../vault.ts";

const program = new Command("lunas").description("A self-hosted payment and callback hub for Indonesian online shops.").showHelpAfterError();

program
  .command("config")
  .description("show every setting with its value; secrets only as set or not set")
  .addOption(new Option("--json", "as JSON"))
  .action((options: { json?: boolean }) => {
    const lines = describeConfig(configOrExit());
    process.stdout.write(options.json ? `${JSON.stringify(lines, null, 2)}\n` : lines.map((line) => `${line.name}=${line.value}\n`).join(""));
  });

addServeCommands(program);
addDatabaseCommands(program);
addOperatorCommands(program);
addDevelopmentCommands(program);

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  // What an operator corrects in the settings: the same code as for one that cannot be read.
  process.exitCode = error instanceof ConfigError || error instanceof VaultError ? 2 : 1;
}
