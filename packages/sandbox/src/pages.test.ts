import { describe, expect, test } from "vitest";
import type { Bench } from "./testing/merchant.ts";
import { openBench } from "./testing/merchant.ts";

interface Shown {
  readonly status: number;
  readonly location: string | null;
  readonly html: string;
}

async function show(url: string, form?: Record<string, string>, headers: Record<string, string> = {}): Promise<Shown> {
  const response = await fetch(url, { redirect: "manual", headers, ...(form ? { method: "POST", body: new URLSearchParams(form) } : {}) });
  return { status: response.status, location: response.headers.get("location"), html: await response.text() };
}

/** Order ids in the order in which the page lists them. */
const listed = (html: string): string[] => [...html.matchAll(/data-testid="transaction" data-order-id="([^"]*)"/g)].map((match) => match[1]!);

const page = (bench: Bench, path = ""): string => `${bench.sandbox.url}/midtrans/simulator${path}`;

describe("the simulator's pages", () => {
  test("list who waits for a payer, newest first, with amounts as Indonesian shops write them", async () => {
    const bench = await openBench();
    await bench.gopay("A", 44_000);
    await bench.gopay("B", 1_250_000);
    const { status, html } = await show(page(bench));
    expect(status).toBe(200);
    expect(listed(html)).toEqual(["B", "A"]);
    expect(html).toContain("Rp 44.000");
    expect(html).toContain("Rp 1.250.000");
    for (const button of ["pay", "deny", "expire"])
      expect(html).toMatch(new RegExp(`value="${button}"\\s+data-testid="${button}"\\s+data-order-id="A"`));
  });

  test("buttons pay, deny and expire, and come back with a notice", async () => {
    const bench = await openBench();
    const press = async (id: string, action: string) => {
      const { transaction_id } = await bench.gopay(id);
      const answer = await show(page(bench, "/act"), { transaction_id: transaction_id as string, action, back: "" });
      expect(answer.status).toBe(303);
      return (await show(answer.location!)).html;
    };
    expect(await press("A", "pay")).toContain("Paid.");
    expect(await press("B", "deny")).toContain("keeps the transaction pending until it expires");
    expect(await press("C", "expire")).toContain("Expired.");
    expect(bench.sandbox.ledger().map(({ status }) => status)).toEqual(["settlement", "pending", "expire"]);
  });

  test("find a transaction by every handle that a payer can have", async () => {
    const bench = await openBench();
    const body = '{"payment_type":"qris","transaction_details":{"order_id":"Q-1","gross_amount":44000}}';
    const qris = (await bench.call("POST", "/v2/charge", body)).body as { transaction_id: string; qr_string: string; actions: { url: string }[] };
    const va = (await bench.call("POST", "/v2/charge", '{"payment_type":"permata","transaction_details":{"order_id":"V-1","gross_amount":1}}'))
      .body as { permata_va_number: string };
    await bench.gopay("other");
    const found = async (handle: string, path = ""): Promise<string | undefined> =>
      listed((await show(`${page(bench, path)}?q=${encodeURIComponent(handle)}`)).html.split("Waiting for the payer")[0]!)[0];
    for (const handle of ["Q-1", qris.transaction_id, qris.qr_string, ...qris.actions.map(({ url }) => url)])
      expect(await found(handle, "/v2/qris/index")).toBe("Q-1");
    expect(await found(va.permata_va_number, "/openapi/va/index")).toBe("V-1");
    expect((await show(`${page(bench)}?q=nothing`)).html).toContain('data-testid="not-found"');
  });

  test("escape what merchants wrote", async () => {
    const bench = await openBench();
    await bench.call(
      "POST",
      "/v2/charge",
      '{"payment_type":"gopay","transaction_details":{"order_id":"<script>alert(1)</script>","gross_amount":1}}',
    );
    const { html } = await show(`${page(bench)}?q=${encodeURIComponent('"><img src=x>')}`);
    expect(html).not.toContain("<script>alert");
    expect(html).not.toContain("<img src=x>");
    expect(html).toContain("&lt;script&gt;alert(1)&lt;/script&gt;");
  });

  test("return only to pages of their own", async () => {
    const bench = await openBench();
    const { transaction_id } = await bench.gopay("A");
    for (const back of ["https://evil.example/", "//evil.example", "/../../x", "toString"]) {
      expect((await show(page(bench, "/act"), { transaction_id: transaction_id as string, action: "deny", back })).location).toMatch(
        `${bench.sandbox.url}/midtrans/simulator?notice=`,
      );
    }
  });

  test("refuse a form sent from a strange page, and a strange host name", async () => {
    const bench = await openBench();
    const { transaction_id } = await bench.gopay("A");
    const form = { transaction_id: transaction_id as string, action: "pay", back: "" };
    expect((await show(page(bench, "/act"), form, { origin: "https://evil.example" })).status).toBe(403);
    expect((await show(page(bench, "/act"), form, { origin: "null" })).status).toBe(403);
    expect(bench.sandbox.ledger()[0]!.collected).toBe(0);
    expect((await show(page(bench, "/act"), form, { origin: bench.sandbox.url })).status).toBe(303);
    const { request } = await import("undici");
    expect((await request(`${bench.sandbox.url}/_control/ledger`, { headers: { host: "rebound.example" } })).statusCode).toBe(403);
  });
});

