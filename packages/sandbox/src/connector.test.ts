import type { Http, OpenIntent, PaymentSubject } from "@lunas/domain";
import { money, systemClock } from "@lunas/domain";
import { midtrans } from "@lunas/providers/midtrans";
import { describe, expect, test } from "vitest";
import type { Bench } from "./testing/merchant.ts";
import { openBench } from "./testing/merchant.ts";

/** Both ends of the same wire, each written from the page and judged alone elsewhere, must also understand one another. */

const http: Http = async ({ method, url, headers, body, timeout_ms }) => {
  try {
    const request = new Request(url, {
      method,
      headers,
      redirect: "manual",
      signal: AbortSignal.timeout(timeout_ms),
      ...(body === undefined ? {} : { body: body as string }),
    });
    const answer = await fetch(request);
    return {
      ok: true,
      status: answer.status,
      headers: Object.fromEntries(answer.headers),
      body: new Uint8Array(await answer.arrayBuffer()),
      elapsed_ms: 1,
    };
  } catch (error) {
    return { ok: false, fault: "reset", message: String(error), elapsed_ms: 1 };
  }
};

function gatewayOf({ sandbox }: Bench) {
  const parsed = midtrans.config.parse(midtrans.config.sandbox(`${sandbox.url}/midtrans`));
  if (!parsed.ok) expect.fail("the sandbox's own credentials must be acceptable");
  return midtrans.gateway({ config: parsed.config, http, business: sandbox.clock, wall: systemClock });
}

const intentOf = ({ sandbox }: Bench, method: string): OpenIntent => ({
  id: "pay_0123456789abcdefghjkmn",
  reference: `INV-${method}`,
  handles: {},
  method,
  amount: money(4_400_000n, "IDR"),
  expires_at: sandbox.clock.now() + 15 * 60_000,
  order_reference: "INV",
  items: [{ name: "Kopi susu", quantity: 2, price: money(2_200_000n, "IDR") }],
  customer: { name: "Budi", email: "budi@example.com" },
});

describe("the connector against the emulator", () => {
  test.each([
    ["gopay", ["qr", "deeplink"]],
    ["qris", ["qr"]],
    ["bca_va", ["va_number"]],
    ["bni_va", ["va_number"]],
    ["bri_va", ["va_number"]],
    ["permata_va", ["va_number"]],
    ["snap", ["snap_token", "redirect"]],
  ])("opens %s, with what the buyer does next", async (method, actions) => {
    const bench = await openBench();
    const opened = await gatewayOf(bench).open(intentOf(bench, method));
    expect(opened).toMatchObject({ certainty: "did", value: { evidence: { status: "pending" } } });
    expect(opened.certainty === "did" && opened.value.actions!.map(({ type }) => type)).toEqual(expect.arrayContaining(actions));
  });

  test("sees it paid, refunded in part, and confirmed by the bank", async () => {
    const bench = await openBench();
    const gateway = gatewayOf(bench);
    const intent = intentOf(bench, "gopay");
    await gateway.open(intent);
    await bench.pay(intent.reference);
    const subject: PaymentSubject = intent;
    expect(await gateway.get(subject)).toMatchObject({ certainty: "did", value: { evidence: { status: "paid", amount: 4_400_000n } } });
    const refund = {
      id: "rfd_0123456789abcdefghjkmn",
      payment: subject,
      key: "refund-1",
      amount: money(400_000n, "IDR"),
      full: false,
      reason: "Salah ukuran",
    };
    expect(await gateway.refund(refund)).toMatchObject({ certainty: "did", value: { refund: { key: "refund-1", amount: 400_000n } } });
    await bench.control(`/midtrans/${intent.reference}/refund-confirm`);
    expect(await gateway.getRefund(refund)).toMatchObject({ certainty: "did", value: { refund: { key: "refund-1", status: "confirmed" } } });
    expect(await gateway.get(subject)).toMatchObject({ value: { evidence: { status: "partially_refunded", refunded: 400_000n } } });
  });

  test("an answer that is lost is unknown, and repeating the intent finds the same transaction", async () => {
    const bench = await openBench();
    const gateway = gatewayOf(bench);
    const intent = intentOf(bench, "gopay");
    bench.sandbox.setFaults([{ provider: "midtrans", fault: "timeout-after-success", on: "api", times: 1, ms: 60_000 }]);
    const first = gateway.open(intent);
    await bench.sandbox.held();
    bench.sandbox.release();
    expect((await first).certainty).toBe("unknown");
    expect(await gateway.open({ ...intent, submitted_at: bench.sandbox.clock.now() })).toMatchObject({
      certainty: "did",
      value: { evidence: { status: "pending" } },
    });
    expect(bench.sandbox.ledger()).toHaveLength(1);
  });

  test("reads and verifies every notification that is sent, and the forged one not", async () => {
    const bench = await openBench();
    const intent = intentOf(bench, "qris");
    await gatewayOf(bench).open(intent);
    await bench.sandbox.idle();
    await bench.pay(intent.reference);
    bench.sandbox.setFaults([{ provider: "midtrans", fault: "forge-signature", on: "notification", times: 1 }]);
    await bench.control(`/midtrans/${intent.reference}/reverse`);
    await bench.sandbox.idle();
    const parsed = midtrans.config.parse(midtrans.config.sandbox(`${bench.sandbox.url}/midtrans`));
    const verdicts = bench.receiver.received.map(({ text }) => {
      const reading = midtrans.callbacks.read({
        method: "POST",
        headers: { "content-type": "application/json" },
        query: "",
        body: Buffer.from(text),
      });
      return reading.readable && parsed.ok
        ? [reading.subject.reference, reading.verify([parsed.config]).verdict, reading.translate().observation]
        : "unreadable";
    });
    expect(verdicts).toEqual([
      ["INV-qris", "weak", "pending"],
      ["INV-qris", "weak", "paid"],
      ["INV-qris", "forged", "failed"],
    ]);
  });

  test.each(["gopay", "permata_va", "snap"])("cancels and expires %s", async (method) => {
    const bench = await openBench();
    const gateway = gatewayOf(bench);
    for (const [operation, status] of [
      ["cancel", "canceled"],
      ["expire", "expired"],
    ] as const) {
      // Another payment: the gateway would answer a repeated idempotency key with the first one's answer.
      const intent = { ...intentOf(bench, method), id: `pay_${operation.padEnd(22, "0")}`, reference: `INV-${operation}` };
      const opened = await gateway.open(intent);
      const token = opened.certainty === "did" ? opened.value.actions!.find((action) => action.type === "snap_token")?.token : undefined;
      expect(await gateway[operation]({ ...intent, handles: token ? { snap_token: token } : {} })).toMatchObject({
        certainty: "did",
        value: { evidence: { status } },
      });
    }
  });
});
