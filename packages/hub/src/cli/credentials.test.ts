import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { credentialPair, readCredentials } from "./credentials.ts";

describe("credentials", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "lunas-credentials-"));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const file = (text: string): string => {
    const path = join(folder, "credentials.json");
    writeFileSync(path, text);
    return path;
  };

  test("are read from a file", () => {
    expect(readCredentials(file(`{"server_key": "s", "client_key": "c"}`))).toEqual({ server_key: "s", client_key: "c" });
  });

  test.each([`{"server_key": "hush"`, `["hush"]`, `"hush"`, "null", `{"server_key": 17}`])("are not told back when the file is wrong: %s", (text) => {
    expect(() => readCredentials(file(text))).toThrow(/credentials\.json (is not JSON|must hold one JSON object of strings)/);
    expect(() => readCredentials(file(text))).not.toThrow("hush");
  });

  test("on the command line are taken one after another; a value may hold anything", () => {
    expect(credentialPair("b=x=y", credentialPair("a=", {}))).toEqual({ a: "", b: "x=y" });
    expect(() => credentialPair("hush", {})).toThrow("a credential is written NAME=VALUE");
    expect(() => credentialPair("=hush", {})).toThrow(/^a credential is written NAME=VALUE$/);
  });
});
