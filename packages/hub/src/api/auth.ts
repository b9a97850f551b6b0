import { createHash } from "node:crypto";
import { LunasError } from "@lunas/domain";
import type { FastifyRequest } from "fastify";
import type { Hub } from "../hub.ts";
import { Guesses } from "./guesses.ts";

/** A key that was revoked on another hub works here for this long at most. */
const FRESH_MS = 5_000;
const ENTRIES_MAX = 10_000;
const BEARER = /^Bearer ([\x21-\x7e]{1,200})$/i;

declare module "fastify" {
  interface FastifyRequest {
    /** Id of the shop whose key the request carries; empty outside /v1. */
    shop_id: string;
    /** Digest of the key that was believed; empty before. */
    key_name: string;
  }
}

/** Finds the shop of a request's API key. Keys are stored as SHA-256, so looking one up tells nothing by its time. */
export class Authenticator {
  #hub: Pick<Hub, "store" | "clocks">;
  #guesses: Guesses;
  #found = new Map<string, { readonly shop_id: string; readonly read_at: number }>();

  /** @param wrong_per_minute wrong keys of one address; then it is answered 429 unread. */
  constructor(hub: Pick<Hub, "store" | "clocks">, wrong_per_minute: number) {
    this.#hub = hub;
    this.#guesses = new Guesses(hub, wrong_per_minute);
  }

  /** Sets `shop_id` and `key_name`. @throws LunasError unauthorized, rate_limited */
  async authenticate(request: FastifyRequest): Promise<void> {
    const match = BEARER.exec(request.headers.authorization ?? "");
    const hash = createHash("sha256")
      .update(match?.[1] ?? "")
      .digest();
    const name = hash.toString("base64");
    // A key that was right before is no guess, though somebody else at its address may be guessing.
    if (!this.#found.has(name)) this.#guesses.refuse(request.ip);
    const shop_id = match ? await this.#shopOf(name, hash) : undefined;
    if (shop_id === undefined) {
      this.#guesses.count(request.ip);
      throw new LunasError("unauthorized");
    }
    request.shop_id = shop_id;
    request.key_name = name;
  }

  async #shopOf(name: string, hash: Uint8Array): Promise<string | undefined> {
    const now = this.#hub.clocks.wall.now();
    const cached = this.#found.get(name);
    if (cached && Math.abs(now - cached.read_at) < FRESH_MS) return cached.shop_id;
    const row = await this.#hub.store.read((db) =>
      db.selectFrom("api_keys").select("shop_id").where("hash", "=", hash).where("revoked_at", "is", null).executeTakeFirst(),
    );
    this.#found.delete(name);
    if (!row) return undefined;
    if (this.#found.size >= ENTRIES_MAX) this.#found.clear();
    this.#found.set(name, { shop_id: row.shop_id, read_at: now });
    return row.shop_id;
  }
}
