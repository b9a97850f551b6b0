import { systemRandom } from "@lunas/domain";
import fc from "fast-check";
import { Webhook as Reference } from "standardwebhooks";
import { Webhook as Svix } from "svix";
import { describe, expect, test } from "vitest";
import { guardedHttp } from "../net/http.ts";
import { rotateSecret } from "./operations.ts";
import { hmacSha256, makeSecret, padKey, signStandard } from "./signature.ts";
import { makeStage, receiver, SECRET } from "./testing/stage.ts";

describe("the signature of Standard Webhooks", () => {
  test("equals the reference vector of the specification's libraries", () => {
    const body = Buffer.from('{"test": 2432232314}');
    const signature = signStandard("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body, ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]);
    expect(signature).toBe("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
  });

  test("is accepted by the reference verifier and by Svix for any body and any secret, and by neither once a bit is changed", () => {
    const bodies = fc.oneof(
      fc.json(),
      fc.string({ unit: "grapheme", minLength: 1 }).map((text) => JSON.stringify({ text })),
    );
    fc.assert(
      fc.property(bodies, fc.uint8Array({ minLength: 24, maxLength: 64 }), fc.nat(), (text, key, position) => {
        const secret = `whsec_${Buffer.from(key).toString("base64")}`;
        const now_s = Math.floor(Date.now() / 1_000);
        const body = Buffer.from(text);
        const headers = {
          "webhook-id": "evt_1",
          "webhook-timestamp": String(now_s),
          "webhook-signature": signStandard("evt_1", now_s, body, [secret]),
        };
        const changed = Buffer.from(body);
        changed[position % changed.length]! ^= 1;
        for (const verifier of [new Reference(secret), new Svix(secret)]) {
          verifier.verify(text, headers);
          expect(() => verifier.verify(changed.toString("latin1"), headers)).toThrow();
          expect(() => verifier.verify(text, { ...headers, "webhook-id": "evt_2" })).toThrow();
        }
      }),
      { numRuns: 100 },
    );
  });

  test("a new secret is 32 random bytes under whsec_, never the same twice", () => {
    const made = Array.from({ length: 100 }, () => makeSecret(systemRandom));
    expect(new Set(made).size).toBe(100);
    for (const secret of made) {
      expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
      expect(Buffer.from(secret.slice(6), "base64")).toHaveLength(32);
    }
  });

  test("without a secret nothing is signed: an empty signature would be one that anybody can make", () => {
    expect(() => signStandard("evt_1", 1, Buffer.from("{}"), [])).toThrow(/secret/);
  });
});

describe("HMAC-SHA-256", () => {
  const hex = (text: string): Buffer => Buffer.from(text, "hex");
  // RFC 4231 §4.2 to §4.8; the fifth of them is a truncated one.
  for (const [name, key, data, expected] of [
    ["case 1", hex("0b".repeat(20)), Buffer.from("Hi There"), "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"],
    ["case 2", Buffer.from("Jefe"), Buffer.from("what do ya want for nothing?"), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"],
    ["case 3", hex("aa".repeat(20)), hex("dd".repeat(50)), "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"],
    [
      "case 4",
      hex("0102030405060708090a0b0c0d0e0f10111213141516171819"),
      hex("cd".repeat(50)),
      "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
    ],
    ["case 5", hex("0c".repeat(20)), Buffer.from("Test With Truncation"), "a3b6167473100ee06e0c796c2955552b"],
    [
      "case 6",
      hex("aa".repeat(131)),
      Buffer.from("Test Using Larger Than Block-Size Key - Hash Key First"),
      "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
    ],
    [
      "case 7",
      hex("aa".repeat(131)),
      Buffer.from(
        "This is a test using a larger than block-size key and a larger than block-size data. The key needs to be hashed before being used by the HMAC algorithm.",
      ),
      "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
    ],
  ] as const) {
    test(`gives what RFC 4231 says in ${name}, in one piece or two`, () => {
      for (const parts of [[data], [data.subarray(0, 5), data.subarray(5)]]) {
        expect(
          hmacSha256(padKey(key), ...parts)
            .toString("hex")
            .slice(0, expected.length),
        ).toBe(expected);
      }
    });
  }
});

describe("a live delivery", () => {
  async function live() {
    const { url, received } = await receiver(() => 200);
    const stage = await makeStage("sqlite", guardedHttp({ allow: ["127.0.0.0/8"] }));
    const wall = { now: () => Date.now() };
    const hub = { ...stage.hub, clocks: { business: stage.clock, wall } };
    const id = await stage.endpoint(`${url}/hook`, { events: ["payment.paid"] });
    return { stage, received, id, dispatcher: stage.start(hub) };
  }

  test("is verified by the reference library and by Svix, and carries the event's exact text", async () => {
    const { stage, received, dispatcher } = await live();
    const event_id = await stage.event();
    await dispatcher.idle();
    const [one] = received;
    expect(one!.headers).toMatchObject({ "webhook-id": event_id, "content-type": "application/json" });
    const event = await stage.store.read((db) => db.selectFrom("events").select("body").where("id", "=", event_id).executeTakeFirstOrThrow());
    expect(one!.body.toString()).toBe(event.body);
    for (const verifier of [new Reference(SECRET), new Svix(SECRET)]) {
      expect(() => verifier.verify(one!.body.toString(), one!.headers)).not.toThrow();
      expect(() => verifier.verify(`${one!.body.toString()} `, one!.headers)).toThrow();
    }
  });

  test("during a rotation is content to a receiver with the old secret and to one with the new; after the overlap only to the new", async () => {
    const { stage, received, dispatcher, id } = await live();
    await stage.event();
    await dispatcher.idle();
    const { secret } = await rotateSecret(stage.hub, stage.shop_id, id);
    await stage.event();
    await dispatcher.idle();
    stage.advance(24 * 3_600_000);
    await stage.event();
    await dispatcher.idle();
    const accepts = (which: string, index: number): boolean => {
      try {
        new Reference(which).verify(received[index]!.body.toString(), received[index]!.headers);
        return true;
      } catch {
        return false;
      }
    };
    expect([0, 1, 2].map((index) => received[index]!.headers["webhook-signature"]!.split(" ").length)).toEqual([1, 2, 1]);
    expect([0, 1, 2].map((index) => accepts(SECRET, index))).toEqual([true, true, false]);
    expect([0, 1, 2].map((index) => accepts(secret, index))).toEqual([false, true, true]);
  });
});
