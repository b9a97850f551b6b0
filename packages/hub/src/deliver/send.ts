import { deliveryGap, invariant } from "@lunas/domain";
import type { Hub } from "../hub.ts";
import type { DeliveryRow, EndpointRow } from "./claim.ts";
import { FORMATS } from "./format.ts";
import { classify, RESPONSE_READ_MAX } from "./outcome.ts";
import type { AttemptResult } from "./results.ts";

const TIMEOUT_MS = 15_000;

export type SendAttempt = (delivery: DeliveryRow, endpoint: EndpointRow, body: string) => Promise<AttemptResult>;

/** Tries one delivery once: a fresh timestamp and signature, the same webhook-id. Never throws for what the receiver does. */
export function makeSend(hub: Hub): SendAttempt {
  return async (delivery, endpoint, body) => {
    const format = FORMATS[endpoint.format];
    invariant(format, `endpoint ${endpoint.id} has the unknown format ${endpoint.format}`);
    const wall = hub.clocks.wall.now();
    const started_at = hub.clocks.business.now();
    const outgoing = format.build({ id: delivery.event_id, body }, liveSecrets(hub, endpoint), wall);
    const result = await hub.http({ method: "POST", url: endpoint.url, headers: outgoing.headers, body: outgoing.body, timeout_ms: TIMEOUT_MS, max_bytes: RESPONSE_READ_MAX, truncate: true });
    const { verdict, min_gap_ms, ...seen } = classify(result, wall);
    const gap = verdict === "retry" ? deliveryGap(delivery.step + 1, hub.random) : undefined;
    return {
      delivery, started_at, elapsed_ms: result.elapsed_ms, ...seen,
      verdict: verdict === "retry" && gap === undefined ? "exhausted" : verdict,
      due_at: gap === undefined ? null : hub.clocks.business.now() + Math.max(gap, min_gap_ms),
    };
  };
}

/** Newest first; an old secret signs until its overlap is over. */
export function liveSecrets(hub: Pick<Hub, "vault" | "clocks">, endpoint: Pick<EndpointRow, "id" | "secrets">): string[] {
  const list = JSON.parse(hub.vault.openText(`endpoint:${endpoint.id}`, endpoint.secrets)) as { secret: string; expires_at: number | null }[];
  const now = hub.clocks.business.now();
  return list.filter((one) => one.expires_at === null || one.expires_at > now).map((one) => one.secret);
}
