import ipaddr from "ipaddr.js";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FORBIDDEN_V4, FORBIDDEN_V6, forbiddenAddress, parseCidr } from "./ranges.ts";

const allowed = (address: string, ...open: string[]): boolean => forbiddenAddress(address, open.map(parseCidr)) === undefined;

/** The ranges of systems.md S7 and their edges, typed in by hand: first, last, one below, one above. Undefined: the neighbor is forbidden for another reason. */
const EDGES: readonly (readonly [range: string, first: string, last: string, below: string | undefined, above: string | undefined])[] = [
  ["0.0.0.0/8", "0.0.0.0", "0.255.255.255", undefined, "1.0.0.0"],
  ["10.0.0.0/8", "10.0.0.0", "10.255.255.255", "9.255.255.255", "11.0.0.0"],
  ["100.64.0.0/10", "100.64.0.0", "100.127.255.255", "100.63.255.255", "100.128.0.0"],
  ["127.0.0.0/8", "127.0.0.0", "127.255.255.255", "126.255.255.255", "128.0.0.0"],
  ["169.254.0.0/16", "169.254.0.0", "169.254.255.255", "169.253.255.255", "169.255.0.0"],
  ["172.16.0.0/12", "172.16.0.0", "172.31.255.255", "172.15.255.255", "172.32.0.0"],
  ["192.0.0.0/24", "192.0.0.0", "192.0.0.255", "191.255.255.255", "192.0.1.0"],
  ["192.0.2.0/24", "192.0.2.0", "192.0.2.255", "192.0.1.255", "192.0.3.0"],
  ["192.88.99.0/24", "192.88.99.0", "192.88.99.255", "192.88.98.255", "192.88.100.0"],
  ["192.168.0.0/16", "192.168.0.0", "192.168.255.255", "192.167.255.255", "192.169.0.0"],
  ["198.18.0.0/15", "198.18.0.0", "198.19.255.255", "198.17.255.255", "198.20.0.0"],
  ["198.51.100.0/24", "198.51.100.0", "198.51.100.255", "198.51.99.255", "198.51.101.0"],
  ["203.0.113.0/24", "203.0.113.0", "203.0.113.255", "203.0.112.255", "203.0.114.0"],
  ["224.0.0.0/4", "224.0.0.0", "239.255.255.255", "223.255.255.255", undefined],
  ["240.0.0.0/4", "240.0.0.0", "255.255.255.254", undefined, undefined],
  ["255.255.255.255/32", "255.255.255.255", "255.255.255.255", undefined, undefined],
  ["::/8", "::", "ff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", undefined, undefined],
  ["64:ff9b::/96", "64:ff9b::", "64:ff9b::ffff:ffff", undefined, undefined],
  ["64:ff9b:1::/48", "64:ff9b:1::", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff", undefined, undefined],
  ["100::/64", "100::", "100::ffff:ffff:ffff:ffff", undefined, "100:0:0:1::"],
  ["2001::/23", "2001::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff", "2000:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2001:200::"],
  ["2001:db8::/32", "2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db9::"],
  ["3fff::/20", "3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", "3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "3fff:1000::"],
  ["5f00::/16", "5f00::", "5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "5eff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "5f01::"],
  ["fc00::/7", "fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "fbff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "fe00::"],
  ["fe80::/10", "fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "fe7f:ffff:ffff:ffff:ffff:ffff:ffff:ffff", undefined],
  ["fec0::/10", "fec0::", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", undefined, undefined],
  ["ff00::/8", "ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", undefined, undefined],
];

describe("every forbidden range", () => {
  test.each(EDGES)("%s is closed from its first to its last address and not beyond", (_range, first, last, below, above) => {
    expect(allowed(first)).toBe(false);
    expect(allowed(last)).toBe(false);
    if (below !== undefined) expect(allowed(below)).toBe(true);
    if (above !== undefined) expect(allowed(above)).toBe(true);
  });

  test("has a row in the table above", () => {
    const rows = EDGES.map(([range]) => range);
    for (const range of [...FORBIDDEN_V4, ...FORBIDDEN_V6]) expect(rows).toContain(range);
  });

  test("is closed at any address inside of it", () => {
    const address = fc.constantFrom(...FORBIDDEN_V4.map((range) => ipaddr.IPv4.parseCIDR(range))).chain(([network, bits]) =>
      fc.nat({ max: 2 ** (32 - bits) - 1 }).map((offset) => {
        const number = network.octets.reduce((sum, octet) => sum * 256 + octet, 0) + offset;
        return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join(".");
      }),
    );
    fc.assert(fc.property(address, (one) => !allowed(one) && !allowed(`::ffff:${one}`) && !allowed(`64:ff9b::${one}`)));
  });
});

describe("an address that carries an IPv4 address", () => {
  test.each([
    ["mapped", "::ffff:127.0.0.1"],
    ["mapped, in hexadecimal", "::ffff:7f00:1"],
    ["mapped, with brackets", "[::ffff:169.254.169.254]"],
    ["compatible", "::127.0.0.1"],
    ["translated", "::ffff:0:127.0.0.1"],
    ["NAT64", "64:ff9b::10.0.0.1"],
    ["NAT64 of a local network", "64:ff9b:1::10.0.0.1"],
    ["6to4", "2002:7f00:1::1"],
    ["6to4 to cloud metadata", "2002:a9fe:a9fe::"],
    ["Teredo, server", "2001:0:7f00:1::"],
    ["Teredo, client", "2001:0:4136:e378:8000:63bf:80ff:fffe"],
    ["ISATAP inside a public network", "2a00:1450:4001:800:0:5efe:10.0.0.1"],
    ["ISATAP, global bit", "2a00:1450:4001:800:200:5efe:192.168.1.1"],
  ])("%s is refused: %s", (_form, address) => {
    expect(allowed(address)).toBe(false);
  });

  test("is fine as 6to4 or ISATAP of a public address", () => {
    expect(allowed("2002:808:808::1")).toBe(true);
    expect(allowed("2a00:1450:4001:800:0:5efe:8.8.8.8")).toBe(true);
  });

  test("stays refused when only its outer range was opened", () => {
    expect(allowed("64:ff9b::8.8.8.8")).toBe(false);
    expect(allowed("64:ff9b::8.8.8.8", "64:ff9b::/96")).toBe(true);
    expect(allowed("64:ff9b::10.0.0.1", "64:ff9b::/96")).toBe(false);
    expect(allowed("64:ff9b::10.0.0.1", "64:ff9b::/96", "10.0.0.0/8")).toBe(true);
    expect(allowed("64:ff9b::10.0.0.1", "10.0.0.0/8")).toBe(false);
  });

  test("stays refused as Teredo when its server or its client is forbidden, although Teredo was opened", () => {
    // Server 65.54.227.120; clients 192.0.2.45 (RFC 4380's own example, documentation) and 8.8.8.8, each bit turned over.
    expect(allowed("2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001::/32")).toBe(false);
    expect(allowed("2001:0:4136:e378:8000:63bf:f7f7:f7f7", "2001::/32")).toBe(true);
    expect(allowed("2001:0:4136:e378:8000:63bf:f7f7:f7f7")).toBe(false);
    expect(allowed("2001:0:a00:1:8000:63bf:f7f7:f7f7", "2001::/32")).toBe(false);
  });

  test("is open as mapped exactly where its IPv4 address was opened by name", () => {
    expect(allowed("::ffff:127.0.0.1", "127.0.0.0/8")).toBe(true);
    expect(allowed("::ffff:127.0.0.1", "::1/128")).toBe(false);
    expect(allowed("::ffff:8.8.8.8")).toBe(false);
  });
});

describe("the operator's list", () => {
  test("opens its ranges and nothing beside them", () => {
    expect(allowed("10.1.2.3", "10.1.0.0/16")).toBe(true);
    expect(allowed("10.2.0.0", "10.1.0.0/16")).toBe(false);
    expect(allowed("::1", "::1/128")).toBe(true);
    expect(allowed("::1", "127.0.0.0/8")).toBe(false);
    expect(allowed("fd00::5", "fd00::/8")).toBe(true);
  });

  test("is refused when it is no CIDR range", () => {
    expect(() => parseCidr("10.0.0.0")).toThrow();
    expect(() => parseCidr("10.0.0.0/40")).toThrow();
  });
});

test("public addresses are fine", () => {
  for (const address of ["8.8.8.8", "1.1.1.1", "103.127.16.1", "2a00:1450:4001:800::200e", "2606:4700::1111", "[2400:cb00::1]"]) {
    expect(allowed(address), address).toBe(true);
  }
});

test("what is no address, and an address with a zone, is refused", () => {
  for (const address of ["", "example.com", "1.2.3.4.5", "fe80::1%eth0", "12345::", "127.0.0.1:80"]) expect(allowed(address), address).toBe(false);
});
