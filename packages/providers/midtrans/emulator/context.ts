import { createHash } from "node:crypto";
import type { EmulatorRequest, EmulatorResponse, EmulatorSubject, EmulatorWorld } from "@lunas/domain";
import { SANDBOX_SERVER_KEY } from "../config.ts";
import type { Switches } from "./switches.ts";
import type { Merchant } from "./transaction.ts";

/** What every route is given. */
export interface Context {
  readonly world: EmulatorWorld;
  readonly switches: Switches;
}

/** Of the sandbox's own credentials. */
export const SANDBOX_MERCHANT_ID = "G000000001";

const JSON_HEADERS = { "content-type": "application/json", "cache-control": "no-cache" };

/** @param about only its ids and status are kept: a stored transaction holds the merchant's key. */
export function json(status: number, body: unknown, about?: EmulatorSubject): EmulatorResponse {
  const subject = about && { order_id: about.order_id, transaction_id: about.transaction_id, status: about.status };
  return { status, headers: JSON_HEADERS, body: JSON.stringify(body), ...(subject ? { about: subject } : {}) };
}

export function uuid(context: Context): string {
  const bytes = Uint8Array.from(context.world.random.bytes(16));
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = Buffer.from(bytes).toString("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

export function digits(context: Context, count: number): string {
  return Array.from({ length: count }, () => Math.floor(context.world.random.float() * 10)).join("");
}

/** A Core answer that is not about a transaction: HTTP status and body code are two things (midtrans.md §9). */
export function coreError(
  context: Context,
  code: number,
  status_message: string,
  extra: Record<string, unknown> = {},
  about?: EmulatorSubject,
): EmulatorResponse {
  const { http_401, http_402, http_406, http_413, http_414, http_429, http_500 } = context.switches;
  const http: Record<number, number> = {
    400: 400,
    401: http_401,
    402: http_402,
    406: http_406,
    413: http_413,
    414: http_414,
    429: http_429,
    500: http_500,
  };
  return json(http[code] ?? 200, { status_code: String(code), status_message, ...extra }, about);
}

/** 404 and 412 of the Core API come in HTTP 200 and carry an id (midtrans.md §6, §9). */
export function unknownTransaction(context: Context): EmulatorResponse {
  return coreError(context, 404, "Transaction doesn't exist.", { id: uuid(context) });
}

/** Whose Server Key stands in the Basic header: its user name, a colon and an empty password, exactly (midtrans.md §1). */
export function merchantOf(context: Context, request: Pick<EmulatorRequest, "headers">): Merchant | undefined {
  const match = /^Basic\s+([A-Za-z0-9+/=]+)\s*$/i.exec(request.headers.authorization ?? "");
  if (!match) return undefined;
  const credentials = Buffer.from(match[1]!, "base64").toString("utf8");
  const server_key = credentials.slice(0, -1);
  if (!credentials.endsWith(":") || server_key.includes(":")) return undefined;
  if (server_key === SANDBOX_SERVER_KEY) return { server_key, merchant_id: SANDBOX_MERCHANT_ID };
  if (!context.world.accept_any_key || server_key.trim() === "") return undefined;
  const number = createHash("sha256").update(server_key).digest().readUInt32BE(0) % 1_000_000_000;
  return { server_key, merchant_id: `G${String(number).padStart(9, "0")}` };
}

export type JsonBody = { readonly kind: "value"; readonly value: unknown } | { readonly kind: "empty" } | { readonly kind: "malformed" };

/** Bodies as the official clients send them: JSON, `null`, or nothing with a JSON content type (midtrans.md §14). */
export function readBody(request: EmulatorRequest): JsonBody {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(request.body).trim();
    return text === "" ? { kind: "empty" } : { kind: "value", value: JSON.parse(text) as unknown };
  } catch {
    return { kind: "malformed" };
  }
}

export type Fields = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A scalar as text; anything else as its JSON. */
export function textOf(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "");
}

/** The value as an object, or an empty one: unknown and misshapen optional parts are ignored. */
export function part(value: unknown): Fields {
  return isObject(value) ? value : {};
}
