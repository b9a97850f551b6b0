import { createDecipheriv, createHmac, hkdfSync } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Vault, VaultError, type VaultFault } from "./vault.ts";

const key = (byte: number): string => Buffer.alloc(32, byte).toString("base64");
const vault = new Vault(key(1));

function expectFault(fault: VaultFault, action: () => unknown): void {
  let thrown: unknown;
  try {
    action();
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(VaultError);
  expect((thrown as VaultError).fault).toBe(fault);
}

describe("a sealed value", () => {
  test("opens to what was sealed, whatever it is", () => {
    fc.assert(
      fc.property(fc.string(), fc.uint8Array({ maxLength: 5_000 }), (context, plain) => {
        expect(Buffer.from(vault.open(context, vault.seal(context, plain)))).toEqual(Buffer.from(plain));
      }),
    );
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        expect(vault.openText("endpoint:end_1", vault.seal("endpoint:end_1", text))).toBe(text);
      }),
    );
  });

  test("opens from a view into a larger buffer, as a database driver gives it", () => {
    const sealed = vault.seal("c", "Rp 44.000");
    const page = new Uint8Array(sealed.length + 20);
    page.set(sealed, 7);
    expect(vault.openText("c", page.subarray(7, 7 + sealed.length))).toBe("Rp 44.000");
  });

  test("shows nothing of its text, and never looks the same twice", () => {
    const text = "SB-Mid-server-lunas-sandbox";
    const seen = new Set<string>();
    const ivs = new Set<string>();
    // More than one page of IVs.
    for (let time = 0; time < 2_000; time += 1) {
      const sealed = Buffer.from(vault.seal("account:acc_1", text));
      expect(sealed.includes("server")).toBe(false);
      expect(sealed.length).toBe(32 + text.length);
      seen.add(sealed.toString("hex"));
      ivs.add(sealed.subarray(4, 16).toString("hex"));
    }
    expect(seen.size).toBe(2_000);
    expect(ivs.size).toBe(2_000);
  });

  test("does not open once any one bit of it was changed", () => {
    const sealed = vault.seal("account:acc_1", "a secret of some length");
    fc.assert(
      fc.property(fc.nat({ max: sealed.length * 8 - 1 }), (bit) => {
        const changed = Uint8Array.from(sealed);
        changed[bit >> 3]! ^= 1 << (bit & 7);
        expect(() => vault.open("account:acc_1", changed)).toThrow(VaultError);
      }),
      { numRuns: 500 },
    );
  });

  test("does not open when it was cut, or when something was added", () => {
    const sealed = vault.seal("c", "text");
    for (let length = 0; length < sealed.length; length += 1) expect(() => vault.open("c", sealed.subarray(0, length))).toThrow(VaultError);
    expectFault("changed", () => vault.open("c", Buffer.concat([sealed, Buffer.alloc(1)])));
    expectFault("changed", () => vault.open("c", new Uint8Array()));
  });

  test("does not open in another row than its own", () => {
    expectFault("changed", () => vault.open("account:acc_2", vault.seal("account:acc_1", "text")));
    expectFault("changed", () => vault.open("", vault.seal("account:acc_1", "text")));
  });

  test("does not open under another key, and the error names neither key nor text", () => {
    const sealed = vault.seal("account:acc_1", "the text");
    expectFault("unknown_key", () => new Vault(key(2)).open("account:acc_1", sealed));
    // The same id over another key: forged ids help nobody.
    const forged = Buffer.concat([new Vault(key(2)).seal("x", "").subarray(0, 4), sealed.subarray(4)]);
    expectFault("changed", () => new Vault(key(2)).open("account:acc_1", forged));
    expect(() => new Vault(key(2)).open("account:acc_1", sealed)).toThrow(
      /account:acc_1 is sealed under the master key [0-9a-f]{8}, which is not configured/,
    );
  });

  test("is plain AES-256-GCM under a key derived by HKDF, so that it can be opened without this program", () => {
    const sealed = Buffer.from(vault.seal("account:acc_1", "text"));
    const derived = Buffer.from(hkdfSync("sha256", Buffer.alloc(32, 1), "lunas", "seal v1", 32));
    const decipher = createDecipheriv("aes-256-gcm", derived, sealed.subarray(4, 16))
      .setAAD(Buffer.from("account:acc_1"))
      .setAuthTag(sealed.subarray(16, 32));
    expect(decipher.update(sealed.subarray(32), undefined, "utf8") + decipher.final("utf8")).toBe("text");
  });
});

