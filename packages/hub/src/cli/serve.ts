import { providers } from "@lunas/providers";
import { startSandbox } from "@lunas/sandbox";
import { type Command, Option } from "commander";
import { publicUrl } from "../config.ts";
import { type Role, startHub } from "../main.ts";
import { configOrExit } from "./exit-config.ts";
import { stopOnSignal } from "./stop-on-signal.ts";

export function addServeCommands(program: Command): void {
  program
    .command("serve")
    .description("run the hub")
    .addOption(
      new Option("--role <role>", "what this process does; several hubs can share one PostgreSQL").choices(["api", "worker", "all"]).default("all"),
    )
    .action(async (options: { role: Role }) => {
      const hub = await startHub(configOrExit(), { role: options.role });
      stopOnSignal(() => hub.stop());
    });
  program
    .command("sandbox")
    .description("run the offline sandbox of the providers")
    .option("--accept-any-key", "take any credential but the empty ones")
    .option("--database <file>", "where the sandbox keeps what it collected; `:memory:` forgets it", "./data/sandbox.db")
    .option("--seed <number>", "makes ids and faults repeatable", (text) => Number.parseInt(text, 10))
    .action(async (options: { acceptAnyKey?: boolean; database: string; seed?: number }) => {
      const config = configOrExit();
      const sandbox = await startSandbox({
        host: config.HOST,
        port: config.SANDBOX_PORT,
        databasePath: options.database,
        // In development each provider has one account, of the provider's own name.
        notify: Object.fromEntries([...providers.keys()].map((name) => [name, `${publicUrl(config)}/callbacks/${name}`])),
        ...(options.acceptAnyKey ? { acceptAnyKey: true } : {}),
        ...(options.seed === undefined ? {} : { seed: options.seed }),
      });
      process.stdout.write(`sandbox ready at ${sandbox.url}\n`);
      stopOnSignal(() => sandbox.close());
    });
}
