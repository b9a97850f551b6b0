import type { Command } from "commander";
import { backupSqliteFile, restore } from "../store/backup.ts";
import { migrate, openStore, pendingMigrations } from "../store/index.ts";
import { configOrExit } from "./exit-config.ts";

/** The file of a SQLite URL. @throws Error for PostgreSQL, whose own tools do this. */
function sqliteFile(url: string, what: string): string {
  if (!url.startsWith("sqlite:"))
    throw new Error(
      `${what}: a PostgreSQL database is ${what === "backup" ? "copied with pg_dump" : "restored with pg_restore"}; see docs/operations.md`,
    );
  return url.slice("sqlite:".length);
}

export function addDatabaseCommands(program: Command): void {
  program
    .command("migrate")
    .description("bring the database to this program's schema")
    .option("--check", "only tell what is missing; exit 1 if anything is")
    .action(async (options: { check?: boolean }) => {
      const store = await openStore(configOrExit().LUNAS_DATABASE_URL);
      try {
        const names = options.check ? await pendingMigrations(store) : await migrate(store);
        process.stdout.write(names.length === 0 ? "up to date\n" : `${options.check ? "missing" : "applied"}: ${names.join(", ")}\n`);
        if (options.check && names.length > 0) process.exitCode = 1;
      } finally {
        await store.close();
      }
    });
  program
    .command("backup <file>")
    .description("copy a SQLite database into a new file, also while a hub is running")
    .action(async (file: string) => {
      await backupSqliteFile(sqliteFile(configOrExit().LUNAS_DATABASE_URL, "backup"), file);
      process.stdout.write(`copied to ${file}\n`);
    });
  program
    .command("restore <file>")
    .description("put a copy in the place of a SQLite database; the hub then starts on hold")
    .option("--overwrite", "in the place of a database that is there; it is kept as ….replaced")
    .action((file: string, options: { overwrite?: boolean }) => {
      restore(file, sqliteFile(configOrExit().LUNAS_DATABASE_URL, "restore"), { overwrite: options.overwrite === true });
      process.stdout.write("restored. The hub starts on hold; run `lunas reconcile --after-restore` when it is up.\n");
    });
}
