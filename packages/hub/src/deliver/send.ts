import type { Hub } from "../hub.ts";
import type { ClaimedDelivery, Target } from "./claim.ts";
import { FORMATS, type Outgoing } from "./format.ts";
import { classify, gapAfter, RESPONSE_READ_MAX } from "./outcome.ts";
import type { AttemptResult } from "./results.ts";
import { secretsReader } from "./secrets.ts";

export { liveSecrets } from "./secrets.ts";

const TIMEOUT_MS = 15_000;

export type SendAttempt = (delivery: ClaimedDelivery, target: Target, body: string) => Promise<AttemptResult>;

/** Tries one delivery once: a fresh timestamp and signature, the same webhook-id. What the receiver does, or our own settings lack, is a result. */
export function makeSend(hub: Hub): SendAttempt {
  const secretsOf = secretsReader(hub);
  const build = (event: { id: string; body: string }, target: Target, wall: number): Outgoing | Error => {
    const format = FORMATS[target.format];
    if (!format) return new Error(`there is no format ${target.format}`);
    try {
      return format.build(event, secretsOf(target), wall);
    } catch (error) {
      hub.log.error({ err: error, endpoint: target.id }, "an endpoint cannot be signed for");
      return new Error("the endpoint's secrets cannot be read");
    }
  };
  return async (delivery, target, body) => {
    const wall = hub.clocks.wall.now();
    const started_at = hub.clocks.business.now();
    const outgoing = build({ id: delivery.event_id, body }, target, wall);
    if (outgoing instanceof Error) return failed(hub, delivery, started_at, outgoing.message);
    const result = await hub.http({
      method: "POST",
      url: target.url,
      headers: outgoing.headers,
      body: outgoing.body,
      timeout_ms: TIMEOUT_MS,
      max_bytes: RESPONSE_READ_MAX,
      truncate: true,
    });
    const { verdict, status, fault, response_body, ...waits } = classify(result, wall);
    const gap = verdict === "retry" ? gapAfter(delivery.step + 1, waits, hub.random) : undefined;
    const ended = verdict === "retry" && gap === undefined ? "exhausted" : verdict;
    const due_at = gap === undefined ? null : hub.clocks.business.now() + gap;
    return { delivery, started_at, elapsed_ms: result.elapsed_ms, status, fault, response_body, verdict: ended, due_at };
  };
}

/** Our own settings are at fault: an attempt like any other, so that it is seen, is tried again and comes to an end. */
function failed(hub: Hub, delivery: ClaimedDelivery, started_at: number, why: string): AttemptResult {
  const gap = gapAfter(delivery.step + 1, { slow_down_ms: 0, retry_after_ms: 0 }, hub.random);
  const due_at = gap === undefined ? null : started_at + gap;
  return {
    delivery,
    started_at,
    elapsed_ms: 0,
    status: null,
    fault: "config",
    response_body: why,
    verdict: gap === undefined ? "exhausted" : "retry",
    due_at,
  };
}
