import { createHash } from "node:crypto";
import { type ErrorCode, ERRORS, LunasError } from "@lunas/domain";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Hub } from "../hub.ts";
import type { IdempotencyTable, Tx } from "../store/index.ts";
import { canonicalJson } from "./json.ts";
import { PROBLEM_TYPE, problemOf, toLunasError } from "./problem.ts";

/** How long a request may run before a repetition takes its intent over: longer than all of a connector's time-outs. */
const LEASE_MS = 90_000;
const KEY = /^[\x21-\x7e]{1,255}$/;

/** Refusals that came of doing the thing and would come again: kept and replayed. What may be otherwise next time is not. */
const KEPT: ReadonlySet<ErrorCode> = new Set(["gateway_refused", "amount_not_supported", "refund_too_large", "reference_taken"]);

type IdempotencyHub = Pick<Hub, "store" | "clocks" | "vault" | "log">;

/** What a request does that moves money. Both give the object that is answered with 201. */
export interface Intent {
  /** Does it for the first time. `begin` goes into the transaction that writes down what is begun, with its id. */
  run(begin: (tx: Tx, intent: string) => Promise<void>): Promise<object>;
  /** Goes on with what an earlier request of the same key began: it is never done twice. */
  resume(intent: string): Promise<object>;
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

type Claim =
  | { readonly kind: "replay"; readonly answer: Answer }
  | { readonly kind: "mine"; readonly lease_until: number; readonly intent: string | null };

/**
 * Does an intent once for each Idempotency-Key. The key's row is a lease while the request runs, then holds its sealed answer; after a
 * crash or an unclear end it still names the intent, and the next request with the key goes on with that.
 * @throws LunasError idempotency_key_required, idempotency_mismatch, idempotency_running, and whatever the intent throws.
 */
export async function once(hub: IdempotencyHub, request: FastifyRequest, reply: FastifyReply, intent: Intent): Promise<never> {
  const { answer, replayed } = await answerOf(hub, request, intent);
  if (replayed) void reply.header("idempotency-replayed", "true");
  // The text is the answer that repetitions get, byte for byte: it goes past the serializer, and so past its types.
  return reply
    .code(answer.status)
    .type(answer.status < 400 ? "application/json" : PROBLEM_TYPE)
    .send(answer.body) as never;
}

async function answerOf(hub: IdempotencyHub, request: FastifyRequest, intent: Intent): Promise<{ answer: Answer; replayed: boolean }> {
  const scope = scopeOf(request);
  const claim = await take(hub, scope, createHash("sha256").update(canonicalJson(request.body)).digest());
  if (claim.kind === "replay") return { answer: claim.answer, replayed: true };
  const begin = async (tx: Tx, id: string): Promise<void> => {
    const mine = tx.updateTable("idempotency").set({ intent: id }).where("scope", "=", scope).where("lease_until", "=", claim.lease_until);
    // Whoever slept past the lease and was taken over must not begin it a second time: what it wrote is undone.
    if ((await mine.executeTakeFirst()).numUpdatedRows === 0n) throw new LunasError("idempotency_running", { retry_after_s: 1 });
  };
  try {
    const done = claim.intent === null ? await intent.run(begin) : await intent.resume(claim.intent);
    const answer = { status: 201, body: JSON.stringify(done) };
    await finish(hub, scope, answer);
    return { answer, replayed: false };
  } catch (error) {
    const known = toLunasError(error);
    if (KEPT.has(known.code)) await finish(hub, scope, { status: ERRORS[known.code].status, body: JSON.stringify(problemOf(known, request.id)) });
    else await letGo(hub, scope, claim.lease_until);
    throw error;
  }
}

/** Of this shop, method and path only: a key of one tenant never meets another's. */
function scopeOf(request: FastifyRequest): Uint8Array {
  const key = request.headers["idempotency-key"];
  if (key === undefined || key === "") throw new LunasError("idempotency_key_required");
  if (typeof key !== "string" || !KEY.test(key))
    throw new LunasError("idempotency_key_required", { detail: "The key must be 1 to 255 visible ASCII characters." });
  const path = request.url.split("?", 1)[0]!.replace(/\/+$/, "");
  return createHash("sha256")
    .update(JSON.stringify([request.shop_id, request.method, path, key]))
    .digest()
    .subarray(0, 16);
}

/** The lease runs by wall time: moving the business clock must not end it. */
async function take(hub: IdempotencyHub, scope: Uint8Array, fingerprint: Uint8Array): Promise<Claim> {
  const now = hub.clocks.wall.now();
  const lease_until = now + LEASE_MS;
  const row = { scope, fingerprint, lease_until, status: null, answer: null, intent: null, created_at: hub.clocks.business.now() };
  return hub.store.write(async (tx): Promise<Claim> => {
    const inserted = await tx
      .insertInto("idempotency")
      .values(row)
      .onConflict((oc) => oc.column("scope").doNothing())
      .executeTakeFirst();
    if ((inserted.numInsertedOrUpdatedRows ?? 0n) > 0n) return { kind: "mine", lease_until, intent: null };
    const found = await tx.selectFrom("idempotency").selectAll().where("scope", "=", scope).executeTakeFirst();
    if (!found) throw new LunasError("idempotency_running", { retry_after_s: 1 });
    if (!Buffer.from(found.fingerprint).equals(fingerprint)) throw new LunasError("idempotency_mismatch");
    if (found.status !== null && found.answer !== null)
      return { kind: "replay", answer: { status: found.status, body: hub.vault.openText(context(scope), found.answer) } };
    if (found.lease_until !== null && found.lease_until > now) throw new LunasError("idempotency_running", { retry_after_s: 1 });
    if (!(await takeOver(tx, found, lease_until))) throw new LunasError("idempotency_running", { retry_after_s: 1 });
    return { kind: "mine", lease_until, intent: found.intent };
  });
}

async function takeOver(tx: Tx, found: IdempotencyTable, lease_until: number): Promise<boolean> {
  const mine = tx.updateTable("idempotency").set({ lease_until }).where("scope", "=", found.scope).where("status", "is", null);
  const taken = await (
    found.lease_until === null ? mine.where("lease_until", "is", null) : mine.where("lease_until", "=", found.lease_until)
  ).executeTakeFirst();
  return taken.numUpdatedRows > 0n;
}

const context = (scope: Uint8Array): string => `idempotency:${Buffer.from(scope).toString("hex")}`;

/** A crash before this leaves the intent: the repetition finds it and answers the same. */
async function finish(hub: IdempotencyHub, scope: Uint8Array, answer: Answer): Promise<void> {
  const sealed = hub.vault.seal(context(scope), answer.body);
  await hub.store
    .write((tx) =>
      tx
        .updateTable("idempotency")
        .set({ status: answer.status, answer: sealed, lease_until: null })
        .where("scope", "=", scope)
        .where("status", "is", null)
        .execute(),
    )
    .catch((error: unknown) => hub.log.error({ err: error }, "an answer could not be kept for its repetitions; they continue the intent"));
}

/** Nothing to keep: without an intent the key is as if it were never used, with one the next request may go on at once. */
async function letGo(hub: IdempotencyHub, scope: Uint8Array, lease_until: number): Promise<void> {
  await hub.store
    .write(async (tx) => {
      await tx.deleteFrom("idempotency").where("scope", "=", scope).where("lease_until", "=", lease_until).where("intent", "is", null).execute();
      await tx.updateTable("idempotency").set({ lease_until: null }).where("scope", "=", scope).where("lease_until", "=", lease_until).execute();
    })
    .catch((error: unknown) => hub.log.error({ err: error }, "an idempotency key could not be let go; its lease ends by itself"));
}
