import { createHash } from "node:crypto";
import { LunasError } from "@lunas/domain";
import type { FastifyRequest } from "fastify";
import type { Hub } from "../hub.ts";

/** A key that was revoked on another hub works here for this long at most. */
const FRESH_MS = 5_000;
const ENTRIES_MAX = 10_000;
const BEARER = /^Bearer ([\x21-\x7e]{1,200})$/i;

declare module "fastify" {
  interface FastifyRequest {
    /** Id of the shop whose key the request carries; empty outside /v1. */
    shop_id: string;
  }
}

/** Finds the shop of a request's API key. Keys are stored as SHA-256, so looking one up tells nothing by its time. */
export class Authenticator {
  #hub: Pick<Hub, "store" | "clocks">;
  #found = new Map<string, { readonly shop_id: string; readonly read_at: number }>();

  constructor(hub: Pick<Hub, "store" | "clocks">) {
    this.#hub = hub;
  }

  /** @throws LunasError unauthorized */
  async authenticate(request: FastifyRequest): Promise<string> {
    const match = BEARER.exec(request.headers.authorization ?? "");
    if (!match) throw new LunasError("unauthorized");
    const hash = createHash("sha256").update(match[1]!).digest();
    const name = hash.toString("base64");
    const now = this.#hub.clocks.wall.now();
    const cached = this.#found.get(name);
    if (cached && Math.abs(now - cached.read_at) < FRESH_MS) return cached.shop_id;
    this.#found.delete(name);
    const row = await this.#hub.store.read((db) =>
      db.selectFrom("api_keys").select("shop_id").where("hash", "=", hash).where("revoked_at", "is", null).executeTakeFirst(),
    );
    if (!row) throw new LunasError("unauthorized");
    if (this.#found.size >= ENTRIES_MAX) this.#found.clear();
    this.#found.set(name, { shop_id: row.shop_id, read_at: now });
    return row.shop_id;
  }
}
