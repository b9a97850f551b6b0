import { createHash, createHmac, randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { hmacSha256, sha256 } from "./sha256.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("SHA-256", () => {
  test.each([
    ["", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"],
    ["abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"],
    ["abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"],
  ])("gives the published digest of %j", (text, digest) => {
    expect(hex(sha256(bytes(text)))).toBe(digest);
  });

  test("agrees with node:crypto at every length around the block borders, in one part and in two", () => {
    for (let length = 0; length <= 200; length += 1) {
      const data = randomBytes(length);
      const cut = Math.floor(length / 3);
      const expected = createHash("sha256").update(data).digest("hex");
      expect(hex(sha256(data)), `length ${length}`).toBe(expected);
      expect(hex(sha256(data.subarray(0, cut), data.subarray(cut))), `length ${length} in two parts`).toBe(expected);
    }
  });

  test("agrees with node:crypto over a body of a mebibyte", () => {
    const data = randomBytes(1 << 20);
    expect(hex(sha256(data))).toBe(createHash("sha256").update(data).digest("hex"));
  });
});

describe("HMAC-SHA256", () => {
  // RFC 4231, test cases 1, 2, 3, 6 (a key longer than a block) and 7.
  test.each([
    ["0b".repeat(20), hex(bytes("Hi There")), "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"],
    [hex(bytes("Jefe")), hex(bytes("what do ya want for nothing?")), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"],
    ["aa".repeat(20), "dd".repeat(50), "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"],
    [
      "aa".repeat(131),
      hex(bytes("Test Using Larger Than Block-Size Key - Hash Key First")),
      "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
    ],
    [
      "aa".repeat(131),
      hex(
        bytes(
          "This is a test using a larger than block-size key and a larger than block-size data. The key needs to be hashed before being used by the HMAC algorithm.",
        ),
      ),
      "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
    ],
  ])("gives the published code of RFC 4231 for key %s", (key, data, code) => {
    expect(hex(hmacSha256(Buffer.from(key, "hex"), Buffer.from(data, "hex")))).toBe(code);
  });

  test("agrees with node:crypto for every length of key up to two blocks", () => {
    const data = randomBytes(100);
    for (let length = 1; length <= 130; length += 1) {
      const key = randomBytes(length);
      expect(hex(hmacSha256(key, data)), `key of ${length}`).toBe(createHmac("sha256", key).update(data).digest("hex"));
    }
  });
});
