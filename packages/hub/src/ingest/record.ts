import type { RawCallback, ReadableCallback } from "@lunas/domain";
import type { OpenAccount } from "../collect/accounts.ts";
import { writeClaim } from "../collect/claims.ts";
import { type NotificationRecord, ROUTE, VERDICT } from "../store/index.ts";
import { dedupeKey } from "./dedupe-key.ts";
import { frameCallback } from "./sealed-bodies.ts";

/** A callback as it goes into the inbox: believed it is new work, otherwise it lies in quarantine. */
export function recordOf(
  account: OpenAccount,
  raw: RawCallback,
  verdict: number,
  received_at: number,
  remote_address: string,
  reading?: ReadableCallback<unknown>,
): NotificationRecord {
  const believed = verdict === VERDICT.weak;
  return {
    account_id: account.row.id,
    shop_id: account.row.shop_id,
    verdict,
    route: believed ? ROUTE.new : ROUTE.quarantined,
    dedupe: dedupeKey(account.row.id, !believed, raw.body),
    ...contentOf(reading),
    remote_address,
    received_at,
    body: frameCallback(raw),
  };
}

/** What a notification's row says of its content; of one that could not be read, nothing. */
export function contentOf(
  reading: ReadableCallback<unknown> | undefined,
): Pick<NotificationRecord, "reference" | "provider_id" | "event_key" | "claim"> {
  if (!reading) return { reference: "", provider_id: null, event_key: "", claim: null };
  return {
    reference: reading.subject.reference.slice(0, 200),
    provider_id: reading.subject.provider_id?.slice(0, 200) ?? null,
    event_key: reading.event_key.slice(0, 300),
    claim: writeClaim(reading.translate())?.slice(0, 300) ?? null,
  };
}
