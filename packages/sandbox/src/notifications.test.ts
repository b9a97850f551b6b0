import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { openBench } from "./testing/merchant.ts";

const MINUTE = 60_000;
/** Shift of every retry at its middle: no shift at all. */
const unshifted = { switches: { midtrans: { retry_shift_min: 0, retry_shift_max: 0 } } };

describe("a notification", () => {
  test("is a POST of JSON by Veritrans without any authorization, with the fields of midtrans.md §11.2", async () => {
    const { receiver, gopay, pay } = await openBench();
    const { transaction_id } = await gopay("INV-2001", 25_000);
    await pay("INV-2001");
    const [pending, settlement] = receiver.received;
    expect(pending!.headers).toMatchObject({ "user-agent": "Veritrans", "content-type": "application/json", accept: "application/json" });
    expect(pending!.headers).not.toHaveProperty("authorization");
    expect([pending!.method, pending!.path, pending!.body.transaction_status]).toEqual(["POST", "/callbacks/midtrans", "pending"]);
    expect(settlement!.body).toEqual({
      transaction_time: "2026-07-17 10:00:00",
      transaction_status: "settlement",
      transaction_id,
      status_message: "midtrans payment notification",
      status_code: "200",
      signature_key: createHash("sha512").update("INV-200120025000.00SB-Mid-server-lunas-sandbox").digest("hex"),
      settlement_time: "2026-07-17 10:00:00",
      payment_type: "gopay",
      order_id: "INV-2001",
      merchant_id: "G000000001",
      gross_amount: "25000.00",
      fraud_status: "accept",
      currency: "IDR",
      expiry_time: "2026-07-17 10:15:00",
      payment_option_type: "GOPAY_WALLET",
    });
  });

  test.each([
    [
      "qris",
      '"payment_type":"qris"',
      { acquirer: "gopay", transaction_type: "off-us", issuer: expect.any(String), merchant_cross_reference_id: expect.any(String) },
    ],
    [
      "bca",
      '"payment_type":"bank_transfer","bank_transfer":{"bank":"bca"}',
      { va_numbers: [{ bank: "bca", va_number: expect.any(String) }], payment_amounts: [] },
    ],
    [
      "bni",
      '"payment_type":"bank_transfer","bank_transfer":{"bank":"bni"}',
      { payment_amounts: [{ paid_at: "2026-07-17 10:00:00", amount: "5.00" }] },
    ],
    ["permata", '"payment_type":"permata"', { payment_type: "bank_transfer", permata_va_number: expect.any(String) }],
  ])("of %s has the fields of its method", async (_name, method, fields) => {
    const { call, pay, receiver } = await openBench();
    await call("POST", "/v2/charge", `{${method},"transaction_details":{"order_id":"A","gross_amount":5}}`);
    await pay("A");
    expect(receiver.received.at(-1)!.body).toMatchObject({ transaction_status: "settlement", ...fields });
  });

  test("of QRIS names the wallet: another one's, or the acquirer's own where the switch says so; Shopee's has references of its own", async () => {
    const { call, pay, control, receiver } = await openBench();
    const paid = async (id: string, qris: string) => {
      await call("POST", "/v2/charge", `{"payment_type":"qris","qris":${qris},"transaction_details":{"order_id":"${id}","gross_amount":5}}`);
      await pay(id);
      return receiver.received.at(-1)!.body;
    };
    expect(await paid("A", "{}")).toMatchObject({ acquirer: "gopay", transaction_type: "off-us" });
    expect(await paid("B", '{"acquirer":"airpay shopee"}')).toMatchObject({
      acquirer: "airpay shopee",
      shopeepay_reference_number: expect.any(String),
      reference_id: expect.any(String),
    });
    await control("/midtrans/switches", { qris_on_us: true }, "PUT");
    const own = await paid("C", '{"acquirer":"gopay"}');
    expect(own).toMatchObject({ transaction_type: "on-us", issuer: "gopay" });
    expect(own).not.toHaveProperty("shopeepay_reference_number");
  });

  test("goes to at most three other addresses, or three more, where the charge says so; an empty header says nothing", async () => {
    const { call, sandbox, receiver } = await openBench();
    const charge = async (id: string, headers: Record<string, string>) => {
      await call("POST", "/v2/charge", `{"payment_type":"gopay","transaction_details":{"order_id":"${id}","gross_amount":1}}`, headers);
      await sandbox.idle();
      return receiver.received
        .splice(0)
        .map(({ path }) => path)
        .sort();
    };
    const at = (...paths: string[]): string => paths.map((path) => `${receiver.url}/${path}`).join(", ");
    expect(await charge("A", { "x-override-notification": at("1", "2", "3", "4") })).toEqual(["/1", "/2", "/3"]);
    expect(await charge("B", { "x-append-notification": at("5") })).toEqual(["/5", "/callbacks/midtrans"]);
    expect(await charge("C", { "x-override-notification": "", "x-append-notification": "" })).toEqual(["/callbacks/midtrans"]);
  });

  test("nobody is told where no address is set, and everybody from then on", async () => {
    const { gopay, control, sandbox, receiver } = await openBench({ notify: {} });
    await gopay("A");
    await control("/notify", { midtrans: `${receiver.url}/later` }, "PUT");
    await gopay("B");
    await sandbox.idle();
    expect(receiver.received.map(({ path, body }) => [path, body.order_id])).toEqual([["/later", "B"]]);
  });

  test("of a merchant's own cancel is sent, unless that is switched off", async () => {
    const { gopay, call, sandbox, receiver, control } = await openBench();
    await gopay("A");
    await call("POST", "/v2/A/cancel");
    await sandbox.idle();
    expect(receiver.statuses()).toEqual(["pending", "cancel"]);
    await control("/midtrans/switches", { notify_on_merchant_close: false }, "PUT");
    await gopay("B");
    await call("POST", "/v2/B/cancel");
    await sandbox.idle();
    expect(receiver.statuses()).toEqual(["pending", "cancel", "pending"]);
  });
});

