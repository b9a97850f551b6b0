import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import type { RawCallback } from "@lunas/domain";
import type { Selectable } from "kysely";
import type { Db, NotificationsTable, Tx } from "../store/index.ts";
import { VERDICT } from "../store/index.ts";
import type { Vault } from "../vault.ts";
import { dedupeKey } from "./dedupe-key.ts";

/** Headers that are kept with a notification. Everything else a stranger sends is none of our business. */
const KEPT_HEADERS = ["content-type", "user-agent", "x-callback-token", "webhook-id", "x-forwarded-for"] as const;
/** Kept only so that a proof can be checked again; masked in every view. */
export const SECRET_HEADERS: ReadonlySet<string> = new Set(["x-callback-token"]);

const CONTEXT = "notifications";
/** What the first byte of a batch says about the rest. */
const PLAIN = 0;
const ZSTD = 1;
/** Less than this is not worth a compressor's start. */
const COMPRESSED_FROM_BYTES = 2_048;
const LENGTH_BYTES = 4;
/** Fast, and small: a compressor of the usual size, made anew for each commit, would have the garbage collector at work all the time. */
const COMPRESSION = {
  [constants.ZSTD_c_compressionLevel]: 1,
  [constants.ZSTD_c_windowLog]: 15,
  [constants.ZSTD_c_hashLog]: 12,
  [constants.ZSTD_c_chainLog]: 12,
};

/** A callback as it arrived, in one piece: the length of its head, the head as JSON (method, query, topic, kept headers), the raw bytes. */
export function frameCallback(raw: RawCallback): Uint8Array {
  const headers: Record<string, string> = {};
  for (const name of KEPT_HEADERS) {
    const value = raw.headers[name];
    if (value !== undefined) headers[name] = value.slice(0, 500);
  }
  const head = Buffer.from(JSON.stringify({ method: raw.method, query: raw.query, topic: raw.topic, headers }));
  const frame = Buffer.allocUnsafe(LENGTH_BYTES + head.length + raw.body.length);
  frame.writeUInt32BE(head.length);
  frame.set(head, LENGTH_BYTES);
  frame.set(raw.body, LENGTH_BYTES + head.length);
  return frame;
}

function readFrame(frame: Buffer): RawCallback {
  const end = LENGTH_BYTES + frame.readUInt32BE(0);
  const head = JSON.parse(frame.toString("utf8", LENGTH_BYTES, end)) as Omit<RawCallback, "body">;
  return { ...head, body: frame.subarray(end) };
}

/** Where a batch is put together: the same memory each time, for a compressor keeps hold of what it has read (`compress`). */
let scratch = Buffer.allocUnsafeSlow(64 * 1024);

function batchOf(frames: readonly Uint8Array[]): Buffer {
  const bytes = frames.reduce((sum, frame) => sum + LENGTH_BYTES + frame.length, 0);
  if (scratch.length < bytes) scratch = Buffer.allocUnsafeSlow(bytes);
  let at = 0;
  for (const frame of frames) {
    at = scratch.writeUInt32BE(frame.length, at);
    scratch.set(frame, at);
    at += frame.length;
  }
  return scratch.subarray(0, bytes);
}

/**
 * A compressor and its last chunk live until the next collection of the whole heap, which is what a rush must not bring about: hundreds of them a second
 * had the collector take every other 60 ms (bench `ingest`). So the chunk is about what comes out, and from half of `Buffer.poolSize` on it has memory of
 * its own: less would keep a whole pool from being let go, and with it all that was put into it.
 */
function compress(batch: Buffer): Buffer {
  return zstdCompressSync(batch, { params: COMPRESSION, chunkSize: Math.max(Buffer.poolSize >>> 1, batch.length >>> 2) });
}

/**
 * Seals the callbacks of one commit together. Callbacks that come together are alike: compressed as one they take a sixth of the disk, and
 * one seal and one row serve them all, which is what makes a rush bearable (bench `ingest`).
 */
export function sealBatch(vault: Vault, frames: readonly Uint8Array[]): Uint8Array {
  const batch = batchOf(frames);
  const small = batch.length < COMPRESSED_FROM_BYTES;
  const body = small ? batch : compress(batch);
  return vault.seal(CONTEXT, Buffer.concat([Buffer.of(small ? PLAIN : ZSTD), body]));
}

/** A row of `notification_batches`. Bodies that were stored before there were batches stand alone and are bound to their account. */
export interface StoredBatch {
  readonly sealed: Uint8Array;
  readonly single_of: string | null;
}

/** The frames of a batch, by their place. @throws VaultError */
export function openBatch(vault: Vault, { sealed, single_of }: StoredBatch): readonly Buffer[] {
  if (single_of !== null) return [Buffer.from(vault.open(batchContext(single_of), sealed))];
  const plain = Buffer.from(vault.open(CONTEXT, sealed));
  const batch = plain[0] === PLAIN ? plain.subarray(1) : zstdDecompressSync(plain.subarray(1));
  const frames: Buffer[] = [];
  for (let at = 0; at < batch.length;) {
    const start = at + LENGTH_BYTES;
    at = start + batch.readUInt32BE(at);
    frames.push(batch.subarray(start, at));
  }
  return frames;
}

/** What a batch is bound to: for whoever seals it anew. */
export function batchContext(single_of: string | null): string {
  return single_of === null ? CONTEXT : `notification:${single_of}`;
}

type BodyOf = Pick<Selectable<NotificationsTable>, "account_id" | "verdict" | "dedupe" | "batch" | "place">;

/** Reads raw callbacks; batches that are read again and again, row after row, are opened once. */
export class BodyReader {
  readonly #vault: Vault;
  #last: { readonly batch: number; readonly frames: readonly Buffer[] } | undefined;

  constructor(vault: Vault) {
    this.#vault = vault;
  }

  /**
   * The callback of a notification; undefined when its time is over. Its key is made from its bytes again and compared, so that a body which
   * was moved to another row, or whose batch made room for another one, is not taken for this one's.
   * @throws VaultError
   */
  async read(db: Db | Tx, row: BodyOf): Promise<RawCallback | undefined> {
    if (row.batch === null || row.place === null) return undefined;
    if (this.#last?.batch !== row.batch) {
      const stored = await db.selectFrom("notification_batches").select(["sealed", "single_of"]).where("id", "=", row.batch).executeTakeFirst();
      if (!stored) return undefined;
      this.#last = { batch: row.batch, frames: openBatch(this.#vault, stored) };
    }
    const frame = this.#last.frames[row.place];
    const raw = frame && readFrame(frame);
    if (!raw || Buffer.compare(dedupeKey(row.account_id, row.verdict !== VERDICT.weak, raw.body), row.dedupe) !== 0) return undefined;
    return raw;
  }
}
