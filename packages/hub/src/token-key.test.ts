import { afterEach, describe, expect, test } from "vitest";
import { freshDatabase } from "../../../tests/harness/postgres.ts";
import { openMigratedStore, type Store } from "./store/index.ts";
import { openVault, resealTokenKey } from "./token-key.ts";

const key = (byte: number): string => Buffer.alloc(32, byte).toString("base64");
const OLD = key(1);
const NEW = key(2);
const tokenOf = async (store: Store, keys: string): Promise<string> =>
  Buffer.from((await openVault(store, keys)).hmac("checkout-token", "ord_1")).toString("hex");

describe.each(["sqlite", "postgres"])("the token key of a database on %s", (engine) => {
  const stores: Store[] = [];
  afterEach(async () => {
    for (const store of stores.splice(0)) await store.close();
  });
  const open = async (url: string): Promise<Store> => {
    const store = await openMigratedStore(url);
    stores.push(store);
    return store;
  };
  const database = (): Promise<string> | string => (engine === "postgres" ? freshDatabase() : "sqlite::memory:");

  test("is the same for hubs that start on it at once", async () => {
    const url = await database();
    const first = await open(url);
    const hubs = engine === "postgres" ? [first, await open(url), await open(url)] : [first, first, first];
    const tokens = await Promise.all([...hubs, ...hubs].map((store) => tokenOf(store, OLD)));
    expect(new Set(tokens).size).toBe(1);
    expect(await tokenOf(first, OLD)).toBe(tokens[0]);
  });

  test("outlives the master key that it was made under, once it was sealed anew", async () => {
    const store = await open(await database());
    const before = await tokenOf(store, OLD);
    expect(await tokenOf(store, `${NEW},${OLD}`)).toBe(before);
    await expect(tokenOf(store, NEW)).rejects.toMatchObject({ fault: "unknown_key" });
    const during = await openVault(store, `${NEW},${OLD}`);
    expect(await resealTokenKey(store, during)).toBe(true);
    expect(await resealTokenKey(store, during)).toBe(false);
    expect(await tokenOf(store, NEW)).toBe(before);
    await expect(tokenOf(store, OLD)).rejects.toMatchObject({ fault: "unknown_key" });
  });

  test("is random: another database has another one", async () => {
    expect(await tokenOf(await open(await database()), OLD)).not.toBe(await tokenOf(await open(await database()), OLD));
  });
});
