#!/usr/bin/env node
import { Command, Option } from "commander";
import { describeConfig } from "../config.ts";
import { configOrExit } from "./exit-config.ts";
import { addOperatorCommands } from "./operator.ts";
import { addServeCommands } from "./serve.ts";
import { addDatabaseCommands } from "./database.ts";

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

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
