import { randomBytes } from "node:crypto";
import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Config, ConfigError } from "./config.ts";

type KeySettings = Pick<Config, "LUNAS_MASTER_KEY" | "LUNAS_MODE" | "LUNAS_DATABASE_URL">;

/** The keys that seal what is secret, newest first. @throws ConfigError in production without one. */
export function masterKeyOf(config: KeySettings): string {
  return config.LUNAS_MASTER_KEY ?? developmentKey(config);
}

/** The same where there is one already. Nothing is made, and nothing is wrong when there is none. */
export function masterKeyIfAny(config: KeySettings): string | undefined {
  if (config.LUNAS_MASTER_KEY !== undefined || config.LUNAS_MODE === "production") return config.LUNAS_MASTER_KEY;
  const file = developmentFile(config);
  return file !== undefined && existsSync(file) ? readFileSync(file, "utf8").trim() : undefined;
}

/** Beside the database; undefined for one that is in memory only. */
function developmentFile(config: KeySettings): string | undefined {
  const path = config.LUNAS_DATABASE_URL.startsWith("sqlite:") ? config.LUNAS_DATABASE_URL.slice("sqlite:".length) : "./data/lunas.db";
  return path === ":memory:" ? undefined : join(dirname(path), "development.key");
}

/** Development keeps a key of its own beside its database, so that a restart can read what was sealed before. */
function developmentKey(config: KeySettings): string {
  if (config.LUNAS_MODE === "production") throw new ConfigError("LUNAS_MASTER_KEY: production needs one");
  const file = developmentFile(config);
  if (file === undefined) return randomBytes(32).toString("base64");
  if (!existsSync(file)) writeOnce(file, randomBytes(32).toString("base64"));
  return readFileSync(file, "utf8").trim();
}

/** Two that start at once agree: the file appears whole, and only the first one's. */
function writeOnce(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  const draft = `${file}.${randomBytes(4).toString("hex")}`;
  writeFileSync(draft, text, { mode: 0o600, flag: "wx" });
  try {
    linkSync(draft, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  } finally {
    rmSync(draft);
  }
}