describe("a rotation", () => {
  test("opens what either key sealed, and seals with the new one", () => {
    const before = vault.seal("c", "old");
    const during = new Vault(`${key(2)},${key(1)}`);
    const fresh = during.seal("c", "new");
    expect(during.openText("c", before)).toBe("old");
    expect(during.openText("c", fresh)).toBe("new");
    const after = new Vault(key(2));
    expect(after.openText("c", fresh)).toBe("new");
    expectFault("unknown_key", () => after.open("c", before));
    expectFault("unknown_key", () => vault.open("c", fresh));
  });

  test("leaves the tokens that were handed out as they are, though the old key is dropped", () => {
    const tokenKey = Buffer.alloc(32, 5);
    const token = new Vault(key(1), tokenKey).hmac("checkout-token", "ord_1");
    expect(new Vault(`${key(2)},${key(1)}`, tokenKey).hmac("checkout-token", "ord_1")).toEqual(token);
    expect(new Vault(key(2), tokenKey).hmac("checkout-token", "ord_1")).toEqual(token);
    expect(new Vault(key(1), Buffer.alloc(32, 6)).hmac("checkout-token", "ord_1")).not.toEqual(token);
  });

  test("lets the operator be known by the newest key alone", () => {
    const operator = new Vault(key(2)).operatorHmac("operator-token", "v1");
    expect(new Vault(`${key(2)},${key(1)}`, Buffer.alloc(32, 5)).operatorHmac("operator-token", "v1")).toEqual(operator);
    expect(new Vault(key(1)).operatorHmac("operator-token", "v1")).not.toEqual(operator);
  });

  test("can be followed by the id of the key that each sealed value begins with", () => {
    const during = new Vault(`${key(2)},${key(1)}`);
    expect(Buffer.from(during.seal("c", "new").subarray(0, 4))).toEqual(Buffer.from(during.keyId));
    expect(Buffer.from(vault.seal("c", "old").subarray(0, 4))).not.toEqual(Buffer.from(during.keyId));
  });
});

describe("a keyed digest", () => {
  test("is the same for the same purpose and data, and for nothing else", () => {
    const digest = vault.hmac("checkout-token", "ord_1");
    expect(digest).toHaveLength(32);
    expect(vault.hmac("checkout-token", "ord_1")).toEqual(digest);
    expect(vault.hmac("checkout-token", "ord_2")).not.toEqual(digest);
    expect(vault.hmac("operator-token", "ord_1")).not.toEqual(digest);
  });

  test("of an operator has a key of its own, derived by HKDF", () => {
    const derived = Buffer.from(hkdfSync("sha256", Buffer.alloc(32, 1), "lunas", "operator v1", 32));
    expect(Buffer.from(vault.operatorHmac("p", "d"))).toEqual(createHmac("sha256", derived).update("p\nd").digest());
    expect(vault.operatorHmac("p", "d")).not.toEqual(vault.hmac("p", "d"));
  });
});

describe("a master key", () => {
  test("may be written in hexadecimal or base64", () => {
    const sealed = new Vault(Buffer.alloc(32, 9).toString("hex")).seal("c", "text");
    expect(new Vault(` ${key(9)} `).openText("c", sealed)).toBe("text");
    expect(new Vault(Buffer.alloc(32, 9).toString("base64url")).openText("c", sealed)).toBe("text");
  });

  test.each([
    "",
    ",",
    "short",
    Buffer.alloc(31).toString("base64"),
    Buffer.alloc(33).toString("hex"),
    `${key(1)},`,
    `${key(1)},short`,
    `${key(1).slice(0, 40)}!!!=`,
  ])("is refused when it is not 32 bytes: %j", (text) => {
    expectFault("master_key", () => new Vault(text));
  });
});
