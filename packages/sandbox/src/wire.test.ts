import { describe, expect, test } from "vitest";
import { openBench } from "./testing/merchant.ts";

/** Bodies are typed in as they stand on the wire: nothing of the emulator's own code judges it. */

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

describe("charge, byte for byte", () => {
  test("GoPay answers as midtrans.md §5.1 shows, and without nulls or a signature", async () => {
    const { call, sandbox } = await openBench();
    const api = `${sandbox.url}/midtrans`;
    const answer = await call(
      "POST",
      "/v2/charge",
      '{"payment_type":"gopay","transaction_details":{"order_id":"INV-2001","gross_amount":25000},"gopay":{"enable_callback":true,"callback_url":"shop://done"}}',
    );
    const { transaction_id } = answer.body as { transaction_id: string };
    expect(answer.status).toBe(200);
    expect(answer.headers.get("content-type")).toBe("application/json");
    expect(answer.body).toEqual({
      status_code: "201",
      status_message: "GoPay transaction is created",
      transaction_id: expect.stringMatching(UUID),
      order_id: "INV-2001",
      merchant_id: "G000000001",
      gross_amount: "25000.00",
      currency: "IDR",
      payment_type: "gopay",
      transaction_time: "2026-07-17 10:00:00",
      transaction_status: "pending",
      fraud_status: "accept",
      actions: [
        { name: "generate-qr-code", method: "GET", url: `${api}/v2/gopay/${transaction_id}/qr-code` },
        { name: "generate-qr-code-v2", method: "GET", url: expect.stringMatching(/\/v4\/qris\/gopay\/[A-Za-z0-9]+\/qr-code$/) },
        {
          name: "deeplink-redirect",
          method: "GET",
          url: expect.stringMatching(
            /\/simulator\/gopay\/ui\/checkout\?referenceid=[A-Za-z0-9]+&callback_url=shop%3A%2F%2Fdone%3Forder_id%3DINV-2001$/,
          ),
        },
        { name: "get-status", method: "GET", url: `${api}/v2/${transaction_id}/status` },
        { name: "cancel", method: "POST", url: `${api}/v2/${transaction_id}/cancel`, fields: [] },
      ],
      channel_response_code: "200",
      channel_response_message: "Success",
      expiry_time: "2026-07-17 10:15:00",
    });
  });

  test("QRIS has its string and two pictures, BCA its number, Permata its own field, with their default expiry", async () => {
    const { call } = await openBench();
    const charge = async (body: string) => (await call("POST", "/v2/charge", body)).body;
    const qris = await charge('{"payment_type":"qris","transaction_details":{"order_id":"Q","gross_amount":44000}}');
    expect(qris).toMatchObject({ status_message: "QRIS transaction is created", acquirer: "gopay", expiry_time: "2026-07-17 10:15:00" });
    expect((qris.actions as { name: string }[]).map(({ name }) => name)).toEqual(["generate-qr-code", "generate-qr-code-v2"]);
    const bca = await charge(
      '{"payment_type":"bank_transfer","bank_transfer":{"bank":"bca","va_number":"111111"},"transaction_details":{"order_id":"B","gross_amount":44000}}',
    );
    expect(bca).toMatchObject({
      status_message: "Success, Bank Transfer transaction is created",
      va_numbers: [{ bank: "bca", va_number: "91019111111" }],
      expiry_time: "2026-07-18 10:00:00",
    });
    const permata = await charge(
      '{"payment_type":"bank_transfer","bank_transfer":{"bank":"permata"},"transaction_details":{"order_id":"P","gross_amount":44000}}',
    );
    expect(permata).toMatchObject({
      status_message: "Success, PERMATA VA transaction is successful",
      permata_va_number: expect.stringMatching(/^8778\d{12}$/),
    });
    expect(permata).not.toHaveProperty("va_numbers");
  });

  test("a VA number that is taken is silently another one, one too short is filled, one too long is cut", async () => {
    const { call } = await openBench();
    const number = async (order_id: string, wish: string) => {
      const { body } = await call(
        "POST",
        "/v2/charge",
        `{"payment_type":"bank_transfer","bank_transfer":{"bank":"bca","va_number":"${wish}"},"transaction_details":{"order_id":"${order_id}","gross_amount":1}}`,
      );
      return (body.va_numbers as { va_number: string }[])[0]!.va_number;
    };
    expect(await number("A", "42")).toBe("91019000042");
    expect(await number("B", "42")).not.toBe("91019000042");
    expect(await number("C", "1234567890123456")).toBe("9101912345678901");
  });

  test("an order id that is a number comes back as a string, and ids with spaces, colons and plus signs are taken", async () => {
    const { call } = await openBench();
    const first = await call("POST", "/v2/charge", '{"payment_type":"gopay","transaction_details":{"order_id":1554320900,"gross_amount":"100000"}}');
    expect(first.body).toMatchObject({ order_id: "1554320900", gross_amount: "100000.00" });
    const second = await call(
      "POST",
      "/v2/charge",
      '{"payment_type":"gopay","transaction_details":{"order_id":"2016-10-20 12:39:16 +0700","gross_amount":100000}}',
    );
    expect(second.body.order_id).toBe("2016-10-20 12:39:16 +0700");
    const strict = await openBench({ switches: { midtrans: { strict_order_id: true } } });
    expect(
      (await strict.call("POST", "/v2/charge", '{"payment_type":"gopay","transaction_details":{"order_id":"a b","gross_amount":1}}')).status,
    ).toBe(400);
  });

  test.each([
    ["no amount", '{"payment_type":"gopay","transaction_details":{"order_id":"A"}}', "transaction_details.gross_amount is required"],
    [
      "an amount of nothing",
      '{"payment_type":"gopay","transaction_details":{"order_id":"A","gross_amount":0}}',
      "transaction_details.gross_amount must be between 0.01 - 99999999999.00",
    ],
    [
      "an amount too large",
      '{"payment_type":"gopay","transaction_details":{"order_id":"A","gross_amount":100000000000}}',
      "transaction_details.gross_amount must be between 0.01 - 99999999999.00",
    ],
    [
      "an amount in words",
      '{"payment_type":"gopay","transaction_details":{"order_id":"A","gross_amount":"much"}}',
      "transaction_details.gross_amount is not a number",
    ],
    [
      "decimals of rupiah",
      '{"payment_type":"gopay","transaction_details":{"order_id":"A","gross_amount":10.5}}',
      "transaction_details.gross_amount must not have decimals in IDR",
    ],
    [
      "items that do not sum up",
      '{"payment_type":"gopay","transaction_details":{"order_id":"A","gross_amount":10},"item_details":[{"name":"x","price":4,"quantity":2}]}',
      "transaction_details.gross_amount is not equal to the sum of item_details",
    ],
    [
      "an item's name of 51",
      `{"payment_type":"gopay","transaction_details":{"order_id":"A","gross_amount":1},"item_details":[{"name":"${"x".repeat(51)}","price":1,"quantity":1}]}`,
      "item_details[0].name must be at most 50 characters",
    ],
    [
      "an order id of 51",
      `{"payment_type":"gopay","transaction_details":{"order_id":"${"x".repeat(51)}","gross_amount":1}}`,
      "transaction_details.order_id must be 1 - 50 characters",
    ],
    [
      "an acquirer that nobody knows",
      '{"payment_type":"qris","qris":{"acquirer":"barter"},"transaction_details":{"order_id":"A","gross_amount":1}}',
      "qris.acquirer must be one of gopay, airpay shopee",
    ],
    [
      "a recipient of 21",
      `{"payment_type":"permata","bank_transfer":{"permata":{"recipient_name":"${"x".repeat(21)}"}},"transaction_details":{"order_id":"A","gross_amount":1}}`,
      "bank_transfer.permata.recipient_name must be at most 20 characters",
    ],
    [
      "a country of two letters",
      '{"payment_type":"gopay","transaction_details":{"order_id":"A","gross_amount":1},"customer_details":{"shipping_address":{"country_code":"ID"}}}',
      "customer_details.shipping_address.country_code must be three letters as in ISO 3166-1 alpha-3",
    ],
    [
      "a telephone number of 256 at an address",
      `{"payment_type":"gopay","transaction_details":{"order_id":"A","gross_amount":1},"customer_details":{"billing_address":{"phone":"${"1".repeat(256)}"}}}`,
      "customer_details.billing_address.phone must be at most 255 characters",
    ],
    ["no payment type", '{"transaction_details":{"order_id":"A","gross_amount":1}}', "payment_type is required"],
    [
      "a life of 10 seconds",
      '{"payment_type":"gopay","transaction_details":{"order_id":"A","gross_amount":1},"custom_expiry":{"expiry_duration":10,"unit":"second"}}',
      "custom_expiry.expiry_duration must be at least 20 seconds and end in the future",
    ],
  ])("refuses %s with a real 400 and says why", async (_name, body, message) => {
    const { call } = await openBench();
    const answer = await call("POST", "/v2/charge", body);
    expect(answer.status).toBe(400);
    expect(answer.body).toEqual({
      status_code: "400",
      status_message: "One or more parameters in the payload is invalid.",
      validation_messages: [message],
      id: expect.stringMatching(UUID),
    });
  });

  test("limits are the longest that is taken: a recipient of 20, a country of three letters", async () => {
    const { call } = await openBench();
    const body = `{"payment_type":"permata","bank_transfer":{"permata":{"recipient_name":"${"x".repeat(20)}"}},"transaction_details":{"order_id":"A","gross_amount":1},"customer_details":{"billing_address":{"country_code":"IDN"}}}`;
    expect((await call("POST", "/v2/charge", body)).body.status_code).toBe("201");
  });

  test("QRIS of Shopee lives five days at most, that of GoPay seven; both have pictures at their addresses", async () => {
    const { call, sandbox } = await openBench();
    const charge = async (acquirer: string) =>
      call(
        "POST",
        "/v2/charge",
        `{"payment_type":"qris","qris":{"acquirer":"${acquirer}"},"transaction_details":{"order_id":"${acquirer}","gross_amount":1},"custom_expiry":{"expiry_duration":30,"unit":"day"}}`,
      );
    expect((await charge("gopay")).body).toMatchObject({ acquirer: "gopay", expiry_time: "2026-07-24 10:00:00" });
    const { body } = await charge("airpay shopee");
    expect(body).toMatchObject({ acquirer: "airpay shopee", expiry_time: "2026-07-22 10:00:00", qr_string: expect.any(String) });
    for (const { url } of body.actions as { url: string }[]) {
      expect((await fetch(url)).headers.get("content-type")).toBe("image/png");
      const found = await fetch(`${sandbox.url}/midtrans/simulator/v2/qris/index?q=${encodeURIComponent(url)}`);
      expect(await found.text()).not.toContain('data-testid="not-found"');
    }
  });

  test("a discount is a negative line, and the sum fits", async () => {
    const { call } = await openBench();
    const body =
      '{"payment_type":"gopay","transaction_details":{"order_id":"A","gross_amount":8},"item_details":[{"name":"x","price":5,"quantity":2},{"name":"off","price":-2,"quantity":1}]}';
    expect((await call("POST", "/v2/charge", body)).body.status_code).toBe("201");
  });

  test("bodies that clients really send: empty, `null`, not JSON; and a GET with a body", async () => {
    const { call, sandbox, gopay } = await openBench();
    expect((await call("POST", "/v2/charge", "")).status).toBe(400);
    const nothing = await call("POST", "/v2/charge", "null");
    expect([nothing.status, nothing.body.status_code]).toEqual([500, "500"]);
    const broken = await call("POST", "/v2/charge", '{"payment_type":');
    expect([broken.status, broken.body.status_code]).toEqual([413, "413"]);
    for (const [order_id, body] of [
      ["A", "null"],
      ["B", ""],
      ["C", "{}"],
    ] as const) {
      await gopay(order_id);
      expect((await call("POST", `/v2/${order_id}/cancel`, body)).body.status_code).toBe("200");
    }
    await gopay("D");
    const { statusCode, body } = await (
      await import("undici")
    ).request(`${sandbox.url}/midtrans/v2/D/status`, {
      method: "GET",
      body: "{}",
      headers: { "content-type": "application/json", authorization: `Basic ${Buffer.from("SB-Mid-server-lunas-sandbox:").toString("base64")}` },
    });
    expect([statusCode, ((await body.json()) as Record<string, unknown>).transaction_status]).toEqual([200, "pending"]);
  });

  test("payment types: unknown is 400, known but not activated is 402 in the body", async () => {
    const { call } = await openBench();
    const charge = async (type: string) =>
      call("POST", "/v2/charge", `{"payment_type":"${type}","transaction_details":{"order_id":"A","gross_amount":1}}`);
    expect((await charge("barter")).body).toMatchObject({ status_code: "400", validation_messages: ["payment_type is not supported"] });
    const card = await charge("credit_card");
    expect([card.status, card.body.status_code]).toEqual([200, "402"]);
  });

  test("a body over 1 MiB is refused, and the sandbox lives on", async () => {
    const { call } = await openBench();
    expect((await call("POST", "/v2/charge", `{"x":"${"y".repeat(1024 * 1024)}"}`)).status).toBe(413);
    expect((await call("GET", "/v2/none/status")).body.status_code).toBe("404");
  });

  test("too many charges in a minute are 429 when that is switched on", async () => {
    const { call, sandbox } = await openBench({ switches: { midtrans: { charges_per_minute: 2 } } });
    const charge = async (id: string) =>
      (await call("POST", "/v2/charge", `{"payment_type":"gopay","transaction_details":{"order_id":"${id}","gross_amount":1}}`)).status;
    expect([await charge("A"), await charge("B"), await charge("C")]).toEqual([200, 200, 429]);
    sandbox.advance(61_000);
    expect(await charge("D")).toBe(200);
  });
});