describe("retries, by the business clock (midtrans.md §11.4)", () => {
  // A bank transfer outlives all retries, so that nothing else is sent.
  const transfer = '{"payment_type":"permata","transaction_details":{"order_id":"A","gross_amount":5}}';

  test("come 2, 10, 30, 90 and 210 minutes after the try before, the same bytes each time, and then no more", async () => {
    const { call, receiver, sandbox } = await openBench(unshifted);
    receiver.answer({ status: 418 });
    await call("POST", "/v2/charge", transfer);
    await sandbox.idle();
    for (const [index, minutes] of [2, 10, 30, 90, 210].entries()) {
      sandbox.advance(minutes * MINUTE - 1);
      await sandbox.idle();
      expect(receiver.received).toHaveLength(index + 1);
      sandbox.advance(1);
      await sandbox.idle();
      expect(receiver.received).toHaveLength(index + 2);
    }
    sandbox.advance(12 * 60 * MINUTE);
    await sandbox.idle();
    expect(receiver.received).toHaveLength(6);
    expect(new Set(receiver.received.map(({ text }) => text)).size).toBe(1);
  });

  test.each([
    [200, 0],
    [201, 0],
    [204, 0],
    [301, 0],
    [302, 0],
    [303, 0],
    [400, 2],
    [404, 2],
    [500, 1],
    [503, 4],
    [401, 5],
    [403, 5],
    [429, 5],
    [502, 5],
  ])("an answer %i earns %i of them", async (status, retries) => {
    const { call, receiver, sandbox } = await openBench(unshifted);
    receiver.answer({ status });
    await call("POST", "/v2/charge", transfer);
    for (let advance = 0; advance < 6; advance += 1) {
      await sandbox.idle();
      sandbox.advance(210 * MINUTE);
    }
    await sandbox.idle();
    expect(receiver.received).toHaveLength(1 + retries);
  });

  test("a connection that is cut earns all five", async () => {
    const { call, receiver, sandbox } = await openBench(unshifted);
    receiver.answer("cut");
    await call("POST", "/v2/charge", transfer);
    for (let advance = 0; advance < 6; advance += 1) {
      await sandbox.idle();
      sandbox.advance(210 * MINUTE);
    }
    await sandbox.idle();
    expect(receiver.received).toHaveLength(6);
    expect(sandbox.log().find(({ kind }) => kind === "notification")).toMatchObject({
      http_status: null,
      outcome: "failed",
      message: expect.stringMatching(/^reset/),
    });
  });

  /** A charge that is notified to `url`, and all the tries that follow; what the log says of each. */
  async function triesAt(url: string, more: object = {}): Promise<{ tries: number; messages: unknown[]; later: number }> {
    const { call, sandbox } = await openBench({ notify: { midtrans: url }, switches: { midtrans: { ...unshifted.switches.midtrans, ...more } } });
    const logged = () => sandbox.log().filter(({ kind }) => kind === "notification");
    await call("POST", "/v2/charge", transfer);
    await sandbox.idle();
    for (const minutes of [2, 10, 30, 90, 210]) {
      sandbox.advance(minutes * MINUTE);
      await sandbox.idle();
    }
    const tries = logged().length;
    sandbox.advance(12 * 60 * MINUTE);
    await sandbox.idle();
    expect(logged().every(({ outcome, http_status }) => outcome === "failed" && http_status === null)).toBe(true);
    return { tries, messages: [...new Set(logged().map(({ message }) => message?.split(":")[0]))], later: logged().length - tries };
  }

  test("an address that never answers in its time earns all five, as one does where nobody listens or where TLS is spoken to deaf ears", async () => {
    const silent = await openBench();
    silent.receiver.answer("silent");
    const all_five = { tries: 6, later: 0 };
    expect(await triesAt(`${silent.receiver.url}/x`, { notification_timeout_s: 0.02 })).toEqual({ ...all_five, messages: ["timeout"] });
    expect(silent.receiver.received).toHaveLength(6);
    expect(await triesAt(silent.receiver.url.replace("http:", "https:"))).toEqual({ ...all_five, messages: ["tls"] });
    await silent.receiver.close();
    expect(await triesAt(`${silent.receiver.url}/x`)).toEqual({ ...all_five, messages: ["connect"] });
  });

  test("an address has fifteen seconds to answer, unless told otherwise", async () => {
    const { sandbox } = await openBench();
    expect(sandbox.emulator("midtrans").policy.timeout_ms).toBe(15_000);
    sandbox.emulator("midtrans").setSwitches({ notification_timeout_s: 0.5 });
    expect(sandbox.emulator("midtrans").policy.timeout_ms).toBe(500);
  });

  test("stop with the first success", async () => {
    const { gopay, receiver, sandbox } = await openBench(unshifted);
    receiver.answer({ status: 503 });
    await gopay("A");
    receiver.answer({ status: 200 });
    sandbox.advance(2 * MINUTE);
    await sandbox.idle();
    sandbox.advance(10 * MINUTE);
    await sandbox.idle();
    expect(receiver.statuses()).toEqual(["pending", "pending"]);
  });

  test("are shifted at random between -25 % and +10 %", async () => {
    const { gopay, receiver, sandbox } = await openBench();
    receiver.answer({ status: 503 });
    for (let index = 0; index < 20; index += 1) await gopay(`A-${index}`);
    sandbox.advance(1.5 * MINUTE - 1);
    await sandbox.idle();
    expect(receiver.received).toHaveLength(20);
    sandbox.advance(15_000);
    await sandbox.idle();
    const early = receiver.received.length;
    expect(early).toBeGreaterThan(20);
    expect(early).toBeLessThan(40);
    receiver.answer({ status: 200 });
    sandbox.advance(0.5 * MINUTE);
    await sandbox.idle();
    expect(new Set(receiver.received.slice(20).map(({ body }) => body.order_id)).size).toBe(20);
  });

  test("307 and 308 are followed with the same body, five times at most; 302 is final", async () => {
    const { gopay, receiver, sandbox } = await openBench(unshifted);
    receiver.answer(({ path }) =>
      path === "/end" ? { status: 200 } : { status: path === "/one" ? 308 : 307, headers: { location: path === "/one" ? "/end" : "/one" } },
    );
    await gopay("A");
    expect(receiver.received.map(({ path, method, text }) => [path, method, text === receiver.received[0]!.text])).toEqual([
      ["/callbacks/midtrans", "POST", true],
      ["/one", "POST", true],
      ["/end", "POST", true],
    ]);
    receiver.received.length = 0;
    receiver.answer({ status: 307, headers: { location: "/again" } });
    await gopay("B");
    expect(receiver.received).toHaveLength(6);
    receiver.received.length = 0;
    receiver.answer({ status: 302, headers: { location: "/login" } });
    await gopay("C");
    expect(receiver.received.map(({ path }) => path)).toEqual(["/callbacks/midtrans"]);
    await sandbox.idle();
  });
});
