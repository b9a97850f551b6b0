import type { Hub } from "../hub.ts";
import type { EndpointRow } from "./claim.ts";

export interface StoredSecret {
  readonly secret: string;
  /** Business time until which it signs; null for the current one. */
  readonly expires_at: number | null;
}

type Sealed = Pick<EndpointRow, "id" | "secrets">;

/** Opens what an endpoint signs with. @throws VaultError when it was sealed under a key that is not configured, or changed. */
export function openSecrets(hub: Pick<Hub, "vault">, endpoint: Sealed): StoredSecret[] {
  return JSON.parse(hub.vault.openText(`endpoint:${endpoint.id}`, endpoint.secrets)) as StoredSecret[];
}

/** Newest first; an old secret signs until its overlap is over. */
export function liveSecrets(hub: Pick<Hub, "vault" | "clocks">, endpoint: Sealed): string[] {
  return live(openSecrets(hub, endpoint), hub.clocks.business.now());
}

const ENDPOINTS_KEPT = 1_000;

/** The same for a sender of thousands a second: what was opened is kept while the sealed bytes stay the same. */
export function secretsReader(hub: Pick<Hub, "vault" | "clocks">): (endpoint: Sealed) => string[] {
  const opened = new Map<string, { readonly sealed: Buffer; readonly secrets: StoredSecret[] }>();
  return (endpoint) => {
    let entry = opened.get(endpoint.id);
    if (!entry?.sealed.equals(endpoint.secrets)) {
      entry = { sealed: Buffer.from(endpoint.secrets), secrets: openSecrets(hub, endpoint) };
      if (opened.size >= ENDPOINTS_KEPT) opened.clear();
      opened.set(endpoint.id, entry);
    }
    return live(entry.secrets, hub.clocks.business.now());
  };
}

function live(secrets: readonly StoredSecret[], now: number): string[] {
  return secrets.filter((one) => one.expires_at === null || one.expires_at > now).map((one) => one.secret);
}
