import { randomBytes } from "node:crypto";
import type { Store } from "./store/index.ts";
import { Vault, VaultError } from "./vault.ts";

const NAME = "token_key";
/** What the sealed key is bound to. */
export const TOKEN_KEY_CONTEXT = `meta:${NAME}`;
const KEY_BYTES = 32;

/**
 * Opens the vault of a hub with the token key of its database, which is made by whichever hub starts first on it. The key is random and
 * sealed under the master key: the tokens of payment pages do not change when the master key does.
 * @param masterKeys as the Vault takes them.
 * @throws VaultError `unknown_key` when the database was sealed under a master key that is not among these.
 */
export async function openVault(store: Store, masterKeys: string): Promise<Vault> {
  const sealing = new Vault(masterKeys);
  const key = await readTokenKey(store, sealing);
  if (key) return new Vault(masterKeys, key);
  const value = Buffer.from(sealing.seal(TOKEN_KEY_CONTEXT, randomBytes(KEY_BYTES))).toString("base64");
  await store.write((tx) =>
    tx
      .insertInto("meta")
      .values({ name: NAME, value })
      .onConflict((conflict) => conflict.column("name").doNothing())
      .execute(),
  );
  // Another hub may have been quicker: what stands there counts.
  const kept = await readTokenKey(store, sealing);
  if (!kept) throw new VaultError("changed", "the token key is gone from the database");
  return new Vault(masterKeys, kept);
}

async function readTokenKey(store: Store, vault: Vault): Promise<Uint8Array | undefined> {
  const row = await store.read((db) => db.selectFrom("meta").select("value").where("name", "=", NAME).executeTakeFirst());
  return row && vault.open(TOKEN_KEY_CONTEXT, Buffer.from(row.value, "base64"));
}

/** Seals the token key anew under the newest master key. @returns whether it was under another one. */
export async function resealTokenKey(store: Store, vault: Vault): Promise<boolean> {
  const row = await store.read((db) => db.selectFrom("meta").select("value").where("name", "=", NAME).executeTakeFirst());
  if (!row) return false;
  const sealed = Buffer.from(row.value, "base64");
  if (sealed.subarray(0, vault.keyId.length).equals(vault.keyId)) return false;
  const value = Buffer.from(vault.seal(TOKEN_KEY_CONTEXT, vault.open(TOKEN_KEY_CONTEXT, sealed))).toString("base64");
  await store.write((tx) => tx.updateTable("meta").set({ value }).where("name", "=", NAME).where("value", "=", row.value).execute());
  return true;
}
