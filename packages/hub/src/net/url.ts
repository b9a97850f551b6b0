import { isIP } from "node:net";
import { type Cidr, forbiddenAddress } from "./ranges.ts";

export interface UrlPolicy {
  readonly allow: readonly Cidr[];
  /** Production sends to https only. */
  readonly https_only: boolean;
}

const LENGTH_MAX = 2_000;
const USER_PORTS_FROM = 1_024;
/** Ports above 1023 on which something listens that a POST could talk into harm: the Fetch standard's list, and databases and caches. */
const FORBIDDEN_PORTS: ReadonlySet<number> = new Set([
  1719, 1720, 1723, 2049, 2375, 2376, 2379, 3306, 3659, 4045, 4190, 5060, 5061, 5432, 6000, 6379, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697,
  9200, 10080, 11211, 27017,
]);
const LOCAL_SUFFIXES = [".local", ".internal", ".home.arpa"];

/**
 * Judges a URL that somebody gave us to call, before any name is looked up. The connection checks the addresses again.
 * WHATWG parsing has already turned odd spellings (`0x7f.1`, `2130706433`, `127.0.0.1.`) into plain addresses.
 * @returns what is wrong with it, to be read after its field's name, or undefined.
 */
export function forbiddenUrl(text: string, policy: UrlPolicy): string | undefined {
  if (text.length > LENGTH_MAX) return `is longer than ${LENGTH_MAX} characters`;
  if (!URL.canParse(text)) return "is not a URL";
  const url = new URL(text);
  if (url.protocol !== "https:" && url.protocol !== "http:") return "must start with https:// or http://";
  if (url.protocol === "http:" && policy.https_only) return "must start with https://";
  if (url.username !== "" || url.password !== "") return "must not carry a user name or password";
  return forbiddenPort(url.port) ?? forbiddenHost(url.hostname, policy.allow);
}

function forbiddenPort(port: string): string | undefined {
  const number = Number(port);
  if (port === "" || number === 80 || number === 443) return undefined;
  const fine = number >= USER_PORTS_FROM && !FORBIDDEN_PORTS.has(number);
  return fine ? undefined : `must not use port ${port}: take 80, 443 or one from ${USER_PORTS_FROM} that is not another protocol's`;
}

function forbiddenHost(hostname: string, allow: readonly Cidr[]): string | undefined {
  const host = hostname
    .replace(/^\[|\]$/g, "")
    .replace(/\.+$/, "")
    .toLowerCase();
  if (host === "") return "has no host";
  if (isIP(host)) {
    const why = forbiddenAddress(host, allow);
    return why === undefined ? undefined : `leads to an address that is not allowed: ${why}`;
  }
  // By name this machine is meant whatever a resolver says: it is open where loopback is.
  if (host === "localhost" || host.endsWith(".localhost")) {
    const open = forbiddenAddress("127.0.0.1", allow) === undefined || forbiddenAddress("::1", allow) === undefined;
    return open ? undefined : `${host} is a name of this machine`;
  }
  const local = !host.includes(".") || LOCAL_SUFFIXES.some((suffix) => host.endsWith(suffix));
  return local && allow.length === 0 ? `${host} is a name of the local network` : undefined;
}
