import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { localDigest } from "./local-digest.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const hex = (key: Uint8Array) => Buffer.from(key).toString("hex");

test("the same bytes have the same key, other bytes or another scope have another one", () => {
  const body = bytes('{"transaction_time":"2026-11-21 08:15:01","order_id":"a"}');
  expect(hex(localDigest("acc_1", body))).toBe(hex(localDigest("acc_1", body.slice())));
  const others = [localDigest("acc_2", body), localDigest("acc_1", bytes('{"transaction_time":"2026-11-21 08:15:01","order_id":"b"}'))];
  for (const other of others) expect(hex(other)).not.toBe(hex(localDigest("acc_1", body)));
});

test("keys of bodies that speak of later minutes are larger, across months and years, in every spelling of a date", () => {
  const dates = [
    "2025-12-31 23:59",
    "2026-01-01 00:00",
    "2026-01-31T23:59",
    "2026-02-01+00%3A00",
    "2026-11-21 08:15",
    "2026-11-21 08:16",
    "2026-12-01 00:00",
  ];
  const keys = dates.map((date) => hex(localDigest("acc_1", bytes(`time=${date}:07`))));
  expect(keys).toEqual([...keys].sort());
  expect(new Set(keys.map((key) => key.slice(0, 8))).size).toBe(keys.length);
});

test("a body without a date has a bare digest", () => {
  const expected = createHash("sha256").update("acc_1\nno date").digest("hex").slice(0, 32);
  expect(hex(localDigest("acc_1", bytes("no date")))).toBe(expected);
});

test("any bytes have a key of 16 bytes, absurd dates too", () => {
  for (const body of [new Uint8Array(0), Uint8Array.of(255, 0, 128), bytes("2099-99-99 99:99"), bytes("x".repeat(300_000))]) {
    expect(localDigest("acc_1", body)).toHaveLength(16);
  }
});
