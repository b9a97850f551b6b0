import { readSettings } from "../config.ts";
import { masterKeyIfAny } from "../master-key.ts";
import { readHold, setHold } from "../store/hold.ts";
import { openMigratedStore, type Store, StoreError } from "../store/index.ts";
import { settingsOrExit } from "./exit-config.ts";
import { openHere } from "./open-here.ts";
import { print } from "./print.ts";
import { callHubWithKey } from "./running-hub.ts";

const NEEDED = ["HOST", "PORT", "LUNAS_PUBLIC_URL", "LUNAS_MODE", "LUNAS_DATABASE_URL", "LUNAS_MASTER_KEY"] as const;

/**
 * Puts the hub on hold. That must be possible whatever else is wrong: only the settings that say where the database is are needed. A
 * running hub is asked where there is a master key to ask it with; otherwise the hold is written into the database, which every hub follows.
 */
export async function hold(reason: string): Promise<void> {
  const config = settingsOrExit((environment) => readSettings(environment, NEEDED));
  const key = masterKeyIfAny(config);
  let refused: unknown;
  const answer =
    key === undefined ? undefined : await callHubWithKey(key, config, "hold", { reason }).catch((error: unknown) => void (refused = error));
  if (answer) return print(answer.result);
  const open = (): Promise<Store> => openMigratedStore(config.LUNAS_DATABASE_URL);
  const store = await (key === undefined ? open() : openHere(config, open)).catch((error: unknown) => {
    throw refused ?? (key === undefined && error instanceof StoreError ? withoutKey(error) : error);
  });
  try {
    await setHold(store, reason);
    print({ hold: await readHold(store), note: "written to the database: a hub that runs on it holds within seconds, the next one starts on hold" });
  } finally {
    await store.close();
  }
}

/** SQLite's file is locked by the hub that runs on it. */
function withoutKey(error: StoreError): Error {
  const advice = "If a hub is running, it is asked with its LUNAS_MASTER_KEY, which is not set here.";
  return error.fault === "unavailable" ? new Error(`${error.message}\n${advice}`, { cause: error }) : error;
}
