import { createCipheriv, createDecipheriv, createHash, createHmac, hkdfSync, randomBytes } from "node:crypto";

const IV_BYTES = 12;
const TAG_BYTES = 16;
const KEY_ID_BYTES = 4;
const HEAD_BYTES = KEY_ID_BYTES + IV_BYTES + TAG_BYTES;
const IV_POOL_BYTES = IV_BYTES * 512;

export class VaultError extends Error {
  override name = "VaultError";
}

interface SealingKey {
  readonly id: Buffer;
  readonly key: Buffer;
}

/**
 * Seals what must not be read from a stolen database: AES-256-GCM with a key that lies elsewhere. Each sealed value carries the id of its
 * key, so that a rotation needs no moment at which all is sealed anew, and is bound to its context (`account:acc_…`), so that it cannot be
 * moved to another row.
 */
export class Vault {
  #keys: readonly SealingKey[];
  #macKey: Buffer;
  #ivs = Buffer.alloc(0);

  /** @param masterKeys 32 bytes each, as hex or base64, separated by commas: the first seals, all open. */
  constructor(masterKeys: string) {
    const masters = masterKeys.split(",").map((text) => readKey(text.trim()));
    this.#keys = masters.map((master) => ({
      id: createHash("sha256").update("lunas key id").update(master).digest().subarray(0, KEY_ID_BYTES),
      key: Buffer.from(hkdfSync("sha256", master, "lunas", "seal v1", 32)),
    }));
    // Tokens that were handed out must outlive a rotation: they hang on the oldest key that is configured.
    this.#macKey = Buffer.from(hkdfSync("sha256", masters.at(-1)!, "lunas", "mac v1", 32));
  }

  seal(context: string, plain: Uint8Array | string): Uint8Array {
    const { id, key } = this.#keys[0]!;
    const iv = this.#iv();
    const cipher = createCipheriv("aes-256-gcm", key, iv);
    cipher.setAAD(Buffer.from(context));
    const body = typeof plain === "string" ? cipher.update(plain, "utf8") : cipher.update(plain);
    cipher.final();
    return Buffer.concat([id, iv, cipher.getAuthTag(), body]);
  }

  /** @throws VaultError when the key is not configured, the context is another, or a bit was changed. */
  open(context: string, sealed: Uint8Array): Uint8Array {
    const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength);
    if (bytes.length < HEAD_BYTES) throw new VaultError("a sealed value is too short");
    const id = bytes.subarray(0, KEY_ID_BYTES);
    const found = this.#keys.find((one) => one.id.equals(id));
    if (!found) throw new VaultError(`sealed under the master key ${id.toString("hex")}, which is not configured`);
    const decipher = createDecipheriv("aes-256-gcm", found.key, bytes.subarray(KEY_ID_BYTES, KEY_ID_BYTES + IV_BYTES));
    decipher.setAAD(Buffer.from(context));
    decipher.setAuthTag(bytes.subarray(KEY_ID_BYTES + IV_BYTES, HEAD_BYTES));
    try {
      return Buffer.concat([decipher.update(bytes.subarray(HEAD_BYTES)), decipher.final()]);
    } catch (error) {
      throw new VaultError(`a sealed value of ${context} was changed or moved`, { cause: error });
    }
  }

  openText(context: string, sealed: Uint8Array): string {
    return Buffer.from(this.open(context, sealed)).toString("utf8");
  }

  /** Keyed digest for tokens that are derived instead of stored. 32 bytes. */
  hmac(purpose: string, data: string): Uint8Array {
    return createHmac("sha256", this.#macKey).update(`${purpose}\n${data}`).digest();
  }

  /** Random bytes come cheaper by the page. */
  #iv(): Buffer {
    if (this.#ivs.length < IV_BYTES) this.#ivs = randomBytes(IV_POOL_BYTES);
    const iv = this.#ivs.subarray(0, IV_BYTES);
    this.#ivs = this.#ivs.subarray(IV_BYTES);
    return iv;
  }
}

function readKey(text: string): Buffer {
  const key = /^[0-9a-fA-F]{64}$/.test(text) ? Buffer.from(text, "hex") : Buffer.from(text, "base64");
  if (key.length !== 32) throw new VaultError("a master key is 32 bytes, as 64 hex digits or as base64");
  return key;
}
