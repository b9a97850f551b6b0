import { HOUR_MS, LunasError, type Provider, rfc3339, SECOND_MS } from "@lunas/domain";
import { openCredentials, sealCredentials } from "../collect/accounts.ts";
import type { AccountRow } from "../collect/rows.ts";
import type { Hub } from "../hub.ts";
import { canonicalJson } from "./json.ts";

/** As long as a gateway repeats a notification that was signed before the change. */
const OVERLAP_DEFAULT_MS = 24 * HOUR_MS;

export function withoutNulls(credentials: Readonly<Record<string, string | null>>): Record<string, string> {
  return Object.fromEntries(Object.entries(credentials).filter((entry): entry is [string, string] => entry[1] !== null));
}

/** @throws LunasError invalid_request with `credentials.<field>` */
export function checkCredentials(hub: Hub, provider: Provider, credentials: Readonly<Record<string, unknown>>): void {
  const parsed = provider.config.parse(credentials);
  if (!parsed.ok)
    throw new LunasError("invalid_request", { errors: parsed.problems.map((one) => ({ field: `credentials.${one.field}`, message: one.message })) });
  if (hub.mode === "production" && provider.config.isSandbox(parsed.config)) {
    throw new LunasError("invalid_request", {
      errors: [{ field: "credentials", message: "are the sandbox's made-up ones; production refuses them" }],
    });
  }
}

/**
 * The new credentials first; the ones before them still verify callbacks that are on their way. Made-up ones of the sandbox are not kept:
 * production would refuse them.
 * @returns undefined when nothing changes.
 */
export function nextCredentials(hub: Hub, row: AccountRow, wish: Readonly<Record<string, string | null>>): Record<string, unknown>[] | undefined {
  const provider = providerOf(hub, row);
  const current = openCredentials(hub, row)[0] ?? {};
  const next = withoutNulls({ ...(current as Record<string, string>), ...wish });
  checkCredentials(hub, provider, next);
  if (canonicalJson(next) === canonicalJson(current)) return undefined;
  const before = provider.config.parse(current);
  return before.ok && !provider.config.isSandbox(before.config) ? [next, current] : [next];
}

/**
 * What is sealed, and until when the second of the list counts. Without a change the overlap that is running may be given another end.
 * @param list what `nextCredentials` gave.
 */
export function overlapOf(hub: Hub, row: AccountRow, list: Record<string, unknown>[] | undefined, valid_s: number | undefined) {
  const now = hub.clocks.business.now();
  const until = now + (valid_s === undefined ? OVERLAP_DEFAULT_MS : valid_s * SECOND_MS);
  if (!list) {
    const running = row.previous_until !== null && now < row.previous_until;
    if (!running || valid_s === undefined) return {};
    return valid_s === 0 ? kept(hub, row.id, openCredentials(hub, row).slice(0, 1), null) : { previous_until: until };
  }
  return list.length > 1 && until > now ? kept(hub, row.id, list, until) : kept(hub, row.id, list.slice(0, 1), null);
}

function kept(hub: Hub, id: string, list: Record<string, unknown>[], previous_until: number | null) {
  return { credentials: sealCredentials(hub, id, list), previous_until };
}

function providerOf(hub: Hub, row: AccountRow): Provider {
  const provider = hub.providers.get(row.provider);
  if (!provider) throw new LunasError("wrong_state", { detail: `This hub does not have the provider ${row.provider}.` });
  return provider;
}

/** Null where only the current credentials count. */
export function overlapEnd(hub: Hub, row: AccountRow): string | null {
  const running = row.previous_until !== null && hub.clocks.business.now() < row.previous_until && openCredentials(hub, row).length > 1;
  return running ? rfc3339(row.previous_until!) : null;
}
