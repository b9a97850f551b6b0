import { StoreError } from "../store/index.ts";
import { hubUrls } from "./running-hub.ts";

/** Opens a database that no hub answered for. SQLite's lock says that a hub is there all the same: then where it was looked for is told. */
export async function openHere<T>(config: Parameters<typeof hubUrls>[0], open: () => Promise<T>): Promise<T> {
  try {
    return await open();
  } catch (error) {
    if (!(error instanceof StoreError) || error.fault !== "unavailable") throw error;
    throw new Error(
      `${error.message}\nNo hub answers at ${hubUrls(config).join(" or ")}. If one runs elsewhere, set HOST, PORT or LUNAS_PUBLIC_URL as it has them.`,
      { cause: error },
    );
  }
}
