import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { callbacks } from "./notification.ts";
import { config } from "./testing.ts";

/** V1 of midtrans.md §11.3 inside the body of §11.2, typed in. */
const V1 =
  '{"transaction_time":"2026-07-17 10:00:00","transaction_status":"settlement","transaction_id":"5b0b0c0e-3f1a-4a53-9f43-9f2f5f3f7a01",' +
  '"status_message":"midtrans payment notification","status_code":"200","signature_key":' +
  '"8fafce88af56cc4a005e322e6f0f4442703f53f5f50081a51fc0ba8968774fb4b0c7c49b9b3fe93e2b4013b0e55a2b2390c1b37e8912e6998a47f1054d6414bf",' +
  '"settlement_time":"2026-07-17 10:01:12","payment_type":"gopay","order_id":"order-101","merchant_id":"G000000001",' +
  '"gross_amount":"44000.00","fraud_status":"accept","currency":"IDR","expiry_time":"2026-07-17 10:15:00"}';

const V4_SIGNATURE =
  "a541e535f4e7bc6330c114c4eea552ae876df06d9a2687bef3257f6186327891a0af0d0e605a630c719e5be33b9c43cb6538e9874dd8fde8f1b59ec72dad2c93";
const V9_SIGNATURE =
  "bd424728c3d0ecbc0d59a5ba6c61d15024d1381e940583cd2d6036cedc8a118392c3b21ee97bedfcff66a51bfd67e0fed3842d988c17ce9d90411fe748ed5ccd";

const OTHER = { ...config, server_key: "SB-Mid-server-other" };

function read(body: string | Uint8Array) {
  return callbacks.read({ method: "POST", headers: {}, query: "", body: typeof body === "string" ? Buffer.from(body) : body });
}

function readable(body: string) {
  const reading = read(body);
  if (!reading.readable) throw new Error(`unreadable: ${reading.problem}`);
  return reading;
}

/** V1 with some fields set anew; undefined takes one out. */
function changed(fields: Record<string, unknown>): string {
  return JSON.stringify({ ...(JSON.parse(V1) as object), ...fields });
}

describe("a genuine notification", () => {
  test("is read, believed as far as its proof goes, and claims what it says", () => {
    const reading = readable(V1);
    expect(reading.subject).toEqual({ kind: "payment", reference: "order-101", provider_id: "5b0b0c0e-3f1a-4a53-9f43-9f2f5f3f7a01" });
    expect(reading.verify([config])).toEqual({ verdict: "weak", credential_index: 0 });
    expect(reading.translate()).toEqual({ observation: "paid", provider_status: "settlement", provider_id: "5b0b0c0e-3f1a-4a53-9f43-9f2f5f3f7a01" });
    expect(reading.event_key).toBe("5b0b0c0e-3f1a-4a53-9f43-9f2f5f3f7a01:settlement:200");
  });

  test("verifies under the old or the new server key while both hold", () => {
    expect(readable(V1).verify([OTHER, config])).toEqual({ verdict: "weak", credential_index: 1 });
    expect(readable(V1).verify([config, OTHER])).toEqual({ verdict: "weak", credential_index: 0 });
  });

  test("with an order_id outside ASCII verifies over its UTF-8 bytes, escaped or not (V9)", () => {
    const body = changed({ order_id: "PESAN-\u00e9", gross_amount: "1.00", signature_key: V9_SIGNATURE });
    expect(readable(body).verify([config]).verdict).toBe("weak");
    expect(readable(body.replace("\u00e9", "\\u00e9")).verify([config]).verdict).toBe("weak");
  });

  test.each([
    ["in one piece", V1],
    ["pretty-printed", JSON.stringify(JSON.parse(V1), null, 2)],
    ["with an escaped key", V1.replace('"order_id"', '"order\\u005fid"')],
    ["with quotes and brackets inside its strings", changed({ status_message: '{"order_id":"x"} \\ "] , [' })],
    ["with nulls for what is absent", changed({ fraud_status: null, transaction_id: null })],
    [
      "with nested extras of §11.2",
      changed({ va_numbers: [{ bank: "bca", va_number: "12345678901" }], payment_amounts: [], metadata: { a: { b: [] } } }),
    ],
  ])("%s verifies", (_name, body) => expect(readable(body).verify([config]).verdict).toBe("weak"));

  test("names its order when it has no transaction_id", () => {
    const reading = readable(changed({ transaction_id: undefined }));
    expect(reading.subject).toEqual({ kind: "payment", reference: "order-101" });
    expect(reading.event_key).toBe("order-101:settlement:200");
    expect(reading.translate()).toEqual({ observation: "paid", provider_status: "settlement" });
  });

  test("of a refund tells its two notifications apart (quirk 9)", () => {
    const accepted = readable(changed({ transaction_status: "refund", refunds: [{ refund_amount: "44000.00" }] }));
    const confirmed = readable(
      changed({ transaction_status: "refund", refunds: [{ refund_amount: "44000.00", bank_confirmed_at: "2026-07-17 11:00:00" }] }),
    );
    expect(accepted.event_key).not.toBe(confirmed.event_key);
    expect(accepted.translate().observation).toBe("refunded");
  });

  test("of refunds claims all that went back so far and what of it the bank confirmed: the status alone says neither", () => {
    const confirmed = { refund_key: "k-1", refund_amount: "10000.00", bank_confirmed_at: "2026-07-17 11:00:00" };
    const refunds = [confirmed, { refund_key: "k-2", refund_amount: "5000.00" }];
    const reading = readable(changed({ transaction_status: "partial_refund", refund_amount: "15000.00", refunds }));
    expect(reading.translate()).toMatchObject({ observation: "partially_refunded", refunded: 1_500_000n, confirmed: 1_000_000n });
    for (const refund_amount of [{}, "1e9", "-1.00", "many"]) {
      const odd = readable(changed({ refund_amount, refunds: [null, 7, { ...confirmed, refund_amount }] })).translate();
      expect(odd).not.toHaveProperty("refunded");
      expect(odd).not.toHaveProperty("confirmed");
    }
  });

  test("of a partial chargeback claims that something was taken, and no amount", () => {
    expect(readable(changed({ transaction_status: "partial_chargeback" })).translate()).toMatchObject({
      observation: "paid",
      notice: "partial_chargeback",
    });
  });

  test("with words that mean nothing to us claims nothing", () => {
    expect(readable(changed({ transaction_status: "sparkling" })).translate()).toEqual({
      provider_status: "sparkling",
      provider_id: "5b0b0c0e-3f1a-4a53-9f43-9f2f5f3f7a01",
    });
    expect(readable(changed({ fraud_status: { is: "accept" } })).translate().observation).toBeUndefined();
    expect(readable(changed({ fraud_status: "challenge" })).translate().observation).toBeUndefined();
  });
});

