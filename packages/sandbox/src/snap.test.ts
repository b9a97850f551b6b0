import { describe, expect, test } from "vitest";
import type { Bench } from "./testing/merchant.ts";
import { openBench } from "./testing/merchant.ts";

async function create(bench: Bench, body = '{"transaction_details":{"order_id":"S","gross_amount":44000}}'): Promise<{ token: string; url: string }> {
  const answer = await bench.call("POST", "/snap/v1/transactions", body);
  expect(answer.status).toBe(201);
  return { token: answer.body.token as string, url: answer.body.redirect_url as string };
}

async function post(url: string, form: Record<string, string>): Promise<Response> {
  return fetch(url, { method: "POST", redirect: "manual", body: new URLSearchParams(form) });
}

const state = async (url: string): Promise<{ view: string; finish_redirect_url?: string; leave_url?: string; result?: Record<string, unknown> }> =>
  (await fetch(`${url}/state`)).json() as never;

describe("a Snap order", () => {
  test("is answered with nothing but its token and address, and is no transaction yet", async () => {
    const bench = await openBench();
    const answer = await bench.call("POST", "/snap/v1/transactions", '{"transaction_details":{"order_id":"S","gross_amount":44000}}');
    expect(answer.body).toEqual({
      token: expect.any(String),
      redirect_url: `${bench.sandbox.url}/midtrans/snap/v3/redirection/${answer.body.token as string}`,
    });
    expect((await bench.call("GET", "/v2/S/status")).body.status_code).toBe("404");
    await bench.sandbox.idle();
    expect(bench.receiver.received).toHaveLength(0);
  });

  test("becomes a transaction when the payer picks a method: `pending` first, then paid", async () => {
    const bench = await openBench();
    const { url } = await create(
      bench,
      '{"transaction_details":{"order_id":"S","gross_amount":44000},"custom_field1":"cart 7","callbacks":{"finish":"http://127.0.0.1:9/done?a=b"}}',
    );
    expect((await state(url)).view).toBe("choose");
    await post(`${url}/choose`, { method: "gopay" });
    await bench.sandbox.idle();
    expect(bench.receiver.received[0]!.body).toMatchObject({ transaction_status: "pending", payment_type: "gopay", custom_field1: "cart 7" });
    const pending = await state(url);
    expect(pending).toMatchObject({
      view: "pending",
      finish_redirect_url: "http://127.0.0.1:9/done?a=b&order_id=S&status_code=201&transaction_status=pending",
    });
    expect(pending.result).toMatchObject({ status_code: "201", order_id: "S", gross_amount: "44000.00", transaction_status: "pending" });
    expect(pending.result).not.toHaveProperty("signature_key");
    await post(`${url}/act`, { action: "pay" });
    await bench.sandbox.idle();
    expect(await state(url)).toMatchObject({
      view: "success",
      finish_redirect_url: "http://127.0.0.1:9/done?a=b&order_id=S&status_code=200&transaction_status=settlement",
    });
    expect(bench.receiver.statuses()).toEqual(["pending", "settlement"]);
  });

  test.each(["gopay", "qris", "bca_va", "bni_va", "bri_va", "cimb_va", "permata_va"])("offers %s, and shows how to pay by it", async (method) => {
    const bench = await openBench();
    const { url } = await create(
      bench,
      `{"transaction_details":{"order_id":"S","gross_amount":44000},"enabled_payments":["${method}","mandiri_clickpay"]}`,
    );
    const page = await (await fetch(url)).text();
    expect([...page.matchAll(/data-testid="method-(\w+)"/g)].map((match) => match[1])).toEqual([method]);
    await post(`${url}/choose`, { method });
    const shown = await (await fetch(url)).text();
    expect(shown).toContain(method.endsWith("_va") ? 'data-testid="va-number"' : 'data-testid="qr"');
    expect(shown).toContain("Rp 44.000");
  });

  test("offers what is allowed and emulated: unknown and legacy names count for nothing, and nothing is offered that was not allowed", async () => {
    const bench = await openBench();
    const offered = async (enabled: readonly string[]) => {
      const { url } = await create(bench, JSON.stringify({ transaction_details: { order_id: "S", gross_amount: 1 }, enabled_payments: enabled }));
      const page = await (await fetch(url)).text();
      return { methods: [...page.matchAll(/data-testid="method-(\w+)"/g)].map((match) => match[1]), none: page.includes('data-testid="no-method"') };
    };
    const all = ["gopay", "qris", "bca_va", "bni_va", "bri_va", "cimb_va", "permata_va"];
    expect(await offered([])).toEqual({ methods: all, none: false });
    expect(await offered(["mandiri_clickpay", "kioson", "something_new"])).toEqual({ methods: all, none: false });
    expect(await offered(["credit_card", "mandiri_clickpay", "other_qris"])).toEqual({ methods: ["qris"], none: false });
    expect(await offered(["bank_transfer"])).toEqual({ methods: all.slice(2), none: false });
    expect(await offered(["credit_card"])).toEqual({ methods: [], none: true });
    expect(await offered(["echannel", "cstore"])).toEqual({ methods: [], none: true });
  });

  test("gives a virtual account the number that the order asks for, for its own bank", async () => {
    const bench = await openBench();
    const { url } = await create(
      bench,
      '{"transaction_details":{"order_id":"S","gross_amount":1},"bca_va":{"va_number":"123456"},"permata_va":{"va_number":"42","recipient_name":"Toko"}}',
    );
    await post(`${url}/choose`, { method: "bca_va" });
    expect((await bench.call("GET", "/v2/S/status")).body.va_numbers).toEqual([{ bank: "bca", va_number: "91019123456" }]);
    const other = await create(bench, '{"transaction_details":{"order_id":"T","gross_amount":1},"permata_va":{"va_number":"42"}}');
    await post(`${other.url}/choose`, { method: "permata_va" });
    expect((await bench.call("GET", "/v2/T/status")).body.permata_va_number).toBe("8778000000000042");
  });

  test.each([
    ['"permata_va":{"recipient_name":"123456789012345678901"}', "permata_va.recipient_name must be at most 20 characters"],
    [`"callbacks":{"error":"https://shop.example/${"x".repeat(240)}"}`, "callbacks.error must be at most 255 characters"],
    [
      '"customer_details":{"billing_address":{"country_code":"12345678901"}}',
      "customer_details.billing_address.country_code must be at most 10 characters",
    ],
  ])("is refused with %s", async (part, message) => {
    const bench = await openBench();
    const answer = await bench.call("POST", "/snap/v1/transactions", `{"transaction_details":{"order_id":"S","gross_amount":1},${part}}`);
    expect([answer.status, answer.body]).toEqual([400, { error_messages: [message] }]);
  });

  test("created again takes the place of the one before", async () => {
    const bench = await openBench();
    const first = await create(bench);
    const second = await create(bench);
    expect((await state(first.url)).view).toBe("revoked");
    await post(`${first.url}/choose`, { method: "gopay" });
    expect(bench.sandbox.ledger()).toHaveLength(0);
    expect((await state(second.url)).view).toBe("choose");
    expect((await fetch(second.url.replace("/v3/redirection/", "/v2/vtweb/"))).status).toBe(200);
  });

  test("is canceled by its token: once, not while in progress, not when unknown; and again after its transaction is closed", async () => {
    const bench = await openBench();
    const cancel = async (token: string) => bench.call("POST", `/snap/v1/transactions/${token}/cancel`, "{}");
    const idle = await create(bench);
    expect(await cancel(idle.token)).toMatchObject({ status: 200, body: { canceled_at: "2026-07-17 10:00:00 +0700" } });
    expect(await cancel(idle.token)).toMatchObject({ status: 400, body: { error_messages: ["token already canceled"] } });
    expect(await cancel("7f1c2f6e-52c1-4b5a-9a0a-3f6f1f7f5d21")).toMatchObject({ status: 404, body: { error_messages: ["token not found"] } });
    expect((await state(idle.url)).view).toBe("canceled");
    const busy = await create(bench);
    await post(`${busy.url}/choose`, { method: "qris" });
    expect(await cancel(busy.token)).toMatchObject({ status: 400, body: { error_messages: ["Transaction is on progress"] } });
    await bench.call("POST", "/v2/S/cancel");
    expect((await cancel(busy.token)).status).toBe(200);
  });

  test("ends with its page, silently; a transaction lives as long as `expiry` says", async () => {
    const bench = await openBench();
    const { url } = await create(bench, '{"transaction_details":{"order_id":"S","gross_amount":1},"page_expiry":{"duration":10,"unit":"minutes"}}');
    const other = await create(bench, '{"transaction_details":{"order_id":"T","gross_amount":1},"expiry":{"duration":2,"unit":"hours"}}');
    await post(`${other.url}/choose`, { method: "gopay" });
    expect((await bench.call("GET", "/v2/T/status")).body.expiry_time).toBe("2026-07-17 12:00:00");
    bench.sandbox.advance(11 * 60_000);
    expect((await state(url)).view).toBe("expired");
    await bench.sandbox.idle();
    expect(bench.receiver.received.map(({ body }) => body.order_id)).toEqual(["T"]);
    const short = await bench.call(
      "POST",
      "/snap/v1/transactions",
      '{"transaction_details":{"order_id":"U","gross_amount":1},"expiry":{"duration":10,"unit":"second"}}',
    );
    expect([short.status, short.body]).toEqual([400, { error_messages: ["expiry.duration must be at least 20 seconds"] }]);
  });

  test("a denied attempt may be followed by another on the same page", async () => {
    const bench = await openBench({ switches: { midtrans: { wallet_failure_denies: true } } });
    const { url } = await create(bench);
    await post(`${url}/choose`, { method: "gopay" });
    await post(`${url}/act`, { action: "deny" });
    expect((await state(url)).view).toBe("choose");
    await post(`${url}/choose`, { method: "bca_va" });
    await post(`${url}/act`, { action: "pay" });
    await bench.sandbox.idle();
    expect(bench.receiver.statuses()).toEqual(["pending", "deny", "pending", "settlement"]);
    expect((await bench.call("GET", "/v2/S/status")).body).toMatchObject({ payment_type: "bank_transfer", transaction_status: "settlement" });
  });

  test("ends as failed with the third denial, leads to the error address, and takes no further choice", async () => {
    const bench = await openBench();
    const { url } = await create(
      bench,
      '{"transaction_details":{"order_id":"S","gross_amount":1},"callbacks":{"finish":"http://127.0.0.1:9/done","error":"http://127.0.0.1:9/failed?a=b"}}',
    );
    for (const view of ["choose", "choose", "failed"]) {
      await post(`${url}/choose`, { method: "bca_va" });
      await post(`${url}/act`, { action: "deny" });
      expect((await state(url)).view).toBe(view);
    }
    expect(await state(url)).toMatchObject({
      leave_url: "http://127.0.0.1:9/failed?a=b&order_id=S&status_code=202&transaction_status=deny",
      result: { status_code: "202", transaction_status: "deny" },
    });
    await post(`${url}/choose`, { method: "bca_va" });
    expect(bench.sandbox.ledger()).toHaveLength(3);
  });

  test("leads back to the unfinish address before it is paid, to finish afterwards: the dashboard's, where the order names none", async () => {
    const at = (name: string): string => `http://127.0.0.1:9/${name}`;
    const dashboard = { dashboard_finish_url: at("done"), dashboard_unfinish_url: at("back"), dashboard_error_url: at("failed") };
    const bench = await openBench({ switches: { midtrans: { ...dashboard, snap_denials: 1 } } });
    const { url } = await create(bench);
    const links = async () => [...(await (await fetch(url)).text()).matchAll(/href="(http:\/\/127\.0\.0\.1:9\/[^"]*)"/g)].map((match) => match[1]);
    expect(await links()).toEqual([`${at("back")}?order_id=S`]);
    await post(`${url}/choose`, { method: "bca_va" });
    const pending = "?order_id=S&amp;status_code=201&amp;transaction_status=pending";
    expect(await links()).toEqual([at("done") + pending, at("back") + pending]);
    await post(`${url}/act`, { action: "pay" });
    expect(await links()).toEqual([`${at("done")}?order_id=S&amp;status_code=200&amp;transaction_status=settlement`]);
    const other = await create(bench, '{"transaction_details":{"order_id":"T","gross_amount":1}}');
    await post(`${other.url}/choose`, { method: "bca_va" });
    await post(`${other.url}/act`, { action: "deny" });
    expect(await state(other.url)).toMatchObject({ view: "failed", leave_url: `${at("failed")}?order_id=T&status_code=202&transaction_status=deny` });
  });

  test("its errors are Snap's own: real codes and `error_messages` alone", async () => {
    const bench = await openBench();
    const empty = await bench.call("POST", "/snap/v1/transactions", "{}");
    expect([empty.status, empty.body]).toEqual([
      400,
      { error_messages: ["transaction_details.order_id is required", "transaction_details.gross_amount is required"] },
    ]);
    expect((await bench.call("POST", "/snap/v1/transactions", "{")).status).toBe(400);
    expect(await bench.call("POST", "/snap/v1/transactions", "{}", { authorization: "" })).toMatchObject({
      status: 401,
      body: { error_messages: [expect.stringContaining("Access denied"), expect.any(String)] },
    });
  });

  test("a client key of somebody else is refused on the page", async () => {
    const bench = await openBench();
    const { url } = await create(bench);
    expect((await fetch(`${url}?client_key=SB-Mid-client-other`)).status).toBe(401);
    expect((await fetch(`${url}?client_key=SB-Mid-client-lunas-sandbox`)).status).toBe(200);
    expect((await fetch(url.slice(0, -1) + (url.endsWith("0") ? "1" : "0"))).status).toBe(404);
  });
});
