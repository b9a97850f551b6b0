import { Webhook as ReferenceWebhook } from "standardwebhooks";
import { Webhook as SvixWebhook } from "svix";
import { describe, expect, test } from "vitest";
import { signWebhook } from "./sign.ts";
import { verifyWebhook, WebhookVerificationError, type VerifyOptions } from "./verify.ts";
import type { WebhookHeaders } from "./headers.ts";

// The reference vector of Standard Webhooks, typed in by hand.
const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OTHER = "whsec_" + Buffer.alloc(32, 7).toString("base64");
const VECTOR_BODY = '{"test": 2432232314}';
const VECTOR_HEADERS = {
  "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
  "webhook-timestamp": "1614265330",
  "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
};
const VECTOR_NOW = 1614265330_000;

function problemOf(body: string | Uint8Array, headers: WebhookHeaders, secret: string | string[] = SECRET, options?: VerifyOptions): string {
  try {
    verifyWebhook(body, headers, secret, options);
  } catch (error) {
    if (error instanceof WebhookVerificationError) return error.code;
    throw error;
  }
  return "verified";
}

describe("the reference vector", () => {
  test("is verified and gives the parsed body", () => {
    expect(verifyWebhook(VECTOR_BODY, VECTOR_HEADERS, SECRET, { now: VECTOR_NOW })).toEqual({ test: 2432232314 });
  });

  test("is what signWebhook makes", () => {
    expect(signWebhook(VECTOR_BODY, SECRET, { id: VECTOR_HEADERS["webhook-id"], now: VECTOR_NOW })).toEqual(VECTOR_HEADERS);
  });

  test.each(["webhook-id", "webhook-timestamp", "webhook-signature"])("without %s is refused as missing_header", (name) => {
    expect(problemOf(VECTOR_BODY, { ...VECTOR_HEADERS, [name]: undefined }, SECRET, { now: VECTOR_NOW })).toBe("missing_header");
    expect(problemOf(VECTOR_BODY, { ...VECTOR_HEADERS, [name]: "" }, SECRET, { now: VECTOR_NOW })).toBe("missing_header");
  });

  test("with another id, time, body or secret is refused", () => {
    const at = { now: VECTOR_NOW };
    expect(problemOf(VECTOR_BODY, { ...VECTOR_HEADERS, "webhook-id": "msg_other" }, SECRET, at)).toBe("no_matching_signature");
    expect(problemOf(VECTOR_BODY, { ...VECTOR_HEADERS, "webhook-timestamp": "1614265331" }, SECRET, at)).toBe("no_matching_signature");
    expect(problemOf('{"test":2432232314}', VECTOR_HEADERS, SECRET, at)).toBe("no_matching_signature");
    expect(problemOf(VECTOR_BODY, VECTOR_HEADERS, OTHER, at)).toBe("no_matching_signature");
  });
});

describe("time", () => {
  const headers = signWebhook("{}", SECRET, { now: 1_800_000_000_000 });

  test.each([
    [300, "verified"],
    [301, "too_old"],
    [-300, "verified"],
    [-301, "too_new"],
  ])("%i s after the signature is %s", (later_s, verdict) => {
    expect(problemOf("{}", headers, SECRET, { now: 1_800_000_000_000 + later_s * 1000 })).toBe(verdict);
  });

  test("has the tolerance that is asked for", () => {
    expect(problemOf("{}", headers, SECRET, { now: 1_800_000_011_000, toleranceS: 10 })).toBe("too_old");
    expect(problemOf("{}", headers, SECRET, { now: 1_800_000_010_000, toleranceS: 10 })).toBe("verified");
  });

  test.each(["soon", "1800000000.5", "-1", " 1800000000", "1e9", "0x6b49d200"])("%j is refused as invalid_timestamp", (timestamp) => {
    expect(problemOf("{}", { ...headers, "webhook-timestamp": timestamp }, SECRET, { now: 1_800_000_000_000 })).toBe("invalid_timestamp");
  });
});

describe("signatures", () => {
  const headers = signWebhook("{}", SECRET);
  const valid = headers["webhook-signature"];
  const withSignature = (value: string): WebhookHeaders => ({ ...headers, "webhook-signature": value });

  test("one of several is enough, whatever the others are", () => {
    expect(problemOf("{}", withSignature(`v1,AAAA v1a,zzzz ${valid} v2,${valid.slice(3)}`))).toBe("verified");
  });

  test.each([
    ["another version", valid.replace("v1,", "v2,")],
    ["no version", valid.slice(3)],
    ["a cut", valid.slice(0, -2)],
    ["more after it", `${valid}A`],
    ["other case", valid.toLowerCase()],
    ["an empty one", "v1,"],
  ])("with %s are refused", (_name, value) => {
    expect(problemOf("{}", withSignature(value))).toBe("no_matching_signature");
  });

  test("of old and new secret are verified during a rotation, by either side", () => {
    const both = signWebhook("{}", [OTHER, SECRET]);
    expect(problemOf("{}", both, SECRET)).toBe("verified");
    expect(problemOf("{}", both, OTHER)).toBe("verified");
    expect(problemOf("{}", headers, [OTHER, SECRET])).toBe("verified");
    expect(problemOf("{}", headers, [OTHER])).toBe("no_matching_signature");
  });
});

