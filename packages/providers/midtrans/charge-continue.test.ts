import type { OpenIntent } from "@lunas/domain";
import { describe, expect, test } from "vitest";
import { gopayCharged, intent, MINUTE, notFound, NOW, pending, scripted, TRANSACTION_ID, type Scripted } from "./testing.ts";

const QR = { type: "qr", image_url: `https://api.sandbox.midtrans.com/v2/gopay/${TRANSACTION_ID}/qr-code` };
const again: OpenIntent = { ...intent, submitted_at: NOW };
const CHARGE = "POST /v2/charge";
const STATUS = "GET /v2/INV-2001/status";

function va(method: string, extra: object): { intent: OpenIntent; charged: object } {
  const { fraud_status: _none, ...rest } = pending;
  return { intent: { ...intent, method }, charged: { ...rest, payment_type: "bank_transfer", ...extra } };
}

describe("continuing after an unknown outcome", () => {
  test("within five minutes repeats the same charge under the same key", async () => {
    const script = scripted([{ fault: "timeout" }, { body: gopayCharged }]);
    await script.gateway.open(intent);
    script.business.advance(4 * MINUTE);
    expect(await script.gateway.open(again)).toMatchObject({ certainty: "did", value: { actions: [QR, {}] } });
    expect(script.asked()).toEqual([CHARGE, CHARGE]);
    expect(script.calls[1]!.body).toBe(script.calls[0]!.body);
    expect(script.calls[1]!.headers).toEqual(script.calls[0]!.headers);
  });

  test.each([
    ["five minutes later", 5 * MINUTE],
    ["so late that the key may be gone when the call arrives", 5 * MINUTE - 10_000],
    ["when the clock went back", -MINUTE],
  ])("%s asks first, and charges when there surely is nothing", async (_name, later) => {
    const script = scripted([{ body: notFound }, { body: gopayCharged }]);
    script.business.advance(later);
    expect(await script.gateway.open(again)).toMatchObject({
      certainty: "did",
      value: { actions: [QR, {}] },
      exchanges: [{ method: "GET" }, { method: "POST" }],
    });
    expect(script.asked()).toEqual([STATUS, CHARGE]);
  });

  test("of Permata VA asks first at once: it does not honour the key (§12)", async () => {
    const { intent: permata, charged } = va("permata_va", { permata_va_number: "8778000000000001" });
    const script = scripted([{ body: notFound }, { body: charged }]);
    expect(await script.gateway.open({ ...permata, submitted_at: NOW })).toMatchObject({ certainty: "did" });
    expect(script.asked()).toEqual([STATUS, CHARGE]);
  });

  test("after the payment's own expiry never charges, not even within five minutes", async () => {
    const short = { ...again, expires_at: NOW + 2 * MINUTE };
    const script = scripted([{ body: notFound }]);
    script.business.advance(2 * MINUTE);
    expect(await script.gateway.open(short)).toMatchObject({ certainty: "did_not", refusal: { code: "state" } });
    expect(script.asked()).toEqual([STATUS]);
  });

  test("a wallet's transaction that is found has no actions: unusable, and never charged again", async () => {
    for (const method of ["gopay", "qris"]) {
      const script = scripted([{ body: { ...pending, payment_type: method } }]);
      script.business.advance(6 * MINUTE);
      expect(await script.gateway.open({ ...again, method })).toMatchObject({
        certainty: "did",
        value: { evidence: { status: "pending" }, unusable: true },
      });
      expect(script.asked()).toEqual([STATUS]);
    }
  });

  test("a virtual account that is found is shown: its number is in the answer", async () => {
    const { intent: bca, charged } = va("bca_va", { va_numbers: [{ bank: "bca", va_number: "12345678901" }] });
    const script = scripted([{ body: charged }]);
    script.business.advance(6 * MINUTE);
    const outcome = await script.gateway.open({ ...bca, submitted_at: NOW });
    expect(outcome).toMatchObject({ certainty: "did", value: { actions: [{ type: "va_number", number: "12345678901" }] } });
    if (outcome.certainty === "did") expect(outcome.value.unusable).toBeUndefined();
  });

  test("a transaction of another method or amount under our reference is unusable", async () => {
    const script = scripted([{ body: { ...pending, payment_type: "bank_transfer", va_numbers: [{ bank: "bni", va_number: "1" }] } }]);
    script.business.advance(6 * MINUTE);
    expect(await script.gateway.open({ ...again, method: "bca_va" })).toMatchObject({ certainty: "did", value: { unusable: true } });
  });

  test.each([
    ["settlement", "200", "paid"],
    ["expire", "407", "expired"],
    ["cancel", "200", "canceled"],
  ])("a transaction found in %s is told as it is", async (transaction_status, status_code, status) => {
    const script = scripted([{ body: { ...pending, transaction_status, status_code } }]);
    script.business.advance(6 * MINUTE);
    const outcome = await script.gateway.open(again);
    expect(outcome).toMatchObject({ certainty: "did", value: { evidence: { status } } });
    if (outcome.certainty === "did") expect(outcome.value.unusable).toBeUndefined();
  });

  test.each<readonly [string, Scripted]>([
    ["no answer", { fault: "timeout" }],
    ["HTTP 500", { http: 500 }],
    ["an HTML 404", { http: 404, body: "<html>Not found</html>" }],
    ["a 429", { http: 429 }],
    ["a 401", { http: 401, body: { status_code: "401" } }],
    ["another order", { body: { ...pending, order_id: "INV-9" } }],
  ])("%s to the question is no licence to charge: still unknown", async (_name, answer) => {
    const script = scripted([answer]);
    script.business.advance(6 * MINUTE);
    expect(await script.gateway.open(again)).toMatchObject({ certainty: "unknown" });
    expect(script.asked()).toEqual([STATUS]);
  });

  test("406 means the order_id is in use: it asks which transaction that is, on a first call too", async () => {
    const conflict = { body: { status_code: "406", status_message: "The request could not be completed due to a conflict" } };
    const script = scripted([conflict, { body: pending }]);
    expect(await script.gateway.open(intent)).toMatchObject({
      certainty: "did",
      value: { evidence: { provider_id: TRANSACTION_ID }, unusable: true },
    });
    expect(script.asked()).toEqual([CHARGE, STATUS]);
    expect(await scripted([conflict, { body: notFound }]).gateway.open(intent)).toMatchObject({ certainty: "unknown" });
    expect(await scripted([conflict, { fault: "timeout" }]).gateway.open(intent)).toMatchObject({ certainty: "unknown" });
  });

  test("a refusal of the repeated call does not undo the first: it asks", async () => {
    const limited = { http: 429, headers: { "retry-after": "5" } };
    expect(await scripted([limited, { body: pending }]).gateway.open(again)).toMatchObject({ certainty: "did", value: { unusable: true } });
    expect(await scripted([limited, { body: notFound }]).gateway.open(again)).toMatchObject({
      certainty: "did_not",
      refusal: { code: "rate_limited" },
    });
    expect(await scripted([limited, { http: 429 }]).gateway.open(again)).toMatchObject({ certainty: "unknown" });
  });
});
