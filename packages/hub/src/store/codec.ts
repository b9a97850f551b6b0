import { invariant } from "@lunas/domain";
import type { KyselyPlugin, PluginTransformQueryArgs, PluginTransformResultArgs, QueryResult, RootOperationNode, UnknownRow } from "kysely";
import { JSON_COLUMNS, MONEY_COLUMNS } from "./schema.ts";

/** Every row that leaves the database passes here: money stays bigint, other integers become numbers, JSON text becomes values. */
export function decodeRow(row: Record<string, unknown>): void {
  for (const column in row) {
    const value = row[column];
    if (typeof value === "bigint") {
      if (!MONEY_COLUMNS.has(column)) row[column] = toNumber(value, column);
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

/** Translates a driver's error, once, at the edge. Errors that are not the driver's come back as they are. */
export function translateError(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof StoreError) return error;
  const code = (error as { code?: unknown }).code;
  if (typeof code !== "string") {
    return /Connection terminated|connection timeout|Client has encountered a connection error/i.test(error.message)
      ? new StoreError("unavailable", error.message, error)
      : error;
  }
  if (code.startsWith("SQLITE_CONSTRAINT_UNIQUE") || code.startsWith("SQLITE_CONSTRAINT_PRIMARYKEY")) return new StoreError("unique", error.message, error);
  if (code === "23505") return new StoreError("unique", String((error as { constraint?: string }).constraint ?? error.message), error);
  if (code.startsWith("SQLITE_READONLY") || code === "25006") return new StoreError("read_only", error.message, error);
  if (code.startsWith("SQLITE_FULL") || code === "53100") return new StoreError("full", error.message, error);
  if (code.startsWith("SQLITE_BUSY") || code.startsWith("SQLITE_IOERR") || code.startsWith("SQLITE_CANTOPEN")) return new StoreError("unavailable", error.message, error);
  if (/^(08|57P|53)/.test(code) || /^E(CONNREFUSED|CONNRESET|PIPE|TIMEDOUT|NOTFOUND|AI_AGAIN)$/.test(code)) return new StoreError("unavailable", error.message, error);
  if (code.startsWith("SQLITE_") || /^[0-9A-Z]{5}$/.test(code)) return new StoreError("other", `${code} ${error.message}`, error);
  return error;
}

export function isUniqueViolation(error: unknown): boolean {
  return error instanceof StoreError && error.fault === "unique";
}