describe("headers", () => {
  const headers = signWebhook("{}", SECRET);

  test("are taken from Headers, from Node's lower case and from any other case", () => {
    expect(problemOf("{}", new Headers(headers))).toBe("verified");
    expect(problemOf("{}", { ...headers, host: "shop.example", "set-cookie": ["a", "b"] })).toBe("verified");
    const upper = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toUpperCase(), value]));
    expect(problemOf("{}", upper)).toBe("verified");
  });

  test("that are there twice are refused, because the two could be read differently", () => {
    expect(problemOf("{}", { ...headers, "webhook-id": ["evt_1", headers["webhook-id"]] })).toBe("missing_header");
    expect(problemOf("{}", { ...headers, "Webhook-Timestamp": "1" })).toBe("missing_header");
  });
});

describe("the body", () => {
  test("is taken as bytes: the same bytes verify as a string, a Buffer and a Uint8Array", () => {
    const text = '{"note":"Kopi é ☕"}';
    const headers = signWebhook(text, SECRET);
    expect(verifyWebhook(Buffer.from(text), headers, SECRET)).toEqual({ note: "Kopi é ☕" });
    expect(verifyWebhook(new TextEncoder().encode(text), headers, SECRET)).toEqual({ note: "Kopi é ☕" });
    expect(verifyWebhook(text, headers, SECRET)).toEqual({ note: "Kopi é ☕" });
  });

  test("of invalid UTF-8 is not confused with the replacement character that a decoder makes of it", () => {
    const headers = signWebhook('"\ufffd"', SECRET);
    expect(problemOf(Buffer.from([0x22, 0xff, 0x22]), headers)).toBe("no_matching_signature");
  });

  test("that is signed but not JSON is refused as invalid_body", () => {
    expect(problemOf("no json", signWebhook("no json", SECRET))).toBe("invalid_body");
    expect(problemOf("", signWebhook("", SECRET))).toBe("invalid_body");
  });

  test("that a parser has already read is a mistake of the program, told as such", () => {
    expect(() => verifyWebhook({ type: "order.paid" } as unknown as string, {}, SECRET)).toThrow(/raw body/);
  });
});

test.each(["", "whsec_", "whsec_???", "whsec_c2hvcnQ="])("the secret %j is a mistake of the program and is not quoted", (secret) => {
  const attempt = (): unknown => verifyWebhook("{}", signWebhook("{}", SECRET), secret);
  expect(attempt).toThrow(TypeError);
  expect(attempt).toThrow(/webhook secret/);
});

test("no secret at all is never a match", () => {
  expect(() => verifyWebhook("{}", signWebhook("{}", SECRET), [])).toThrow(TypeError);
});

describe("independent verifiers", () => {
  const body = '{"id":"evt_1","type":"order.paid","data":{"order":{"reference":"INV-é"}}}';

  test("standardwebhooks and svix take what signWebhook makes", () => {
    const headers = signWebhook(body, [OTHER, SECRET], { id: "evt_1" });
    expect(new ReferenceWebhook(SECRET).verify(body, headers)).toEqual(JSON.parse(body));
    // Svix's verify gives nothing back; it throws where it does not believe.
    expect(() => new SvixWebhook(SECRET).verify(body, headers)).not.toThrow();
  });

  test("verifyWebhook takes what standardwebhooks and svix sign", () => {
    const at = new Date();
    const headersOf = (signature: string): WebhookHeaders => ({
      "webhook-id": "evt_2",
      "webhook-timestamp": String(Math.floor(at.getTime() / 1000)),
      "webhook-signature": signature,
    });
    expect(verifyWebhook(body, headersOf(new ReferenceWebhook(SECRET).sign("evt_2", at, body)), SECRET)).toEqual(JSON.parse(body));
    expect(verifyWebhook(body, headersOf(new SvixWebhook(SECRET).sign("evt_2", at, body)), SECRET)).toEqual(JSON.parse(body));
  });

  test("all three give the same verdict on changed deliveries", () => {
    const good = signWebhook(body, SECRET);
    const old = signWebhook(body, SECRET, { now: Date.now() - 400_000 });
    const early = signWebhook(body, SECRET, { now: Date.now() + 400_000 });
    const cases: [string, Record<string, string>][] = [
      [body, good],
      [`${body} `, good],
      [body, old],
      [body, early],
      [body, { ...good, "webhook-id": "evt_other" }],
      [body, { ...good, "webhook-signature": `v1,${"A".repeat(43)}=` }],
      [body, { ...good, "webhook-signature": `v1a,nothing ${good["webhook-signature"]}` }],
    ];
    const verdict = (verify: () => unknown): boolean => {
      try {
        verify();
        return true;
      } catch {
        return false;
      }
    };
    for (const [text, headers] of cases) {
      const ours = verdict(() => verifyWebhook(text, headers, SECRET));
      expect(verdict(() => new ReferenceWebhook(SECRET).verify(text, headers))).toBe(ours);
      expect(verdict(() => new SvixWebhook(SECRET).verify(text, headers))).toBe(ours);
    }
  });
});
