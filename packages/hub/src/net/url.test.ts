import { describe, expect, test } from "vitest";
import { parseCidr } from "./ranges.ts";
import { forbiddenUrl } from "./url.ts";

const why = (url: string, open: string[] = [], https_only = false): string | undefined =>
  forbiddenUrl(url, { allow: open.map(parseCidr), https_only });

describe("a URL that somebody gave us", () => {
  test.each([
    "https://shop.example.com/hooks",
    "http://shop.example.com:8080/hooks?a=b",
    "https://8.8.8.8/",
    "https://[2606:4700::1111]:8443/x",
    "https://toko.co.id.",
  ])("is fine when it leads outside: %s", (url) => {
    expect(why(url)).toBeUndefined();
  });

  test.each([
    ["no URL", "shop.example.com/hooks", /is not a URL/],
    ["an empty text", "", /is not a URL/],
    ["a file", "file:///etc/passwd", /must start with/],
    ["another protocol", "gopher://example.com/", /must start with/],
    ["data", "data:text/plain,hello", /must start with/],
    ["credentials", "https://user:secret@example.com/", /user name or password/],
    ["a user alone", "https://user@example.com/", /user name or password/],
    ["a confusing user", "https://example.com@127.0.0.1/", /user name or password/],
    ["SSH's port", "https://example.com:22/", /must not use port 22/],
    ["a mail server's port", "http://example.com:25/", /must not use port 25/],
    ["Redis' port", "http://example.com:6379/", /must not use port 6379/],
    ["port 0", "http://example.com:0/", /must not use port 0/],
    ["a length beyond all need", `https://example.com/${"a".repeat(2_000)}`, /longer than/],
  ])("is refused with %s", (_what, url, reason) => {
    expect(why(url)).toMatch(reason);
  });

  test.each([
    "http://127.0.0.1/",
    "http://127.0.0.1./",
    "http://127.1/",
    "http://0x7f.1/",
    "http://0177.0.0.1/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://017700000001/",
    "http://0/",
    "http://127。0。0。1/",
    "http://%31%32%37.0.0.1/",
    "http://①②⑦.0.0.1/",
    "http://[::1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[0:0:0:0:0:0:0:1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[2002:7f00:1::]/",
    "http://[fe80::1]/",
    "http://169.254.169.254/latest/meta-data/",
    "http://10.0.0.1:8080/",
    "http://192.168.1.1/",
  ])("is refused when it spells a forbidden address: %s", (url) => {
    expect(why(url)).toMatch(/address that is not allowed/);
  });

  test.each(["http://localhost/", "http://LOCALHOST./", "http://a.localhost:8070/", "http://localhost../"])(
    "is refused when it names this machine: %s",
    (url) => {
      expect(why(url)).toMatch(/name of this machine/);
      expect(why(url, ["10.0.0.0/8"])).toMatch(/name of this machine/);
      expect(why(url, ["127.0.0.0/8"])).toBeUndefined();
    },
  );

  test.each(["http://intranet/", "http://printer.local/", "http://metadata.google.internal/", "http://nas.home.arpa."])(
    "is refused when it names the network: %s",
    (url) => {
      expect(why(url)).toMatch(/name of the local network/);
      expect(why(url, ["10.0.0.0/8"])).toBeUndefined();
    },
  );

  test("is open where the operator's list opens its address", () => {
    expect(why("http://127.0.0.1:8070/api/payments/notification", ["127.0.0.0/8", "::1/128"])).toBeUndefined();
    expect(why("http://[::1]:8070/", ["127.0.0.0/8", "::1/128"])).toBeUndefined();
    expect(why("http://10.0.0.1:8070/", ["127.0.0.0/8", "::1/128"])).toMatch(/not allowed/);
  });

  test("must be https where production asks for it", () => {
    expect(why("http://shop.example.com/", [], true)).toMatch(/must start with https/);
    expect(why("https://shop.example.com/", [], true)).toBeUndefined();
  });
});