describe("the wallet behind the deeplink", () => {
  const charge =
    '{"payment_type":"gopay","transaction_details":{"order_id":"INV-1","gross_amount":44000},"gopay":{"enable_callback":true,"callback_url":"http://127.0.0.1:9/done?cart=7#end"}}';

  async function deeplink(bench: Bench, body = charge): Promise<string> {
    const { actions } = (await bench.call("POST", "/v2/charge", body)).body as { actions: { name: string; url: string }[] };
    return actions.find(({ name }) => name === "deeplink-redirect")!.url;
  }

  test("asks with the amount, pays, and returns with order_id and result behind the query that was there", async () => {
    const bench = await openBench();
    const url = await deeplink(bench);
    const { html } = await show(url);
    expect(html).toContain("Rp 44.000");
    expect(html).toContain('data-testid="pay"');
    const answer = await show(url, { action: "pay" });
    expect([answer.status, answer.location]).toEqual([303, "http://127.0.0.1:9/done?cart=7&order_id=INV-1&result=success#end"]);
    expect(bench.sandbox.ledger()[0]).toMatchObject({ status: "settlement", collected: 44_000 });
    expect((await show(url)).html).not.toContain('data-testid="pay"');
  });

  test("a refusal returns with result=failure, and the transaction stays pending", async () => {
    const bench = await openBench();
    const url = await deeplink(bench);
    expect((await show(url, { action: "deny" })).location).toBe("http://127.0.0.1:9/done?cart=7&order_id=INV-1&result=failure#end");
    expect(bench.sandbox.ledger()[0]).toMatchObject({ status: "pending", collected: 0 });
  });

  test("does not follow an address of the query, nor one that a browser would run", async () => {
    const bench = await openBench();
    const url = (await deeplink(bench)).replace(/callback_url=.*/, "callback_url=https%3A%2F%2Fevil.example");
    expect((await show(url)).html).not.toContain("evil.example");
    const runnable = await deeplink(
      bench,
      '{"payment_type":"gopay","transaction_details":{"order_id":"X","gross_amount":1},"gopay":{"enable_callback":true,"callback_url":"javascript:alert(1)//"}}',
    );
    expect((await show(runnable)).html).not.toContain("javascript:");
    expect((await show(runnable, { action: "pay" })).location).toContain("/midtrans/simulator/gopay/ui/checkout");
  });

  test("without a callback it stays on its page and says what happened", async () => {
    const bench = await openBench();
    const url = await deeplink(bench, '{"payment_type":"gopay","transaction_details":{"order_id":"N","gross_amount":1}}');
    const { location } = await show(url, { action: "pay" });
    expect((await show(location!)).html).toContain("Paid.");
    expect((await show(page(bench, "/gopay/ui/checkout?referenceid=none"))).status).toBe(404);
  });
});

describe("QR pictures", () => {
  test("both addresses give the same PNG without authentication; a bank transfer has none", async () => {
    const bench = await openBench();
    const { actions, transaction_id } = (await bench.gopay("A")) as { actions: { name: string; url: string }[]; transaction_id: string };
    const pictures = await Promise.all(
      actions
        .filter(({ name }) => name.startsWith("generate-qr-code"))
        .map(async ({ url }) => {
          const response = await fetch(url);
          expect(response.headers.get("content-type")).toBe("image/png");
          return Buffer.from(await response.arrayBuffer());
        }),
    );
    expect(pictures[0]!.subarray(0, 8)).toEqual(Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]));
    expect(pictures[0]!.readUInt32BE(16)).toBeGreaterThanOrEqual(300);
    expect(pictures[1]!.equals(pictures[0]!)).toBe(true);
    await bench.call("POST", "/v2/charge", '{"payment_type":"permata","transaction_details":{"order_id":"V","gross_amount":1}}');
    expect((await fetch(`${bench.sandbox.url}/midtrans/v2/gopay/V/qr-code`)).status).toBe(404);
    expect((await fetch(`${bench.sandbox.url}/midtrans/v2/qris/${transaction_id}x/qr-code`)).status).toBe(404);
  });
});
