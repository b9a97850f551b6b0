import { describe, expect, test } from "vitest";
import { ConfigError, describeConfig, localUrl, publicUrl, readConfig, SETTINGS } from "./config.ts";

const key = (byte: number): string => Buffer.alloc(32, byte).toString("base64");
const PRODUCTION = { LUNAS_MODE: "production", LUNAS_MASTER_KEY: key(1), LUNAS_PUBLIC_URL: "https://bayar.toko.example" };

/** What the operator is told. */
function refusal(environment: Record<string, string>): string {
  try {
    readConfig(environment);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as Error).message;
  }
  throw new Error("it was taken");
}

describe("settings", () => {
  test("have defaults, and an empty one counts as absent", () => {
    const config = readConfig({ PORT: "", LUNAS_MASTER_KEY: "" });
    expect(config).toMatchObject({ PORT: 8080, HOST: "127.0.0.1", LUNAS_MODE: "development", LUNAS_MASTER_KEY: undefined, LUNAS_ALLOW_CIDRS: [] });
  });

  test("that are wrong are all told at once, each with what is allowed", () => {
    const told = refusal({ PORT: "eighty", LUNAS_MODE: "prod", LUNAS_DATABASE_URL: "mysql://x" });
    for (const word of ["PORT:", "LUNAS_MODE:", "production", "LUNAS_DATABASE_URL: must start with sqlite: or postgres://"])
      expect(told).toContain(word);
  });

  test.each(["10.0.0.0", "10.0.0.0/33", "intranet", "10.1.0.0/16,lan"])("take no range that is none: %s", (text) => {
    expect(refusal({ LUNAS_ALLOW_CIDRS: text })).toContain("is not a range such as 10.1.0.0/16");
  });

  test("take several ranges", () => {
    expect(readConfig({ LUNAS_ALLOW_CIDRS: " 10.1.0.0/16 , fd00::/8," }).LUNAS_ALLOW_CIDRS).toEqual(["10.1.0.0/16", "fd00::/8"]);
  });
});

describe("master keys", () => {
  test("may be several, of both spellings", () => {
    const hex = Buffer.alloc(32, 2).toString("hex");
    expect(readConfig({ LUNAS_MASTER_KEY: `${key(1)} , ${hex}` }).LUNAS_MASTER_KEY).toBe(`${key(1)},${hex}`);
  });

  test.each([
    ["the first", `short,${key(1)}`, "number 1 "],
    ["the last", `${key(1)},short`, "number 2 "],
    ["one that is missing", `${key(1)},`, "number 2 "],
    ["two of three", `short,${key(1)},${key(2)}x`, "number 1 and 3 "],
  ])("are each checked: %s", (_which, keys, told) => {
    const message = refusal({ LUNAS_MASTER_KEY: keys });
    expect(message).toContain("LUNAS_MASTER_KEY: of the");
    expect(message).toContain(told);
  });

  test("that are nearly right are not told back", () => {
    const almost = key(1).slice(0, -3);
    expect(refusal({ LUNAS_MASTER_KEY: almost })).not.toContain(almost.slice(0, 8));
  });
});

describe("development", () => {
  test.each(["0.0.0.0", "::", "192.168.1.10", "hub.local"])("does not listen on %s", (host) => {
    expect(refusal({ HOST: host })).toContain(`HOST: development listens on loopback only, not on ${host}`);
  });

  test.each(["127.0.0.1", "::1", "localhost"])("listens on %s", (host) => {
    expect(readConfig({ HOST: host }).HOST).toBe(host);
  });
});

describe("production", () => {
  test("takes what it needs, and listens wherever it is told to", () => {
    expect(readConfig({ ...PRODUCTION, HOST: "0.0.0.0" })).toMatchObject({ LUNAS_MODE: "production", HOST: "0.0.0.0" });
  });

  test.each([
    ["without a master key", { LUNAS_MASTER_KEY: "" }, "LUNAS_MASTER_KEY: production needs one; make it with `openssl rand -base64 32`"],
    ["with a development key", { LUNAS_DEV_API_KEY: "sk_test_lunas_dev" }, "LUNAS_DEV_API_KEY: a development key must not be set in production"],
    ["without a public address", { LUNAS_PUBLIC_URL: "" }, "LUNAS_PUBLIC_URL: production needs the address"],
  ])("is refused %s", (_why, change, told) => {
    expect(refusal({ ...PRODUCTION, ...change })).toContain(told);
  });
});

test("what is printed of the settings holds every setting and no secret", () => {
  const secrets = { LUNAS_MASTER_KEY: key(1), LUNAS_DEV_API_KEY: "sk_test_hush_hush", LUNAS_DATABASE_URL: "postgres://lunas:hush@db.example/lunas" };
  const lines = describeConfig(readConfig(secrets));
  expect(lines.map((line) => line.name)).toEqual(Object.keys(SETTINGS));
  for (const name of Object.keys(secrets)) expect(lines.find((line) => line.name === name)?.value).toBe("(set)");
  expect(JSON.stringify(lines)).not.toContain("hush");
  expect(JSON.stringify(lines)).not.toContain(key(1));
  expect(lines.find((line) => line.name === "LUNAS_PUBLIC_URL")?.value).toBe("(not set)");
});

describe("a hub is reached", () => {
  test.each([
    ["127.0.0.1", "http://127.0.0.1:8080"],
    ["0.0.0.0", "http://127.0.0.1:8080"],
    ["::", "http://[::1]:8080"],
    ["::1", "http://[::1]:8080"],
    ["10.0.0.5", "http://10.0.0.5:8080"],
  ])("on its own machine, listening on %s, at %s", (HOST, url) => {
    expect(localUrl({ HOST, PORT: 8080 })).toBe(url);
  });

  test("by others at its public address, or where it listens when it has none", () => {
    expect(publicUrl(readConfig({ ...PRODUCTION, LUNAS_PUBLIC_URL: "https://bayar.toko.example/" }))).toBe("https://bayar.toko.example");
    expect(publicUrl(readConfig({}))).toBe("http://127.0.0.1:8080");
  });
});
