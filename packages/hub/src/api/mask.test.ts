import { describe, expect, test } from "vitest";
import { maskBody, maskSecret, maskUrl } from "./mask.ts";

describe("what is shown of a body", () => {
  test.each([
    ['{"order_id":"A","signature_key":"x","server_key":"y"}', '{"order_id":"A","signature_key":"•••","server_key":"•••"}'],
    ['{"customer_details":{"email":"a@b.c"},"item_details":[{"name":"Kopi"}]}', '{"customer_details":"•••","item_details":[{"name":"Kopi"}]}'],
    [
      '{"payer":{"phone":"08"},"transaction":{"billing_address":{"city":"Solo"},"amount":1}}',
      '{"payer":"•••","transaction":{"billing_address":"•••","amount":1}}',
    ],
    ['[{"email":"a@b.c","email_sent":true}]', '[{"email":"•••","email_sent":true}]'],
    ['{"token":null,"phone":""}', '{"token":null,"phone":""}'],
    ["secret_key_callback=abc&order=1&email=a%40b.c", "secret_key_callback=•••&order=1&email=•••"],
    ["", ""],
    ["<html>Budi</html>", "(17 bytes)"],
    ["Budi Santoso", "(12 bytes)"],
    ['"a secret text"', "(15 bytes)"],
  ])("%s", (body, shown) => expect(maskBody(body)).toBe(shown));

  test("of an address: its query without secrets", () => {
    expect(maskUrl("https://x.example/a?api_key=1&b=2")).toBe("https://x.example/a?api_key=•••&b=2");
    expect(maskUrl("https://x.example/a")).toBe("https://x.example/a");
  });

  test("of a secret: its end, and nothing of a short one", () => {
    expect(maskSecret("0123456789abcdef")).toBe("•••cdef");
    expect(maskSecret("short")).toBe("•••");
  });
});
