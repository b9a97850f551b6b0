import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from "@lunas/domain";
import type { Fields } from "./context.ts";
import { isObject } from "./context.ts";
import type { Acquirer, PaymentType } from "./transaction.ts";

/** Default, shortest and longest life of each method (midtrans.md §5). */
export const LIFE_MS: Readonly<Record<PaymentType, { readonly default: number; readonly min: number; readonly max: number }>> = {
  gopay: { default: 15 * MINUTE_MS, min: 20 * SECOND_MS, max: 7 * DAY_MS },
  qris: { default: 15 * MINUTE_MS, min: 20 * SECOND_MS, max: 7 * DAY_MS },
  bank_transfer: { default: DAY_MS, min: 20 * SECOND_MS, max: 180 * DAY_MS },
};

/** A QRIS code of this acquirer lives no longer (midtrans.md §5). */
export const SHOPEE_MAX_MS = 5 * DAY_MS;

const UNIT_MS: Readonly<Record<string, number>> = { second: SECOND_MS, minute: MINUTE_MS, hour: HOUR_MS, day: DAY_MS };
const WITH_ZONE = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d) ([+-]\d\d):?(\d\d)$/;

/** `yyyy-MM-dd HH:mm:ss +0700` in UTC ms, or undefined. */
export function parseZoned(text: unknown): number | undefined {
  const match = typeof text === "string" ? WITH_ZONE.exec(text) : null;
  if (!match) return undefined;
  const at = Date.parse(`${match[1]}T${match[2]}${match[3]}:${match[4]}`);
  return Number.isNaN(at) ? undefined : at;
}

export interface Life {
  /** Where the request fixed it. */
  readonly start_at?: number;
  readonly length_ms: number;
}

export type LifeReading = { readonly ok: true; readonly life?: Life } | { readonly ok: false; readonly problems: readonly string[] };

/**
 * Reads `custom_expiry` (Core: order_time, expiry_duration, unit) or `expiry` and `page_expiry` (Snap: start_time, duration, unit).
 * @param name as it stands in messages.
 */
export function readLife(value: unknown, name: string, fields: { start: string; length: string; default_unit?: string }): LifeReading {
  if (value === undefined || value === null) return { ok: true };
  if (!isObject(value)) return { ok: false, problems: [`${name} must be an object`] };
  const { [fields.start]: start, [fields.length]: length, unit = fields.default_unit }: Fields = value;
  const problems: string[] = [];
  const unit_ms = typeof unit === "string" ? UNIT_MS[unit.toLowerCase().replace(/s$/, "")] : undefined;
  if (unit_ms === undefined) problems.push(`${name}.unit must be one of second, minute, hour, day`);
  const count = typeof length === "string" ? Number(length) : length;
  if (typeof count !== "number" || !Number.isInteger(count) || count < 1) problems.push(`${name}.${fields.length} must be a positive integer`);
  const start_at = parseZoned(start);
  if (start !== undefined && start !== null && start_at === undefined)
    problems.push(`${name}.${fields.start} must have the format yyyy-MM-dd HH:mm:ss Z`);
  if (problems.length > 0) return { ok: false, problems };
  return { ok: true, life: { length_ms: (count as number) * unit_ms!, ...(start_at === undefined ? {} : { start_at }) } };
}

/** Until when it can be paid. Too long is cut to the longest; too short, or over already, is undefined. */
export function expiryOf(type: PaymentType, life: Life | undefined, now_ms: number, acquirer?: Acquirer): number | undefined {
  const limits = LIFE_MS[type];
  const max_ms = acquirer === "airpay shopee" ? Math.min(limits.max, SHOPEE_MAX_MS) : limits.max;
  if (!life) return now_ms + limits.default;
  if (life.length_ms < limits.min) return undefined;
  const at = Math.min((life.start_at ?? now_ms) + life.length_ms, now_ms + max_ms);
  return at > now_ms ? at : undefined;
}
