import { describe, expect, test } from "vitest";
import { BASIC, openBench } from "./testing/merchant.ts";

/** Requests as the official clients put them on the wire (midtrans.md §14), typed in by hand; the Node client itself is in midtrans-client.test.ts. */

const JSON_TYPE = { "content-type": "application/json" };

describe("a request as an official client sends it", () => {
  test.each([
    ["Node: `null`", "null"],
    ["Python: an empty object", "{}"],
    ["PHP and Go: nothing, called JSON", ""],
    ["Ruby: `null` on a line of its own", "null\n"],
  ])("%s for a command without parameters", async (_client, body) => {
    const { call, gopay, pay } = await openBench();
    for (const [command, code] of [
      ["cancel", "200"],
      ["expire", "407"],
      ["approve", "412"],
      ["deny", "412"],
    ] as const) {
      await gopay(command);
      expect((await call("POST", `/v2/${command}/${command}`, body, JSON_TYPE)).body.status_code).toBe(code);
    }
    await gopay("refund");
    await pay("refund");
    // Without parameters it is all of it.
    expect((await call("POST", "/v2/refund/refund", body, JSON_TYPE)).body).toMatchObject({ status_code: "200", refund_amount: "44000.00" });
  });

  test("Python: nulls for what was not given, and headers of its own among the query of a question", async () => {
    const { call } = await openBench();
    const body =
      '{"payment_type": "gopay", "transaction_details": {"order_id": "A", "gross_amount": 44000}, "item_details": null, "customer_details": null, "custom_field1": null, "custom_expiry": null, "metadata": null, "gopay": null}';
    const charged = await call("POST", "/v2/charge", body);
    expect(charged.body).toMatchObject({ status_code: "201", order_id: "A" });
    expect(JSON.stringify(charged.body)).not.toContain("null");
    expect((await call("GET", "/v2/A/status?X-Override-Notification=https%3A%2F%2Fshop.example")).body).toMatchObject({ order_id: "A" });
  });

  test("Go: an address under another name than the documented one is no error", async () => {
    const { call } = await openBench();
    const body =
      '{"payment_type":"gopay","transaction_details":{"order_id":"A","gross_amount":44000},"customer_details":{"first_name":"Budi","customer_address":{"country_code":"Indonesia"}}}';
    expect((await call("POST", "/v2/charge", body)).body.status_code).toBe("201");
  });

  test("Ruby: pretty JSON, an encoded id, and all three optional headers empty", async () => {
    const { call, receiver, sandbox } = await openBench();
    const headers = { "idempotency-key": "", "x-append-notification": "", "x-override-notification": "" };
    const body = (id: string): string =>
      `{\n  "payment_type": "gopay",\n  "transaction_details": {\n    "order_id": "${id}",\n    "gross_amount": 44000\n  }\n}`;
    for (const id of ["ruby/1 a", "ruby/2 b"]) expect((await call("POST", "/v2/charge", body(id), headers)).body).toMatchObject({ order_id: id });
    expect((await call("GET", "/v2/ruby%2F1%20a/status")).body).toMatchObject({ order_id: "ruby/1 a" });
    await sandbox.idle();
    expect(receiver.received.map(({ path }) => path)).toEqual(["/callbacks/midtrans", "/callbacks/midtrans"]);
  });

  test("Node, Python, PHP and Go: an id that is not encoded breaks the path, as it does at the real one", async () => {
    const { call, gopay } = await openBench();
    await gopay("A/1");
    const broken = await call("GET", "/v2/A/1/status");
    expect([broken.status, broken.body.status_code]).toEqual([404, "404"]);
    await gopay("B");
    expect((await call("GET", "/v2/B?c/status")).status).toBe(404);
  });

  test("answers have no charset in their type, no nulls, and no leave for browsers of other origins", async () => {
    const { sandbox } = await openBench();
    const answer = await fetch(`${sandbox.url}/midtrans/snap/v1/transactions`, {
      method: "POST",
      headers: { authorization: BASIC, ...JSON_TYPE },
      body: '{"transaction_details":{"order_id":"S","gross_amount":1}}',
    });
    expect([answer.status, answer.headers.get("content-type"), answer.headers.get("access-control-allow-origin")]).toEqual([
      201,
      "application/json",
      null,
    ]);
  });
});
