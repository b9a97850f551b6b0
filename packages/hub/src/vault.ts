import { createCipheriv, createDecipheriv, createHash, createHmac, createSecretKey, hkdfSync, type KeyObject, randomBytes } from "node:crypto";

const CIPHER = "aes-256-gcm";
const IV_BYTES = 12;
const TAG_BYTES = 16;
const KEY_ID_BYTES = 4;
const HEAD_BYTES = KEY_ID_BYTES + IV_BYTES + TAG_BYTES;
const IV_POOL_BYTES = IV_BYTES * 512;

/** `master_key`: not 32 bytes. `unknown_key`: sealed under a key that is not configured. `changed`: a bit or the context differs. */
export type VaultFault = "master_key" | "unknown_key" | "changed";

/** A sealed value that cannot be opened, or a key that cannot be used. Never holds a secret. */
export class VaultError extends Error {
  override name = "VaultError";
  readonly fault: VaultFault;

  constructor(fault: VaultFault, message: string, options?: ErrorOptions) {
    super(message, options);
    this.fault = fault;
  }
}

interface SealingKey {
  readonly id: Buffer;
  readonly key: KeyObject;
}

/**
 * Seals what must not be read from a stolen database: AES-256-GCM with a key that lies elsewhere. Each sealed value carries the id of its
 * key, so that a rotation needs no moment at which all is sealed anew, and is bound to its context (`account:acc_…`), so that it cannot be
 * moved to another row. A sealed value is 4 bytes of key id, 12 of IV, 16 of tag, and the text.
 *
 * @example
 * const vault = new Vault(process.env.LUNAS_MASTER_KEY);
 * const sealed = vault.seal("account:acc_1", JSON.stringify(credentials));
 * vault.openText("account:acc_1", sealed);
 */
export class Vault {
  #keys: readonly SealingKey[];
  #operatorKey: KeyObject;
  #tokenKey: KeyObject;
  #ivs = Buffer.alloc(0);
  #nextIv = 0;

  /**
   * @param masterKeys 32 bytes each, as hex or base64, separated by commas: the first seals, all open.
   * @param tokenKey what the tokens that a hub hands out hang on: kept in its database, so that they outlive every master key (token-key.ts).
   * Without it they hang on the first master key, and do not.
   * @throws VaultError `master_key`
   */
  constructor(masterKeys: string, tokenKey?: Uint8Array) {
    const masters = masterKeys.split(",").map((text) => readMasterKey(text.trim()));
    this.#keys = masters.map((master) => ({
      id: createHash("sha256").update("lunas key id").update(master).digest().subarray(0, KEY_ID_BYTES),
      key: subkey(master, "seal v1"),
    }));
    this.#operatorKey = subkey(masters[0]!, "operator v1");
    this.#tokenKey = tokenKey === undefined ? subkey(masters[0]!, "token v1") : createSecretKey(tokenKey);
  }

  /** Id of the key that seals now: the first bytes of whatever it has sealed. */
  get keyId(): Uint8Array {
    return this.#keys[0]!.id;
  }

  /** @param context what the value belongs to; it opens with the same context only. */
  seal(context: string, plain: Uint8Array | string): Uint8Array {
    const { id, key } = this.#keys[0]!;
    const iv = this.#iv();
    const cipher = createCipheriv(CIPHER, key, iv);
    cipher.setAAD(Buffer.from(context));
    const body = typeof plain === "string" ? cipher.update(plain, "utf8") : cipher.update(plain);
    cipher.final();
    return Buffer.concat([id, iv, cipher.getAuthTag(), body]);
  }

  /** @throws VaultError `unknown_key`, `changed` */
  open(context: string, sealed: Uint8Array): Uint8Array {
    const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength);
    if (bytes.length < HEAD_BYTES) throw new VaultError("changed", `a sealed value of ${context} is too short`);
    const id = bytes.subarray(0, KEY_ID_BYTES);
    const found = this.#keys.find((one) => one.id.equals(id));
    if (!found) throw new VaultError("unknown_key", `${context} is sealed under the master key ${id.toString("hex")}, which is not configured`);
    const decipher = createDecipheriv(CIPHER, found.key, bytes.subarray(KEY_ID_BYTES, KEY_ID_BYTES + IV_BYTES), { authTagLength: TAG_BYTES });
    decipher.setAAD(Buffer.from(context));
    decipher.setAuthTag(bytes.subarray(KEY_ID_BYTES + IV_BYTES, HEAD_BYTES));
    try {
      return Buffer.concat([decipher.update(bytes.subarray(HEAD_BYTES)), decipher.final()]);
    } catch (error) {
      throw new VaultError("changed", `a sealed value of ${context} was changed or moved`, { cause: error });
    }
  }

  /** @throws VaultError `unknown_key`, `changed` */
  openText(context: string, sealed: Uint8Array): string {
    return Buffer.from(this.open(context, sealed)).toString("utf8");
  }

  /** Keyed digest for tokens that are derived instead of stored. It stays the same through rotations of the master key. 32 bytes. */
  hmac(purpose: string, data: string): Uint8Array {
    return digest(this.#tokenKey, purpose, data);
  }

  /** Keyed digest under the newest master key: whoever holds that key can make it, without a database. 32 bytes. */
  operatorHmac(purpose: string, data: string): Uint8Array {
    return digest(this.#operatorKey, purpose, data);
  }

  /** Random bytes come cheaper by the page. */
  #iv(): Buffer {
    if (this.#nextIv === this.#ivs.length) {
      this.#ivs = randomBytes(IV_POOL_BYTES);
      this.#nextIv = 0;
    }
    this.#nextIv += IV_BYTES;
    return this.#ivs.subarray(this.#nextIv - IV_BYTES, this.#nextIv);
  }
}

function digest(key: KeyObject, purpose: string, data: string): Uint8Array {
  return createHmac("sha256", key).update(`${purpose}\n${data}`).digest();
}

function subkey(master: Buffer, purpose: string): KeyObject {
  return createSecretKey(Buffer.from(hkdfSync("sha256", master, "lunas", purpose, 32)));
}

const HEX = /^[0-9a-fA-F]{64}$/;
/** 32 bytes are 43 characters; both alphabets of base64 are in use. */
const BASE64 = /^[A-Za-z0-9+/_-]{43}=?$/;

/** @throws VaultError `master_key` */
export function readMasterKey(text: string): Buffer {
  if (HEX.test(text)) return Buffer.from(text, "hex");
  if (BASE64.test(text)) return Buffer.from(text, "base64");
  throw new VaultError("master_key", "a master key is 32 bytes, as 64 hex digits or as base64");
}
