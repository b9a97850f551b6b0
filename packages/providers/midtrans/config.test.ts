import { describe, expect, test } from "vitest";
import { addresses, fields, isSandbox, parse, sandbox } from "./config.ts";

const good = { server_key: "SB-Mid-server-abc", client_key: "SB-Mid-client-abc" };

function problems(input: Record<string, unknown>): string[] {
  const result = parse(input);
  return result.ok ? [] : result.problems.map((problem) => problem.field);
}

describe("an account's credentials", () => {
  test("need two keys; the environment is the sandbox unless said", () => {
    expect(parse(good)).toEqual({ ok: true, config: { ...good, environment: "sandbox" } });
    expect(problems({})).toEqual(["server_key", "client_key"]);
  });

  test.each(["", " ", "\t\n", "SB-Mid-server-a b", " SB-Mid-server-abc", "SB-Mid-server-abc\n", "a:b", "kunci-é", 12, null, "x".repeat(201)])(
    "a server key %j is refused before any call (quirk 14)",
    (server_key) => expect(problems({ ...good, server_key })).toEqual(["server_key"]),
  );

  test("a server key in the client key's place is refused: it would be published in the browser", () => {
    expect(problems({ ...good, client_key: good.server_key })).toEqual(["client_key"]);
    expect(problems({ ...good, client_key: "Mid-server-other" })).toEqual(["client_key"]);
  });

  test.each(["ftp://x", "not an address", "https://user:pw@x.example", "https://x.example/?a=1", "https://x.example/#a", 5])(
    "a base_url %j is refused",
    (base_url) => expect(problems({ ...good, base_url })).toEqual(["base_url"]),
  );

  test("in production a base_url is https", () => {
    expect(problems({ ...good, environment: "production", base_url: "http://127.0.0.1:8090/midtrans" })).toEqual(["base_url"]);
    expect(problems({ ...good, environment: "production", base_url: "https://emulator.example/midtrans" })).toEqual([]);
  });

  test("an unknown environment or field is named", () => {
    expect(problems({ ...good, environment: "staging", serverkey: "x" })).toEqual(["environment", "serverkey"]);
  });

  test("only the server key is secret", () => {
    expect(fields.filter((field) => field.secret).map((field) => field.name)).toEqual(["server_key"]);
  });

  test("lead to the hosts of the provider's page", () => {
    expect(addresses({ ...good, environment: "sandbox" })).toEqual({
      core: "https://api.sandbox.midtrans.com",
      snap: "https://app.sandbox.midtrans.com/snap/v1",
      snap_script: "https://app.sandbox.midtrans.com/snap/snap.js",
    });
    expect(addresses({ ...good, environment: "production" })).toEqual({
      core: "https://api.midtrans.com",
      snap: "https://app.midtrans.com/snap/v1",
      snap_script: "https://app.midtrans.com/snap/snap.js",
    });
  });

  test("of the sandbox are known as such, and lead to the emulator", () => {
    const made_up = parse(sandbox("http://127.0.0.1:8090/midtrans/"));
    if (!made_up.ok) throw new Error("the sandbox's own credentials must be acceptable");
    expect(made_up.config).toMatchObject({ server_key: "SB-Mid-server-lunas-sandbox", client_key: "SB-Mid-client-lunas-sandbox" });
    expect(isSandbox(made_up.config)).toBe(true);
    expect(isSandbox({ ...good, environment: "sandbox" })).toBe(false);
    expect(addresses(made_up.config)).toEqual({
      core: "http://127.0.0.1:8090/midtrans",
      snap: "http://127.0.0.1:8090/midtrans/snap/v1",
      snap_script: "http://127.0.0.1:8090/midtrans/snap/snap.js",
    });
  });
});
