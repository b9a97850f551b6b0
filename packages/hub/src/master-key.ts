import { randomBytes } from "node:crypto";
import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Config, ConfigError } from "./config.ts";

/** The keys that seal what is secret, newest first. @throws ConfigError in production without one. */
export function masterKeyOf(config: Config): string {
  return config.LUNAS_MASTER_KEY ?? developmentKey(config);
}

/** Development keeps a key of its own beside its database, so that a restart can read what was sealed before. */
function developmentKey(config: Config): string {
  if (config.LUNAS_MODE === "production") throw new ConfigError("LUNAS_MASTER_KEY: production needs one");
  const path = config.LUNAS_DATABASE_URL.startsWith("sqlite:") ? config.LUNAS_DATABASE_URL.slice("sqlite:".length) : "./data/lunas.db";
  if (path === ":memory:") return randomBytes(32).toString("base64");
  const file = join(dirname(path), "development.key");
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