describe("a forged notification", () => {
  test.each([
    ["another amount", { gross_amount: "1.00" }],
    ["the same amount written anew (V4)", { gross_amount: "44000" }],
    ["V4's own signature over the amount as it should be", { signature_key: V4_SIGNATURE }],
    ["another code", { status_code: "201" }],
    ["another order", { order_id: "order-102" }],
    ["a signature in upper case", { signature_key: (JSON.parse(V1) as { signature_key: string }).signature_key.toUpperCase() }],
    ["a short signature", { signature_key: "8fafce88" }],
  ])("with %s is told as forged", (_name, fields) => expect(readable(changed(fields)).verify([config])).toEqual({ verdict: "forged" }));

  test("is one that no key of the account has signed", () => {
    expect(readable(V1).verify([OTHER])).toEqual({ verdict: "forged" });
    expect(readable(V1).verify([])).toEqual({ verdict: "forged" });
  });

  test("with another status still verifies: the proof does not cover it, which is why it only makes the hub ask (§11.3)", () => {
    expect(callbacks.proof_covers).toBe("order_id, status_code, gross_amount");
    expect(readable(changed({ transaction_status: "refund" })).verify([config]).verdict).toBe("weak");
  });

  test("that moves the border between order_id and status_code is unreadable", () => {
    expect(read(changed({ order_id: "order-1012", status_code: "004", gross_amount: "4000.00" })).readable).toBe(false);
    expect(read(changed({ order_id: "order-10120", status_code: "044", gross_amount: "000.00" })).readable).toBe(false);
  });
});

