import { type Config, ConfigError, readConfig } from "../config.ts";

/** Reads the configuration or ends the process with what is wrong with it: the operator's message, no stack. */
export function configOrExit(): Config {
  return settingsOrExit(readConfig);
}

/** The same for a part of the settings. */
export function settingsOrExit<T>(read: (environment: NodeJS.ProcessEnv) => T): T {
  try {
    return read(process.env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(2);
  }
}
