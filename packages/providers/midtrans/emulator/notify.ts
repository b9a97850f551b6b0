import type { HttpResult, NotificationPolicy, Random } from "@lunas/domain";
import { MINUTE_MS } from "@lunas/domain";
import { notificationBody } from "./bodies.ts";
import type { Context } from "./context.ts";
import { forge } from "./forge.ts";
import type { StoredTransaction } from "./transaction.ts";

const MAX_URLS = 3;

/** Up to three addresses, separated by commas; an empty header is as good as none (midtrans.md §11.5). */
export function urlsOfHeader(header: string | undefined): string[] | undefined {
  const urls = (header ?? "")
    .split(",")
    .map((url) => url.trim())
    .filter((url) => /^https?:$/.test(URL.parse(url)?.protocol ?? ""));
  return urls.length > 0 ? urls.slice(0, MAX_URLS) : undefined;
}

/** One notification of the transaction as it stands now, for each address that is set (midtrans.md §11). */
export function notify(context: Context, transaction: StoredTransaction): void {
  const dashboard = context.world.notifyUrl();
  const urls = [...(transaction.override_urls ?? (dashboard ? [dashboard] : [])), ...(transaction.append_urls ?? [])];
  const body = JSON.stringify(notificationBody(transaction));
  const { order_id, transaction_id, status } = transaction;
  for (const url of new Set(urls)) {
    const headers = { "user-agent": "Veritrans", accept: "application/json", "content-type": "application/json" };
    context.world.send({ url, headers, body, about: { order_id, transaction_id, status } });
  }
}

/** Gaps before the first to the fifth retry (midtrans.md §11.4). */
export const RETRY_GAPS_MS: readonly number[] = [2, 10, 30, 90, 210].map((minutes) => minutes * MINUTE_MS);

/** How many retries an answer earns. */
export function retriesFor(result: HttpResult): number {
  if (!result.ok) return RETRY_GAPS_MS.length;
  const { status } = result;
  if (status >= 200 && status < 300) return 0;
  if (status === 301 || status === 302 || status === 303) return 0;
  if (status === 400 || status === 404) return 2;
  if (status === 500) return 1;
  if (status === 503) return 4;
  return RETRY_GAPS_MS.length;
}

export function makePolicy(context: Context): NotificationPolicy {
  return {
    get timeout_ms() {
      return Math.max(1, Math.round(context.switches.notification_timeout_s * 1_000));
    },
    followed_redirects: [307, 308],
    max_hops: 5,
    next(attempt: number, result: HttpResult, random: Random): number | undefined {
      const gap = RETRY_GAPS_MS[attempt - 1];
      if (gap === undefined || attempt > retriesFor(result)) return undefined;
      const { retry_shift_min, retry_shift_max } = context.switches;
      return Math.round(gap * (1 + retry_shift_min + (retry_shift_max - retry_shift_min) * random.float()));
    },
    forge: (notification, kind) => forge(context, notification, kind),
  };
}
