import type { Hub } from "../hub.ts";
import type { ClaimedDelivery, Target } from "./claim.ts";
import { FORMATS } from "./format.ts";
import { gapAfter } from "./outcome.ts";
import { makePost, type Post } from "./post.ts";
import type { AttemptResult } from "./results.ts";
import { secretsReader } from "./secrets.ts";

export { liveSecrets } from "./secrets.ts";

export type SendAttempt = (delivery: ClaimedDelivery, target: Target, body: string) => Promise<AttemptResult>;

/** Tries one delivery once: a fresh timestamp and signature, the same webhook-id. What the receiver does, or our own settings lack, is a result. */
export function makeSend(hub: Hub, post: Post = makePost(hub.http)): SendAttempt {
  const secretsOf = secretsReader(hub);
  const signers = (target: Target): readonly string[] | string => {
    if (!FORMATS[target.format]) return `there is no format ${target.format}`;
    try {
      const secrets = secretsOf(target);
      if (secrets.length > 0) return secrets;
    } catch (error) {
      hub.log.error({ err: error, endpoint: target.id }, "an endpoint cannot be signed for");
    }
    return "the endpoint's secrets cannot be read";
  };
  return async (delivery, target, body) => {
    const started_at = hub.clocks.business.now();
    const secrets = signers(target);
    if (typeof secrets === "string") return failed(hub, delivery, started_at, secrets);
    const { url, format } = target;
    const tried = await post({ event_id: delivery.event_id, body, url, format, secrets, wall_ms: hub.clocks.wall.now() });
    const { verdict, status, fault, response_body, elapsed_ms } = tried;
    const gap = verdict === "retry" ? gapAfter(delivery.step + 1, tried, hub.random) : undefined;
    const ended = verdict === "retry" && gap === undefined ? "exhausted" : verdict;
    const due_at = gap === undefined ? null : hub.clocks.business.now() + gap;
    return { delivery, started_at, elapsed_ms, status, fault, response_body, verdict: ended, due_at };
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