describe("what cannot be read is told so", () => {
  test.each<readonly [string, string | Uint8Array]>([
    ["nothing", ""],
    ["no JSON", "order_id=order-101"],
    ["a truncated body", V1.slice(0, -10)],
    ["more after the end", `${V1}{}`],
    ["null", "null"],
    ["a number", "1"],
    ["a string", '"x"'],
    ["a list", `[${V1}]`],
    ["an empty object", "{}"],
    ["a byte that is no UTF-8", Buffer.concat([Buffer.from(V1.slice(0, 30)), Buffer.from([0xff]), Buffer.from(V1.slice(30))])],
    ["an overlong UTF-8 form", Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xc0, 0xaf]), Buffer.from('"}')])],
    ["a byte order mark", `\ufeff${V1}`],
    ["UTF-16", Buffer.from(V1, "utf16le")],
    ["a signed key twice", V1.replace("{", '{"order_id":"order-102",')],
    ["a key twice, once escaped", V1.replace("{", '{"order\\u005fid":"order-102",')],
    ["an unsigned key twice", V1.replace("{", '{"transaction_status":"refund",')],
    ["a key twice after a list", V1.replace("{", '{"currency":[{"a":1},[2]],')],
    ["an amount as a number", changed({ gross_amount: 44000 })],
    ["a code as a number", changed({ status_code: 200 })],
    ["an order_id as a number", changed({ order_id: 101 })],
    ["an order_id as a list", changed({ order_id: ["order-101"] })],
    ["no order_id", changed({ order_id: undefined })],
    ["no signature", changed({ signature_key: undefined })],
    ["a null signature", changed({ signature_key: null })],
    ["no status", changed({ transaction_status: undefined })],
    ["a transaction_id as an object", changed({ transaction_id: { $ne: "" } })],
    ["an empty order_id", changed({ order_id: "" })],
    ["a very long order_id", changed({ order_id: "x".repeat(256) })],
    ["a NUL in the order_id", changed({ order_id: "order-101\u0000" })],
    ["a lone surrogate in the order_id", changed({ order_id: "order-\ud800" })],
    ["an amount in scientific notation", changed({ gross_amount: "4.4e4" })],
    ["a negative amount", changed({ gross_amount: "-44000.00" })],
    ["an amount of a thousand digits", changed({ gross_amount: "9".repeat(1000) })],
    ["deep nesting", changed({}).replace("{", `{"metadata":${"[".repeat(100)}${"]".repeat(100)},`)],
    ["nesting as deep as fits", "[".repeat(200_000)],
    ["an object as deep as fits", `${'{"a":'.repeat(40_000)}1${"}".repeat(40_000)}`],
    ["more than 256 KiB", changed({ custom_field1: "x".repeat(256 * 1024) })],
  ])("%s", (_name, body) => {
    const reading = read(body);
    expect(reading.readable).toBe(false);
    if (!reading.readable) expect(reading.problem.length).toBeGreaterThan(5);
  });

  test("and no bytes whatever make it throw", () => {
    const body = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.json({ maxDepth: 4 }).map((text) => Buffer.from(text)),
      // A genuine body with a piece of it replaced.
      fc
        .tuple(fc.nat(V1.length), fc.nat(20), fc.oneof(fc.string({ maxLength: 20 }), fc.constantFrom('"', "\\", "{", "}", ",", '\\"', "\\u0000")))
        .map(([at, cut, piece]) => Buffer.from(V1.slice(0, at) + piece + V1.slice(at + cut))),
    );
    fc.assert(
      fc.property(body, (bytes) => {
        const reading = read(bytes);
        if (!reading.readable) return reading.problem !== "";
        const { verdict } = reading.verify([OTHER, config]);
        reading.translate();
        const { order_id, status_code, gross_amount } = JSON.parse(Buffer.from(bytes).toString("utf8")) as Record<string, string>;
        // Whatever verifies is V1 in all that V1 signed.
        return verdict === "forged" || `${order_id} ${status_code} ${gross_amount}` === "order-101 200 44000.00";
      }),
      { numRuns: 2_000 },
    );
  });

  test("a key that stands twice is found wherever it stands", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue(), { minKeys: 1, maxKeys: 8 }), fc.nat(), (extra, pick) => {
        const own = Object.entries(extra).filter(([key]) => !key.startsWith("__"));
        const entries = [...Object.entries(JSON.parse(V1) as object), ...own];
        const unique = new Map(entries.map(([key, value]) => [key, value]));
        const [key, value] = [...unique][pick % unique.size]!;
        const text = (pairs: Iterable<readonly [string, unknown]>) =>
          `{${[...pairs].map(([k, v]) => `${JSON.stringify(k)}:${JSON.stringify(v)}`).join(",")}}`;
        expect(read(text([...unique, [key, value]]))).toEqual({ readable: false, problem: "a key stands twice" });
      }),
    );
  });
});

describe("the reply", () => {
  test.each([
    ["stored", 200],
    ["repeated", 200],
    ["forged", 403],
    ["unreadable", 400],
    ["unknown_account", 404],
    ["too_large", 413],
    ["storage_down", 503],
  ] as const)("to %s is %i, in JSON, never a redirect and never 500 (§11.4)", (outcome, status) => {
    const reply = callbacks.reply(outcome);
    expect([reply.status, reply.content_type]).toEqual([status, "application/json"]);
    expect(JSON.parse(reply.body)).toEqual({ status: status === 200 ? "ok" : outcome });
  });
});
