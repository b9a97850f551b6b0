import { invariant } from "@lunas/domain";
import type { KyselyPlugin, PluginTransformQueryArgs, PluginTransformResultArgs, QueryResult, RootOperationNode, UnknownRow } from "kysely";
import { JSON_COLUMNS, MONEY_COLUMNS } from "./schema.ts";

/** Every row that leaves the database passes here: money stays bigint, other integers become numbers, JSON text becomes values. */
export function decodeRow(row: Record<string, unknown>): void {
  for (const column in row) {
    const value = row[column];
    if (typeof value === "bigint") {
      if (!MONEY_COLUMNS.has(column)) row[column] = toNumber(value, column);
    } else if (typeof value === "number" && MONEY_COLUMNS.has(column)) {
      // PostgreSQL gives an expression such as `0 AS amount` as a small integer.
      row[column] = BigInt(value);
    } else if (typeof value === "string" && JSON_COLUMNS.has(column)) {
      row[column] = JSON.parse(value);
    }
  }
}

function toNumber(value: bigint, column: string): number {
  const number = Number(value);
  invariant(Number.isSafeInteger(number), `column ${column} holds ${value}, which is no safe integer`);
  return number;
}

const NUL = "\0";

/**
 * Every value that enters the database passes here. better-sqlite3 takes buffers, numbers, bigints, strings and null. PostgreSQL's text cannot
 * hold U+0000, so it becomes U+FFFD on both engines; inside JSON it is escaped and stays as it is.
 */
export function encodeParameter(value: unknown): unknown {
  if (typeof value === "string") return value.includes(NUL) ? value.replaceAll(NUL, "\uFFFD") : value;
  if (value === undefined) return null;
  if (value instanceof Uint8Array) return asBuffer(value);
  return value;
}

/** The same bytes as a Buffer, without copying. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

export class CodecPlugin implements KyselyPlugin {
  transformQuery(args: PluginTransformQueryArgs): RootOperationNode {
    return args.node;
  }

  async transformResult(args: PluginTransformResultArgs): Promise<QueryResult<UnknownRow>> {
    for (const row of args.result.rows) decodeRow(row);
    return args.result;
  }
}

/** What a driver's error means to us. Anything else is ours to mend. */
export type StoreFault = "unique" | "unavailable" | "read_only" | "full" | "other";

export class StoreError extends Error {
  override name = "StoreError";
  readonly fault: StoreFault;
  /** The table or constraint, where the engine names it. */
  readonly what: string;

  constructor(fault: StoreFault, what: string, cause: unknown) {
    super(`${fault}: ${what}`, { cause });
    this.fault = fault;
    this.what = what;
  }
}

/** SQLSTATE: connection lost, shutdown, no resources left, given up after a deadlock, a serialization failure, a lock or a time limit. */
const UNAVAILABLE_SQLSTATE = /^(08|57P|53|40001|40P01|55P03|57014)/;
const UNAVAILABLE_SYSTEM = /^E(CONNREFUSED|CONNRESET|PIPE|TIMEDOUT|NOTFOUND|AI_AGAIN|HOSTUNREACH|NETUNREACH)$/;
const UNAVAILABLE_SQLITE = /^SQLITE_(BUSY|LOCKED|IOERR|CANTOPEN|PROTOCOL)/;
/** What pg and Kysely say without a code when a connection is gone. */
const UNAVAILABLE_MESSAGE =
  /Connection terminated|connection timeout|timeout (exceeded|expired)|connection error and is not queryable|Client was closed|connection has been discarded|after calling end on the pool|driver has already been destroyed|database connection is not open/i;

/** Translates a driver's error, once, at the edge. Errors that are not the driver's come back as they are. */
export function translateError(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof StoreError) return error;
  const { code } = error as { code?: unknown };
  if (typeof code !== "string") return UNAVAILABLE_MESSAGE.test(error.message) ? new StoreError("unavailable", error.message, error) : error;
  const fault = faultOf(code) ?? (code.startsWith("SQLITE_") || "severity" in error ? "other" : undefined);
  if (!fault) return error;
  if (fault === "unique") return new StoreError(fault, String((error as { constraint?: string }).constraint ?? error.message), error);
  return new StoreError(fault, fault === "other" ? `${code} ${error.message}` : error.message, error);
}

function faultOf(code: string): StoreFault | undefined {
  if (code === "23505" || /^SQLITE_CONSTRAINT_(UNIQUE|PRIMARYKEY|ROWID)/.test(code)) return "unique";
  if (code === "25006" || code.startsWith("SQLITE_READONLY")) return "read_only";
  if (code === "53100" || code.startsWith("SQLITE_FULL")) return "full";
  if (UNAVAILABLE_SQLITE.test(code) || UNAVAILABLE_SQLSTATE.test(code) || UNAVAILABLE_SYSTEM.test(code)) return "unavailable";
  return undefined;
}

export function isUniqueViolation(error: unknown): boolean {
  return error instanceof StoreError && error.fault === "unique";
}
