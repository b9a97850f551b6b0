import ipaddr from "ipaddr.js";

/**
 * Addresses that no call of ours may reach, whoever names them: loopback, private and shared networks, link-local (cloud metadata),
 * documentation, benchmarks, multicast, reserved. After the lists of systems.md S6 and S7.
 */
const FORBIDDEN_V4 = [
  "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16",
  "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4", "255.255.255.255/32",
].map((range) => ipaddr.IPv4.parseCIDR(range));

const FORBIDDEN_V6 = [
  "::/8", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
].map((range) => ipaddr.IPv6.parseCIDR(range));

export type Cidr = readonly [ipaddr.IPv4 | ipaddr.IPv6, number];

/** @throws Error when it is no CIDR range. */
export function parseCidr(text: string): Cidr {
  return ipaddr.parseCIDR(text);
}

/**
 * Judges one address as the connection would use it.
 * @param allow ranges that the operator has opened. An address inside one is fine whatever the lists say.
 * @returns why it is forbidden, or undefined when it is fine.
 */
export function forbiddenAddress(address: string, allow: readonly Cidr[] = []): string | undefined {
  const bare = address.replace(/^\[|\]$/g, "").replace(/%.*$/, "");
  if (!ipaddr.isValid(bare)) return `${address} is no IP address`;
  const parsed = ipaddr.parse(bare);
  if (allow.some((range) => inRange(parsed, range))) return undefined;
  if (parsed.kind() === "ipv4") return inAny(parsed, FORBIDDEN_V4) ? `${address} is in a forbidden range` : undefined;
  const v6 = parsed as ipaddr.IPv6;
  const embedded = embeddedV4(v6);
  if (embedded !== undefined) {
    // A transition address reaches the IPv4 address inside it: that one is judged, and only an opened range lets the whole form through.
    if (allow.some((range) => inRange(embedded, range))) return undefined;
    return `${address} carries the IPv4 address ${embedded.toString()}; name that address itself`;
  }
  return inAny(v6, FORBIDDEN_V6) ? `${address} is in a forbidden range` : undefined;
}

function inRange(address: ipaddr.IPv4 | ipaddr.IPv6, [network, bits]: Cidr): boolean {
  if (address.kind() !== network.kind()) {
    return address.kind() === "ipv6" && (address as ipaddr.IPv6).isIPv4MappedAddress() && inRange((address as ipaddr.IPv6).toIPv4Address(), [network, bits]);
  }
  return address.kind() === "ipv4" ? (address as ipaddr.IPv4).match(network as ipaddr.IPv4, bits) : (address as ipaddr.IPv6).match(network as ipaddr.IPv6, bits);
}

function inAny(address: ipaddr.IPv4 | ipaddr.IPv6, ranges: readonly Cidr[]): boolean {
  return ranges.some((range) => inRange(address, range));
}

/** The IPv4 address inside a mapped, compatible, NAT64 or 6to4 address. Teredo lies in 2001::/23, which is forbidden whole. */
function embeddedV4(address: ipaddr.IPv6): ipaddr.IPv4 | undefined {
  const bytes = address.toByteArray();
  const at = (from: number): ipaddr.IPv4 => new ipaddr.IPv4(bytes.slice(from, from + 4));
  if (address.isIPv4MappedAddress()) return at(12);
  if (inRange(address, ipaddr.IPv6.parseCIDR("64:ff9b::/96"))) return at(12);
  if (inRange(address, ipaddr.IPv6.parseCIDR("2002::/16"))) return at(2);
  const compatible = bytes.slice(0, 12).every((byte) => byte === 0) && bytes.slice(12).some((byte, index) => byte !== 0 && index < 3);
  return compatible ? at(12) : undefined;
}
