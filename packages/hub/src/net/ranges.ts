import ipaddr from "ipaddr.js";

/**
 * Addresses that no call of ours may reach, whoever names them: loopback, private and shared networks, link-local (cloud metadata),
 * documentation, benchmarks, multicast, reserved. After the lists of systems.md S6 and S7.
 */
export const FORBIDDEN_V4: readonly string[] = [
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "192.88.99.0/24",
  "192.168.0.0/16",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/4",
  "240.0.0.0/4",
];

/** 6to4 (2002::/16) is missing on purpose: the IPv4 address in it is judged instead. */
export const FORBIDDEN_V6: readonly string[] = [
  "::/8",
  "64:ff9b::/96",
  "64:ff9b:1::/48",
  "100::/64",
  "2001::/23",
  "2001:db8::/32",
  "3fff::/20",
  "5f00::/16",
  "fc00::/7",
  "fe80::/10",
  "fec0::/10",
  "ff00::/8",
];

type Address = ipaddr.IPv4 | ipaddr.IPv6;
export type Cidr = readonly [Address, number];

/** @throws Error when it is no CIDR range. */
export function parseCidr(text: string): Cidr {
  return ipaddr.parseCIDR(text);
}

const FORBIDDEN = [...FORBIDDEN_V4, ...FORBIDDEN_V6].map(parseCidr);

/**
 * Judges one address as the connection would use it.
 * @param allow ranges that the operator has opened. They do not open an address that merely carries another: a NAT64, 6to4, Teredo or
 * ISATAP form is fine only where the IPv4 address inside it is fine too.
 * @returns why it is forbidden, or undefined when it is fine.
 */
export function forbiddenAddress(address: string, allow: readonly Cidr[] = []): string | undefined {
  const bare = address.replace(/^\[|\]$/g, "").replace(/%.*$/, "");
  if (!ipaddr.isValid(bare)) return `${address} is no IP address`;
  const parsed = ipaddr.parse(bare);
  if (parsed.kind() === "ipv6") {
    const v6 = parsed as ipaddr.IPv6;
    if (v6.isIPv4MappedAddress()) {
      const mapped = v6.toIPv4Address();
      return inAny(mapped, allow) ? undefined : `${address} is another spelling of ${mapped.toString()}`;
    }
    const inner = carriedV4(v6.toByteArray()).find((one) => forbiddenPlain(one, allow));
    if (inner !== undefined) return `${address} carries the forbidden address ${inner.toString()}`;
  }
  return forbiddenPlain(parsed, allow) ? `${address} is in a forbidden range` : undefined;
}

function forbiddenPlain(address: Address, allow: readonly Cidr[]): boolean {
  return inAny(address, FORBIDDEN) && !inAny(address, allow);
}

function inAny(address: Address, ranges: readonly Cidr[]): boolean {
  return ranges.some(([network, bits]) => address.kind() === network.kind() && address.match(network, bits));
}

/** The IPv4 addresses that an IPv6 address makes a gateway or tunnel speak to. */
function carriedV4(bytes: readonly number[]): ipaddr.IPv4[] {
  const at = (from: number): ipaddr.IPv4 => new ipaddr.IPv4(bytes.slice(from, from + 4));
  const starts = (...prefix: number[]): boolean => prefix.every((byte, index) => bytes[index] === byte);
  const found: ipaddr.IPv4[] = [];
  // NAT64 (RFC 6052), 6to4 (RFC 3056).
  if (starts(0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0)) found.push(at(12));
  if (starts(0x20, 0x02)) found.push(at(2));
  // Teredo (RFC 4380): the server, and the client with all its bits turned over.
  if (starts(0x20, 0x01, 0, 0)) found.push(at(4), new ipaddr.IPv4(bytes.slice(12).map((byte) => byte ^ 0xff)));
  // ISATAP (RFC 5214) lies in any network: its interface id is 0000:5efe or 0200:5efe and the IPv4 address.
  if ((bytes[8] === 0 || bytes[8] === 2) && bytes[9] === 0 && bytes[10] === 0x5e && bytes[11] === 0xfe) found.push(at(12));
  // The compatible form, but for :: and ::1 and their like, which are addresses of their own.
  if (bytes.slice(0, 12).every((byte) => byte === 0) && bytes[12] !== 0) found.push(at(12));
  return found;
}
