import { type RawBuilder, sql } from "kysely";
import type { Hub } from "../hub.ts";
import { batchContext } from "../ingest/sealed-bodies.ts";
import { resealTokenKey } from "../token-key.ts";
import { VaultError } from "../vault.ts";

type Key = string | number | Uint8Array;

/** A table with a sealed column: where its rows begin and what each value is bound to, as the room that seals it has it. */
interface SealedColumn {
  readonly name: string;
  readonly table: string;
  readonly column: string;
  /** The primary key: pages go along it. */
  readonly key: string;
  /** What else the context needs of the row. */
  readonly owner?: RawBuilder<unknown>;
  context(key: Key, owner: string | null): string;
}

const SEALED: readonly SealedColumn[] = [
  { name: "accounts", table: "accounts", column: "credentials", key: "id", context: (id) => `account:${String(id)}` },
  { name: "endpoints", table: "endpoints", column: "secrets", key: "id", context: (id) => `endpoint:${String(id)}` },
  { name: "answers", table: "answers", column: "exchange", key: "id", context: (id) => `answer:${String(id)}` },
  {
    name: "notifications",
    table: "notification_batches",
    column: "sealed",
    key: "id",
    owner: sql`t.single_of`,
    context: (_id, single_of) => batchContext(single_of),
  },
  {
    name: "kept_answers",
    table: "idempotency",
    column: "answer",
    key: "scope",
    context: (scope) => `idempotency:${Buffer.from(scope as Uint8Array).toString("hex")}`,
  },
];

export interface Resealed {
  /** Values that this call sealed anew, by what they are. */
  readonly resealed: Readonly<Record<string, number>>;
  /** Values that no configured key opens, of all calls so far: they were sealed under a key that was dropped before. */
  readonly unreadable: number;
  /** Where the next call goes on; null when everything was gone through. */
  readonly next: string | null;
}

const PAGE = 200;

type SealedRow = { readonly key: Key; readonly sealed: Uint8Array; readonly owner: string | null };

/** Where a call stopped: an opaque word for whoever calls. */
interface Place {
  readonly column: number;
  readonly after: Key | undefined;
  readonly unreadable: number;
}

/**
 * Seals everything that is not under the newest master key anew, a page at a time and each value only if nobody changed it meanwhile. What
 * is done is found done: safe to repeat, to interrupt, and to run beside working hubs.
 * @param work_ms wall time after which it stops at a page's end, so that one call never runs for long.
 * @param from `next` of the call before.
 */
export async function reseal(hub: Pick<Hub, "store" | "vault" | "clocks">, work_ms: number, from?: string): Promise<Resealed> {
  const until = hub.clocks.wall.now() + work_ms;
  const resealed: Record<string, number> = Object.fromEntries(SEALED.map(({ name }) => [name, 0]));
  let { column, after, unreadable } = from === undefined ? { column: 0, after: undefined, unreadable: 0 } : readPlace(from);
  while (column < SEALED.length) {
    const one = SEALED[column]!;
    const page = await readPage(hub, one, after);
    if (page.length === 0) {
      column += 1;
      after = undefined;
      continue;
    }
    const done = await resealPage(hub, one, page);
    resealed[one.name]! += done.resealed;
    unreadable += done.unreadable;
    after = page.at(-1)!.key;
    if (hub.clocks.wall.now() >= until) return { resealed, unreadable, next: writePlace({ column, after, unreadable }) };
  }
  // The last: as long as anything else may be under an old key, a hub without that key refuses to start.
  if (unreadable === 0) resealed["token_key"] = (await resealTokenKey(hub.store, hub.vault)) ? 1 : 0;
  return { resealed, unreadable, next: null };
}

function writePlace({ column, after, unreadable }: Place): string {
  const key = after instanceof Uint8Array ? { bytes: Buffer.from(after).toString("base64") } : after;
  return Buffer.from(JSON.stringify([column, key, unreadable])).toString("base64url");
}

function readPlace(text: string): Place {
  const [column, key, unreadable] = JSON.parse(Buffer.from(text, "base64url").toString()) as [number, string | number | { bytes: string }, number];
  return { column, after: typeof key === "object" ? Buffer.from(key.bytes, "base64") : key, unreadable };
}

/** Rows that are not under the newest key, in the order of their keys. */
async function readPage(hub: Pick<Hub, "store" | "vault">, one: SealedColumn, after: Key | undefined): Promise<SealedRow[]> {
  const [key, column] = [sql.ref(`t.${one.key}`), sql.ref(`t.${one.column}`)];
  const newest = hub.vault.keyId;
  const statement = sql<SealedRow>`
    SELECT ${key} AS key, ${column} AS sealed, ${one.owner ?? sql`NULL`} AS owner FROM ${sql.table(one.table)} AS t
    WHERE ${column} IS NOT NULL AND substr(${column}, 1, ${sql.lit(newest.length)}) <> ${newest} ${after === undefined ? sql`` : sql`AND ${key} > ${after}`}
    ORDER BY ${key} LIMIT ${PAGE}`;
  return (await hub.store.read((db) => statement.execute(db))).rows;
}

async function resealPage(
  hub: Pick<Hub, "store" | "vault">,
  one: SealedColumn,
  page: readonly SealedRow[],
): Promise<{ resealed: number; unreadable: number }> {
  const changes = page.flatMap((row) => {
    const context = one.context(row.key, row.owner);
    try {
      return [{ ...row, fresh: hub.vault.seal(context, hub.vault.open(context, row.sealed)) }];
    } catch (error) {
      if (!(error instanceof VaultError)) throw error;
      return [];
    }
  });
  const resealed = await hub.store.write(async (tx) => {
    let count = 0n;
    for (const { key, sealed, fresh } of changes) {
      const [table, column] = [sql.table(one.table), sql.ref(one.column)];
      const done = await sql`UPDATE ${table} SET ${column} = ${fresh} WHERE ${sql.ref(one.key)} = ${key} AND ${column} = ${sealed}`.execute(tx);
      count += done.numAffectedRows ?? 0n;
    }
    return Number(count);
  });
  return { resealed, unreadable: page.length - changes.length };
}
